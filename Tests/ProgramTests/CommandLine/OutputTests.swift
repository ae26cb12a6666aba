import TestSupport
import Testing

@Suite struct OutputTests {
    @Test func `a full device is an error, not a lost output`() throws {
        let finished = try Program.shell("$treadle manual > /dev/full")
        #expect(finished.code == 74)
        #expect(
            finished.errors == """
                error: stdout: No space left on device; the output is incomplete, free some space or write elsewhere

                """)
    }

    @Test func `a closed pipe ends quietly`() throws {
        // Nobody reads the pipe: its other end was open only until it could be opened for writing.
        let finished = try Program.shell(
            "mkfifo pipe; exec 3<>pipe 4>pipe 3<&-; $treadle manual >&4; echo $?", directory: try TemporaryDirectory())
        #expect(finished.output == "0\n" && finished.errors == "")
    }

    @Test func `what is written to a closed stdout is not said to be written`() throws {
        let finished = try Program.shell("$treadle manual >&-")
        #expect(finished.code == 74)
        #expect(finished.errors.hasPrefix("error: stdout: Bad file descriptor"))
    }

    @Test func `nothing but the program's path is needed to run`() throws {
        let whole = try Program.run("manual").output
        let finished = try Program.shell("env -i $treadle manual <&- 2>&-")
        #expect(finished.code == 0)
        #expect(finished.output == whole)
        #expect(try Program.shell("env -i $treadle nonsense <&- 2>&-").code == 64)
    }

    @Test func `systemd's journal gets the level of a message`() throws {
        // The journal names the device and inode of its socket; a file's serve as well.
        let journal = try Program.shell(
            "exec 2>log; JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) $treadle nonsense; cat log",
            directory: try TemporaryDirectory())
        #expect(journal.output == "<3>error: unknown command \"nonsense\"; see \"treadle --help\"\n")
        let redirected = try Program.run("nonsense", environment: ["JOURNAL_STREAM": "1:2"])
        #expect(redirected.errors == "error: unknown command \"nonsense\"; see \"treadle --help\"\n")
    }
}
