internal import Foundation
internal import Glibc

/// How a process ended, and what it wrote.
package struct Finished: Equatable, Sendable {
    /// The exit code, or 128 + the signal that ended it, as shells count.
    package let code: Int32
    package let output: String
    package let errors: String
    /// The processor's time that it and its children took.
    package let processorTime: Duration
    /// Bytes of the largest of these at its peak, or of the one that started it, if that was larger.
    package let peakMemory: Int

    /// Equal for who looks at the terminal, whatever it cost.
    package static func == (left: Finished, right: Finished) -> Bool {
        (left.code, left.output, left.errors) == (right.code, right.output, right.errors)
    }

    /// The lines of stderr.
    package var errorLines: [String] { errors.split(separator: "\n").map(String.init) }
}

/// A process that a test started, with exactly the environment, directory and standard files that it asked for.
package final class Spawned {
    package let identifier: Int32
    private let files: TemporaryDirectory
    private var ended: (status: Int32, usage: rusage)?

    /// What stands behind a process's standard input.
    package enum Input {
        case empty, closed
        case text(String)
    }

    /// Starts `executable`, a path. Without `inheritsEnvironment` it sees `environment` alone.
    ///
    /// Signals that the calling thread blocks are blocked in it, too, unless `unblocksSignals`.
    /// Stdout and stderr go to files, unless `terminal` is a file descriptor that all three shall be.
    package init(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:],
        inheritsEnvironment: Bool = false, directory: String? = nil, input: Input = .empty, terminal: Int32? = nil,
        unblocksSignals: Bool = false
    ) throws {
        files = try TemporaryDirectory()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let terminal {
            for descriptor in Int32(0)...2 { posix_spawn_file_actions_adddup2(&actions, terminal, descriptor) }
        } else {
            switch input {
            case .empty: posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            case .closed: posix_spawn_file_actions_addclose(&actions, 0)
            case .text(let text):
                posix_spawn_file_actions_addopen(&actions, 0, try files.write(text, to: "input"), O_RDONLY, 0)
            }
            let flags = O_WRONLY | O_CREAT | O_TRUNC
            posix_spawn_file_actions_addopen(&actions, 1, files.file("output"), flags, 0o600)
            posix_spawn_file_actions_addopen(&actions, 2, files.file("errors"), flags, 0o600)
        }
        var variables = inheritsEnvironment ? ProcessInfo.processInfo.environment : [:]
        variables.merge(environment) { $1 }
        // env(1) changes the directory and becomes the program: the identifier stays the same.
        let command = (directory.map { ["/usr/bin/env", "--chdir=\($0)"] } ?? []) + [executable] + arguments
        let argv = command.map { strdup($0) } + [nil]
        let envp = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var child: pid_t = 0
        // libhdf5 leaves its descriptors open to children, which would then hold the locks on the tests' files.
        for descriptor in Int32(3)..<256 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        if unblocksSignals {
            var none = sigset_t()
            sigemptyset(&none)
            posix_spawnattr_setsigmask(&attributes, &none)
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        }
        let error = posix_spawn(&child, command[0], &actions, &attributes, argv, envp)
        guard error == 0 else { throw CannotStart(executable: executable, reason: String(cString: strerror(error))) }
        identifier = child
    }

    package struct CannotStart: Error {
        let executable: String
        let reason: String
    }

    deinit {
        if ended == nil {
            kill(identifier, SIGKILL)
            var ignored: Int32 = 0
            waitpid(identifier, &ignored, 0)
        }
    }

    package func send(_ signal: Int32) {
        precondition(ended == nil, "the process has ended")
        kill(identifier, signal)
    }

    /// Whether it still runs.
    package var isRunning: Bool {
        wait(WNOHANG)
        return ended == nil
    }

    private func wait(_ options: Int32) {
        var (status, usage) = (Int32(0), rusage())
        if ended == nil, wait4(identifier, &status, options, &usage) == identifier { ended = (status, usage) }
    }

    /// What it has written to stdout and stderr so far.
    package var outputSoFar: String { (try? files.read("output")) ?? "" }
    package var errorsSoFar: String { (try? files.read("errors")) ?? "" }

    /// Waits until it ends.
    package func finish() throws -> Finished {
        while true {
            wait(0)
            guard let (status, usage) = ended else { continue }
            let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
            let (user, system) = (usage.ru_utime, usage.ru_stime)
            return Finished(
                code: code, output: outputSoFar, errors: errorsSoFar,
                processorTime: .seconds(user.tv_sec + system.tv_sec)
                    + .microseconds(user.tv_usec + system.tv_usec),
                peakMemory: usage.ru_maxrss << 10)
        }
    }
}
