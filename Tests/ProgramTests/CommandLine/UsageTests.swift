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
        (
            ["init", "a.h5", "-o", "-", "--json"],
            "--json and --output - both write to stdout; name a file, or leave --json out; see \"treadle init --help\""
        ),
        (
            ["plot", "run", "--output=-", "--json"],
            "--json and --output - both write to stdout; name a file, or leave --json out; see \"treadle plot --help\""
        ),
        (
            ["inspect", "a.h5", "--html", "-", "--json"],
            "--json and --html - both write to stdout; name a file, or leave --json out; see \"treadle inspect --help\""
        ),
        (
            ["predict", "m.h5", "a.csv", "-o", "-", "--json"],
            "--json and --output - both write to stdout; name a file, or leave --json out; see \"treadle predict --help\""
        ),
        (
            ["predict", "m.h5", "a.csv", "-o", "p.NPY"],
            "p.NPY: predict does not write .npy; choose a name in .h5, .hdf5 or .csv; see \"treadle predict --help\""
        ),
        (
            ["import", "a.csv", "-o", "a.csv"],
            "a.csv: import does not write .csv; choose a name in .h5 or .hdf5; see \"treadle import --help\""
        ),
        (
            ["generate", "churn", "-o", "-"],
            "generate writes HDF5, which does not go to stdout; name a file, such as data.h5; "
                + "see \"treadle generate --help\""
        ),
        (["diff", "a.h5"], "missing B (the newer one); see \"treadle diff --help\""),
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

    @Test func `a variable of the environment that names nothing known is refused, by every command alike`() throws {
        let isa = try Program.run("manual", environment: ["TREADLE_ISA": "sse"])
        #expect(isa.code == 78)
        #expect(
            isa.errors
                == "error: TREADLE_ISA is \"sse\", but takes amx, avx512bf16, avx512, avx2, scalar; set it to one of these, or unset it\n"
        )
        let directory = try TemporaryDirectory()
        try directory.write("{ name: \"a\", data: { train: \"a.h5\" }, model: { hidden: [] } }", to: "a.json5")
        for line in [["check", "a.json5"], ["generate", "churn", "-o", "a.h5"], ["bench", "--machine"]] {
            let finished = try Program.start(line, environment: ["TREADLE_THREADS": "abc"], directory: directory)
                .finish()
            #expect(finished.code == 78)
            #expect(
                finished.errors
                    == "error: TREADLE_THREADS: compute.threads must be \"auto\" or an integer from 1 to 4096; "
                    + "found the text \"abc\"\n")
        }
        #expect(try directory.contents() == ["a.json5"])
    }

    @Test func `settings that nothing reads are accepted, and said to change nothing`() throws {
        let finished = try Program.run("manual", "--set", "a.b=c", "--set=d.e=f")
        #expect(finished.code == 0 && finished.output.hasPrefix(".TH TREADLE 1"))
        #expect(
            finished.errors
                == "warning: --set changes nothing here: it overrides settings of a configuration, and none is read\n")
    }

    @Test(arguments: [
        ["manual", "-q"], ["manual", "--threads=2", "--json"],
        ["manual", "--"],
    ])
    func `options may stand in every usual form`(line: [String]) throws {
        let finished = try Program.start(line).finish()
        #expect(finished.code == 0)
        #expect(finished.errors == "")
        #expect(finished.output.hasPrefix(".TH TREADLE 1"))
    }
}
