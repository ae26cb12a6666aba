internal import CHDF5Shims

/// The library underneath: its version and its lock.
package enum H5Library {
    /// The version of libhdf5 that the program runs with, such as "1.10.8".
    package static var version: String {
        var major: UInt32 = 0
        var minor: UInt32 = 0
        var release: UInt32 = 0
        locked { _ = unsafe H5get_libversion(&major, &minor, &release) }
        return "\(major).\(minor).\(release)"
    }

    /// Lets SIGVTALRM end this process when one call takes libhdf5 more seconds of the processor, and makes a call fail that
    /// takes more bytes.
    package static func limitCalls(seconds: Int, bytes: Int) { chdf5_limit_calls(Int32(seconds), bytes) }

    /// Runs `body` as the only user of libhdf5 in this process.
    ///
    /// The lock is re-entrant, and no caller's code ever runs inside it: it cannot deadlock. Error printing is
    /// silenced on the calling thread, and its error stack is empty again afterwards.
    @discardableResult
    static func locked<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        chdf5_enter()
        defer { chdf5_leave() }
        return try body()
    }
}
