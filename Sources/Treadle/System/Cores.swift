internal import CSystem
internal import Foundation

/// How many cores this process may really use.
package enum Cores {
    /// The cores that affinity and the cgroup's quota leave, at least one.
    package static var available: Int {
        let bound = Int(csystem_allowed_cores())
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
