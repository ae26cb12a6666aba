internal import Foundation
internal import Synchronization
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
        case .share(let share): self.init(limit: Int(Double(Self.machine) * share))
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

    /// The memory that this process may use: the machine's, or less where a cgroup sets a limit.
    private static var machine: Int {
        let physical = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        guard let membership = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8),
            let line = membership.split(separator: "\n").first(where: { $0.hasPrefix("0::") })
        else { return physical }
        var path = String(line.dropFirst(3))
        var tightest = physical
        while true {
            let file = "/sys/fs/cgroup" + (path == "/" ? "" : path) + "/memory.max"
            if let text = try? String(contentsOfFile: file, encoding: .utf8),
                let bytes = Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
            {
                tightest = min(tightest, bytes)
            }
            guard path != "/", let slash = path.lastIndex(of: "/") else { return tightest }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }
}
