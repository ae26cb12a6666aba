internal import Foundation

/// The built program `treadle`, run as a user would.
package enum Program {
    /// Beside the test bundle, where the build puts both.
    package static let path: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var directory = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        // The helper that loads the bundle may lie elsewhere; the bundle is then among the arguments.
        for argument in CommandLine.arguments where argument.contains(".xctest") {
            directory = URL(fileURLWithPath: argument).deletingLastPathComponent()
        }
        return directory.appendingPathComponent("treadle").path
    }()

    /// Whether a command that is no part of the project is installed: for `.enabled(if:)`.
    package static func isInstalled(_ command: String) -> Bool {
        (try? shell("command -v \(command)"))?.code == 0
    }

    /// What a shell of a cautious user has: a path, a UTF-8 locale, no terminal.
    package static let plainEnvironment: [String: String] = {
        var environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
        // The Swift runtime may only be found through this one.
        environment["LD_LIBRARY_PATH"] = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]
        return environment
    }()

    /// Runs `treadle` with these arguments to its end.
    package static func run(
        _ arguments: String..., environment: [String: String] = [:], directory: TemporaryDirectory? = nil,
        input: Spawned.Input = .empty
    ) throws -> Finished {
        try start(arguments, environment: environment, directory: directory, input: input).finish()
    }

    /// Runs `treadle` with a list of arguments to its end.
    package static func run(_ arguments: [String], in directory: TemporaryDirectory) throws -> Finished {
        try start(arguments, directory: directory).finish()
    }

    /// Starts `treadle`; `environment` adds to the plain one.
    package static func start(
        _ arguments: [String], environment: [String: String] = [:], directory: TemporaryDirectory? = nil,
        input: Spawned.Input = .empty
    ) throws -> Spawned {
        try Spawned(
            path, arguments, environment: plainEnvironment.merging(environment) { $1 }, directory: directory?.path,
            input: input)
    }

    /// Runs a line of bash in which `$treadle` is the program.
    package static func shell(
        _ line: String, environment: [String: String] = [:], directory: TemporaryDirectory? = nil
    ) throws -> Finished {
        let variables = plainEnvironment.merging(environment) { $1 }.merging(["treadle": path]) { $1 }
        return try Spawned("/bin/bash", ["-c", line], environment: variables, directory: directory?.path).finish()
    }
}
