/// What the files of a run's directory are called.
package enum CheckpointName: Hashable, Sendable {
    /// `step-00001200.h5`: the run after so many updates.
    case step(Int)
    /// `best.h5`, `best-2.h5`, …: the best epochs by the watched metric, counted from 1.
    case best(Int)
    /// `final.h5`: what the run ended with.
    case final

    package var fileName: String {
        switch self {
        case .step(let step):
            let digits = String(step)
            return "step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".h5"
        case .best(1): return "best.h5"
        case .best(let place): return "best-\(place).h5"
        case .final: return "final.h5"
        }
    }

    /// The name that a file of a run's directory has, or nil when it is none of a run's checkpoints.
    package init?(fileName: String) {
        guard fileName.hasSuffix(".h5") else { return nil }
        let stem = fileName.dropLast(3)
        let candidate: CheckpointName? =
            if stem == "final" {
                .final
            } else if stem == "best" {
                .best(1)
            } else if stem.hasPrefix("best-") {
                Int(stem.dropFirst(5)).map { .best($0) }
            } else if stem.hasPrefix("step-") {
                Int(stem.dropFirst(5)).map { .step($0) }
            } else {
                nil
            }
        // Only what this type would write: no signs, no other number of zeros.
        guard let candidate, candidate.fileName == fileName else { return nil }
        self = candidate
    }
}
