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
