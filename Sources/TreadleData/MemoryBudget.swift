internal import Synchronization
internal import TreadleBase
package import TreadleConfiguration

/// What `data.memory_limit` leaves: whoever wants to keep much in memory asks here first.
package final class MemoryBudget: Sendable {
    /// The whole limit in bytes.
    package let limit: Int
    private let claimed = Mutex(0)

    init(limit: Int) {
        self.limit = limit
    }

    package convenience init(_ amount: Amount) {
        switch amount {
        case .bytes(let bytes): self.init(limit: bytes)
        case .share(let share): self.init(limit: Int(Double(ControlGroup.memory) * share))
        }
    }

    var left: Int { limit - claimed.withLock { $0 } }

    /// Takes `bytes` of what is left, or nothing.
    func claim(_ bytes: Int) -> Bool {
        claimed.withLock { claimed in
            guard bytes <= limit - claimed else { return false }
            claimed += bytes
            return true
        }
    }

    func giveBack(_ bytes: Int) {
        claimed.withLock { $0 -= bytes }
    }
}
