internal import CSystem
internal import Foundation

/// How many cores this process may really use.
package enum Cores {
    /// The cores that affinity and the cgroup's quota leave, at least one.
    package static var available: Int {
        let environment = ProcessInfo.processInfo.environment
        // MPI's launchers say how many ranks share this machine: each takes its part.
        let ranks = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"].lazy.compactMap {
            environment[$0].flatMap { Int($0) }
        }
        let share = ProcessInfo.processInfo.processorCount / max(1, ranks.first ?? 1)
        let bound = min(Int(csystem_allowed_cores()), max(1, share))
        guard let quota = cgroupQuota else { return max(1, bound) }
        return max(1, min(bound, Int(quota.rounded(.up))))
    }

    /// The tightest `cpu.max` on the way from this process's cgroup to the root, in cores.
    private static var cgroupQuota: Double? {
        guard let membership = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8) else { return nil }
        let line = membership.split(separator: "\n").first { $0.hasPrefix("0::") }
        var path = line.map { String($0.dropFirst(3)) } ?? "/"
        var tightest: Double?
        while true {
            let file = "/sys/fs/cgroup" + (path == "/" ? "" : path) + "/cpu.max"
            if let text = try? String(contentsOfFile: file, encoding: .utf8) {
                let words = text.split(whereSeparator: \.isWhitespace)
                if words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), period > 0 {
                    tightest = min(tightest ?? .infinity, quota / period)
                }
            }
            guard path != "/", let slash = path.lastIndex(of: "/") else { return tightest }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }
}
