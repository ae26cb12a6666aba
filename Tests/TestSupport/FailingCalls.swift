internal import Synchronization
package import TreadleBase

extension SystemCalls {
    /// Fails the `turn`-th call of this name, and that one alone.
    package static func failing(_ call: Call, turn: Int = 1, with number: Int32) -> SystemCalls {
        let seen = Seen()
        return SystemCalls { asked in
            guard asked == call else { return nil }
            return seen.count.wrappingAdd(1, ordering: .relaxed).newValue == turn ? number : nil
        }
    }

    private final class Seen: Sendable {
        let count = Atomic<Int>(0)
    }
}
