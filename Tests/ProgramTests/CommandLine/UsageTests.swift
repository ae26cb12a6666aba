import TestSupport
import Testing

@Suite struct UsageTests {
    @Test(arguments: [
        ([], "missing command; see \"treadle --help\""),
        (
            ["completion", "bash"],
            "unknown command \"completion\"; did you mean \"completions\"? See \"treadle --help\""
        ),
        (["manaul"], "unknown command \"manaul\"; did you mean \"manual\"? See \"treadle --help\""),
        (["xyzzy"], "unknown command \"xyzzy\"; see \"treadle --help\""),
        (["--quiet"], "unknown option \"--quiet\"; see \"treadle --help\""),
        (
            ["manual", "--quite"],
            "unknown option \"--quite\"; did you mean \"--quiet\"? See \"treadle manual --help\""
        ),
        (["manual", "-z"], "unknown option \"-z\"; see \"treadle manual --help\""),
        (["manual", "-qz"], "unknown option \"-z\"; see \"treadle manual --help\""),
        (["manual", "--quiet=1"], "--quiet takes no value; see \"treadle manual --help\""),
        (["manual", "--threads"], "--threads needs a value: --threads N; see \"treadle manual --help\""),
        (["manual", "--threads", "--"], "--threads needs a value: --threads N; see \"treadle manual --help\""),
        (
            ["manual", "--threads", "1", "--threads=2"],
            "--threads is given twice; see \"treadle manual --help\""
        ),
        (["manual", "more"], "unexpected argument \"more\"; see \"treadle manual --help\""),
        (["manual", "--", "--quiet"], "unexpected argument \"--quiet\"; see \"treadle manual --help\""),
        (["manual", "-"], "unexpected argument \"-\"; see \"treadle manual --help\""),
        (["completions"], "missing SHELL (bash, zsh or fish); see \"treadle completions --help\""),
        (
            ["completions", "bsh"],
            "SHELL is \"bsh\", but takes bash, zsh, fish; did you mean \"bash\"? See \"treadle completions --help\""
        ),
    ])
    func `a wrong command line is answered with what is wrong`(line: [String], message: String) throws {
        let finished = try Program.start(line).finish()
        #expect(finished.errors == "error: \(message)\n")
        #expect(finished.output == "")
        #expect(finished.code == 64)
    }

    @Test(arguments: [
        ["manual", "--set", "a.b=c", "--set=d.e=f"], ["manual", "-q"], ["manual", "--threads=2", "--json"],
        ["manual", "--"],
    ])
    func `options may stand in every usual form`(line: [String]) throws {
        let finished = try Program.start(line).finish()
        #expect(finished.code == 0)
        #expect(finished.errors == "")
        #expect(finished.output.hasPrefix(".TH TREADLE 1"))
    }
}
