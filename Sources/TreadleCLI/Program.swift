internal import Glibc
internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData

/// From the command line to the exit code: finds the command, runs it, and turns every error into text.
struct Program {
    let commands: [Command]
    /// A parent waits for this process, and says what a crash of it means.
    let isGuarded: Bool

    /// The one way out of the process.
    func runToExit(_ line: [String]) -> Never {
        openStandardDescriptors()
        // A closed pipe is an error code of write, not the end of a job.
        _ = signal(SIGPIPE, SIG_IGN)
        // So is a limit on the size of files (ulimit -f).
        _ = signal(SIGXFSZ, SIG_IGN)
        MappedFiles.allow()
        let output = Output()
        let log = Log()
        var code: Int32
        do {
            code = try run(line, output, log).value
        } catch {
            code = report(error, log)
        }
        do {
            try output.flush()
        } catch {
            let failed = report(error, log)
            if code == 0 { code = failed }
        }
        exit(code)
    }

    private func run(_ line: [String], _ output: Output, _ log: Log) throws -> ExitCode {
        var rest = line[...]
        guard let first = rest.popFirst() else {
            log.write(.error, "missing command; see \"treadle --help\"")
            return ExitCode(value: TreadleError.Kind.usage.rawValue)
        }
        let help = HelpText(commands: commands, terminal: output.terminal)
        let known = commands.first { $0.name == first }
        // Signals were held back while the program started. Work that can answer them installs its handlers now; a
        // parent that passes them on to a child takes them itself; all other commands die of them as programs do.
        let hasChild = known?.readsForeignRows == true && !isGuarded
        if known?.endsOnRequest == true, !hasChild { try Signals.install() }
        if known?.endsOnRequest != true, !hasChild { Signals.release() }
        switch first {
        case "--help", "-h":
            try output.write(help.program)
            return .done
        case "help":
            guard let name = rest.first else {
                try output.write(help.program)
                return .done
            }
            try output.write(help.text(for: try command(named: name)))
            return .done
        case "--version":
            try writeVersion(output)
            return .done
        default: break
        }
        let command = try command(named: first)
        var parser = CommandLineParser(command)
        switch try parser.parse(Array(rest)) {
        case .help: try output.write(help.text(for: command))
        case .version: try writeVersion(output)
        case .run(let options, let positionals):
            let invocation = Invocation(
                command: command, output: output, log: log, options: options, positionals: positionals)
            if invocation.isQuiet { log.lowest = .warning }
            try ProgramEnvironment.check()
            if !isGuarded { invocation.noteIdleOverrides() }
            if hasChild {
                let files = rest.filter { unsafe access($0, R_OK) == 0 }.map {
                    $0.hasSuffix(".json5") ? "the data of \($0)" : $0
                }
                return ExitCode(value: try GuardedProcess.run(line, on: files, helper: .program))
            }
            return try command.run(invocation)
        }
        return .done
    }

    private func command(named name: String) throws -> Command {
        if let command = commands.first(where: { $0.name == name }) { return command }
        let kind = name.hasPrefix("-") ? "unknown option" : "unknown command"
        let hint = Suggestion.text(for: name, among: commands.map(\.name)).map { "; \($0) See" } ?? "; see"
        throw TreadleError(.usage, "\(kind) \"\(name)\"\(hint) \"treadle --help\"")
    }

    private func writeVersion(_ output: Output) throws {
        try ProgramEnvironment.check()
        try output.writeLine(
            "treadle \(Treadle.version) (HDF5 \(H5Library.version), \(Treadle.instructionSet), numerics \(Treadle.numerics))"
        )
    }

    /// Says what went wrong and returns the exit code for it.
    private func report(_ error: any Error, _ log: Log) -> Int32 {
        log.showLive(nil)
        switch error {
        case is Output.ClosedPipe:
            // The reader has seen enough, as `head` does.
            return 0
        case let error as H5Error:
            return report(TreadleError(error), log)
        case let error as TreadleError:
            for message in error.messages { log.error(message) }
            return error.exitCode
        default:
            log.error("\(error); this is a bug in treadle, please report it with the command line")
            return TreadleError.Kind.bug.rawValue
        }
    }

    /// Where cron or a daemon closed stdin, stdout or stderr, the next file opened would take its number,
    /// and messages would be written into it.
    private func openStandardDescriptors() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
            // Stdout is opened for reading: what is written to a closed stdout must fail, not vanish.
            let mode = descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY
            _ = unsafe open("/dev/null", mode)
        }
    }
}
