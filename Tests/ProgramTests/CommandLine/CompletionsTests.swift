import TestSupport
import Testing

@Suite struct CompletionsTests {
    /// What bash offers for a command line whose last word is being typed.
    private func offers(_ words: String...) throws -> [String] {
        let line = words.map { "'\($0)'" }.joined(separator: " ")
        let script = """
            source <($treadle completions bash)
            COMP_WORDS=(\(line)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _treadle
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let directory = try TemporaryDirectory()
        for name in ["one.h5", "two three.h5"] { try directory.write("", to: name) }
        let finished = try Program.shell(script, directory: directory)
        #expect(finished.errors == "")
        return finished.output.split(separator: "\n").map(String.init).sorted()
    }

    @Test func `bash completes commands, options, choices and files`() throws {
        #expect(try offers("treadle", "compl") == ["completions"])
        #expect(try offers("treadle", "completions", "") == ["bash", "fish", "zsh"])
        #expect(try offers("treadle", "completions", "--th") == ["--threads"])
        #expect(try offers("treadle", "help", "man") == ["manual"])
        #expect(try offers("treadle", "manual", "--threads", "") == [])
    }

    private func expectIsRead(by shell: String) throws {
        let checked = try Program.shell(
            "$treadle completions \(shell) > script && \(shell) -n script", directory: try TemporaryDirectory())
        #expect(checked.code == 0)
        #expect(checked.errors == "")
        #expect(checked.output == "")
    }

    @Test func `bash reads its completions`() throws { try expectIsRead(by: "bash") }

    @Test(.enabled(if: Program.isInstalled("zsh"), "zsh is not installed"))
    func `zsh reads its completions`() throws { try expectIsRead(by: "zsh") }

    @Test(.enabled(if: Program.isInstalled("fish"), "fish is not installed"))
    func `fish reads its completions`() throws { try expectIsRead(by: "fish") }

    /// With what stands around a command's name where it is offered: "train" alone is in "retrain" and in prose, too.
    @Test(arguments: [("bash", "\n        ", ")\n"), ("zsh", "\n        '", ":"), ("fish", " -a ", " -d ")])
    func `completions know every command`(shell: String, before: String, after: String) throws {
        let script = try Program.run("completions", shell).output
        for command in HelpTests.commands { #expect(script.contains(before + command + after), "\(command)") }
    }
}
