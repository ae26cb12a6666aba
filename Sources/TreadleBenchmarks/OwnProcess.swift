internal import Foundation

/// Seconds by a clock of the system.
enum Clock {
    /// What this thread has had of a core: what one thread can do, also while others build beside it.
    static func threadTime() -> Double { seconds(CLOCK_THREAD_CPUTIME_ID) }
    static func wallTime() -> Double { seconds(CLOCK_MONOTONIC) }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// What this process has had of the machine's memory.
enum Memory {
    /// The largest resident size so far. Not `getrusage`'s: that begins with what the parent had before `exec`.
    static var peakBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }
}
