internal import Foundation
internal import Glibc
internal import TreadleBase

/// The command that is run after a promotion, by `/bin/sh -c`, with the paths and metrics in its environment.
struct PromotionHook {
    let command: String

    /// How long a hook may take to end when it is asked to, in seconds.
    private static let patience = 10.0

    /// Returns nil, or what went wrong. Its output goes to stderr: stdout is for data.
    ///
    /// A request to stop ends the hook, and is thrown: the next call runs it again.
    func run(_ variables: [String: String], stop: Stop) throws -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.standardError
        do {
            try process.run()
        } catch {
            return "the hook could not be started: \(error.localizedDescription)"
        }
        while process.isRunning {
            if stop.isRequested {
                end(process)
                try stop.check()
            }
            usleep(20_000)
        }
        switch process.terminationReason {
        case .exit where process.terminationStatus == 0: return nil
        case .uncaughtSignal: return "the hook was ended by signal \(process.terminationStatus)"
        default: return "the hook ended with exit code \(process.terminationStatus)"
        }
    }

    private func end(_ process: Process) {
        process.terminate()
        let deadline = ContinuousClock.now + .seconds(Self.patience)
        while process.isRunning, ContinuousClock.now < deadline { usleep(20_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }
}
