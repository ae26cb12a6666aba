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
}
