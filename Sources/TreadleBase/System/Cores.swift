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
        guard let quota = ControlGroup.cores else { return max(1, bound) }
        return max(1, min(bound, Int(quota.rounded(.up))))
    }

    /// The numbers of the cores that this process may run on, such as "0-3,8".
    package static var names: String {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
        return line.map { $0.drop { $0 != "\t" }.dropFirst() }.map(String.init) ?? "?"
    }
}

/// The limits that Linux sets on groups of processes: containers, and units of systemd.
package enum ControlGroup {
    /// The memory that this process may use: the machine's, or less where a group has a limit.
    package static var memory: Int {
        let physical = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        let limits = ownLimits("memory.max") { words in words.first.flatMap { Int($0) } }
        return min(physical, limits.min() ?? physical)
    }

    /// How many cores' time this process gets at most; nil without a limit.
    static var cores: Double? {
        ownLimits("cpu.max") { words in
            guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), period > 0 else {
                return nil
            }
            return quota / period
        }.min()
    }

    /// The limit of this process's group and of each group that this one lies in: all of them hold. A group without one says
    /// "max", which is no number.
    private static func ownLimits<Limit>(_ file: String, _ limit: ([Substring]) -> Limit?) -> [Limit] {
        guard let membership = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8) else { return [] }
        let line = membership.split(separator: "\n").first { $0.hasPrefix("0::") }
        var path = line.map { String($0.dropFirst(3)) } ?? "/"
        var limits: [Limit] = []
        while true {
            let place = "/sys/fs/cgroup" + (path == "/" ? "" : path) + "/" + file
            if let text = try? String(contentsOfFile: place, encoding: .utf8) {
                limits += [limit(text.split(whereSeparator: \.isWhitespace))].compactMap(\.self)
            }
            guard path != "/", let slash = path.lastIndex(of: "/") else { return limits }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }
}
