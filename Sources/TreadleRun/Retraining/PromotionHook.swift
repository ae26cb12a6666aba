internal import Foundation

/// The command that is run after a promotion, by `/bin/sh -c`, with the paths and metrics in its environment.
struct PromotionHook {
    let command: String

    /// Returns nil, or what went wrong. Its output goes to stderr: stdout is for data.
    func run(_ variables: [String: String]) -> String? {
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
        process.waitUntilExit()
        switch process.terminationReason {
        case .exit where process.terminationStatus == 0: return nil
        case .uncaughtSignal: return "the hook was ended by signal \(process.terminationStatus)"
        default: return "the hook ended with exit code \(process.terminationStatus)"
        }
    }
}
