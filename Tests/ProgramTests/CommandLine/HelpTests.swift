import Foundation
import TestSupport
import Testing

@Suite struct HelpTests {
    /// The commands that the program's help lists: two spaces, a name, its summary.
    static let commands: [String] = {
        let help = (try? Program.run("--help"))?.output ?? ""
        return help.matches(of: /(?m)^  ([a-z]+) +[a-z].*$/).map { String($0.1) }.filter { $0 != "treadle" }
    }()

    @Test func `the help of a command is complete`() throws {
        let finished = try Program.run("manual", "--help")
        #expect(finished.code == 0)
        #expect(finished.errors == "")
        #expect(
            finished.output == """
                Examples:
                  treadle manual | man -l -
                      read it
                  treadle manual > /usr/local/share/man/man1/treadle.1
                      install it

                treadle manual: write the manual page to stdout.

                Usage:
                  treadle manual [options]

                Options of every command:
                      --set KEY=VALUE  override a setting of the configuration, as in
                                       optimizer.lr=0.01; may be repeated
                      --threads N      use so many threads; changes the speed alone, never a
                                       result
                  -q, --quiet          say nothing but warnings and errors
                      --json           write machine-readable JSON to stdout
                  -h, --help           show this help
                      --version        show the versions of the program, of HDF5, and the
                                       instruction set

                """)
    }

    @Test func `the program's help lists its commands`() throws {
        #expect(Self.commands.contains("manual"))
        #expect(Self.commands.contains("completions"))
    }

    @Test(arguments: commands)
    func `every command has help that begins with examples and fits a terminal`(command: String) throws {
        let finished = try Program.run(command, "--help")
        #expect(finished.code == 0)
        #expect(finished.output.hasPrefix("Examples:\n  treadle \(command)"))
        #expect(try Program.run("help", command) == finished)
        #expect(try Program.run(command, "--no-such-option", "-h") == finished)
        // Examples are command lines, which are not broken.
        let prose = finished.output.split(separator: "\n").filter { !$0.hasPrefix("  treadle ") }
        #expect(prose.filter { $0.count > 80 } == [])
    }

    @Test func `the program's help has every variable and every exit code`() throws {
        let help = try Program.run("--help").output
        for name in ["TREADLE_THREADS", "TREADLE_<KEY>", "TREADLE_ISA", "NO_COLOR"] {
            #expect(help.contains("  \(name) "))
        }
        for code in [0, 1, 10, 11, 64, 65, 66, 70, 73, 74, 75, 77, 78] { #expect(help.contains("\n  \(code) ")) }
        #expect(try Program.run("diff", "--help").output.contains("\n  treadle diff [options] A B\n"))
    }

    @Test func `help follows the width of the terminal`() throws {
        for columns in [60, 100, 200] {
            let drawn = try PseudoTerminal(columns: columns).run(["manual", "--help"], environment: ["TERM": "dumb"])
            let widest = drawn.drawn.split(separator: "\r\n").map(\.count).max() ?? 0
            #expect(widest > min(columns, 100) - 20 && widest <= min(columns, 100))
        }
    }

    @Test func `headings are bold on a terminal unless NO_COLOR says otherwise`() throws {
        let bold = try PseudoTerminal(columns: 80).run(["manual", "--help"])
        #expect(bold.drawn.contains("\u{1B}[1mExamples:\u{1B}[0m"))
        let plain = try PseudoTerminal(columns: 80).run(
            ["manual", "--help"], environment: ["TERM": "xterm", "NO_COLOR": "1"])
        #expect(!plain.drawn.contains("\u{1B}"))
    }

    @Test(.enabled(if: Program.isInstalled("groff"), "groff is not installed"))
    func `the man page has no mistakes that groff knows`() throws {
        let checked = try Program.shell("set -o pipefail; $treadle manual | groff -ww -man -Tutf8")
        #expect(checked.code == 0)
        #expect(checked.errors == "")
    }

    @Test func `the man page has every command and option`() throws {
        let page = try Program.run("manual").output.replacingOccurrences(of: "\\-", with: "-")
        for command in Self.commands {
            #expect(page.contains(".SS treadle \(command) "))
            let help = try Program.run(command, "--help").output
            for option in help.matches(of: /(?m)^  (?:    |-., )(--[a-z-]+)/) { #expect(page.contains(option.1)) }
        }
    }
}
