internal import Foundation

/// What this process has had of the machine's memory.
enum Memory {
    /// The largest resident size so far. Not `getrusage`'s: that begins with what the parent had before `exec`.
    static var peakBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }
}
