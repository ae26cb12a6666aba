package import TreadleBase

/// The section `stop`: when training ends.
package struct StopConfiguration: Equatable, Sendable {
    package var epochs: Int
    package var steps: Int?
    package var wallTime: Duration?
    package var onNaN: NonFiniteLossPolicy
    /// How often `rollback` may go back before it gives up, and what the rate is multiplied by each time.
    package var maxRollbacks: Int
    package var rollbackFactor: Double
    package var early: EarlyStopping?
}

package enum NonFiniteLossPolicy: String, CaseIterable, Sendable { case stop, rollback }

package struct EarlyStopping: Equatable, Sendable {
    /// A dotted name as in metrics.jsonl: `valid.loss`, `valid.accuracy`.
    package var metric: String
    package var patience: Int
    package var minDelta: Double
    package var restoreBest: Bool
}

/// The section `compute`. Threads change speed only; shards and accumulation change the sums.
package struct ComputeConfiguration: Equatable, Sendable {
    package var threads: Automatic<Int>
    package var shards: Automatic<Int>
    package var accumulate: Int
    /// How often some steps are computed a second time, and compared; nil never.
    package var audit: Duration?
    /// After how long a silent MPI rank ends the job.
    package var rankTimeout: Duration
}

/// The section `checkpoint`.
package struct CheckpointConfiguration: Equatable, Sendable {
    package var dir: String
    package var every: CheckpointInterval
    package var keepLast: Int
    package var keepBest: Int
    package var minFree: Automatic<Amount>
    package var onError: CheckpointErrorPolicy
}

package struct CheckpointInterval: Equatable, Sendable {
    package var time: Duration?
    package var epochs: Int?
    package var steps: Int?

    package init(time: Duration?, epochs: Int?, steps: Int?) {
        self.time = time
        self.epochs = epochs
        self.steps = steps
    }
}

/// Whether a run goes on when a checkpoint could not be written.
package enum CheckpointErrorPolicy: String, CaseIterable, Sendable {
    case proceed = "continue"
    case stop
}

/// The section `log`.
package struct LogConfiguration: Equatable, Sendable {
    package var level: LogLevel
    package var every: Duration
    package var metrics: String
    package var tensorboard: Bool
    package var prometheus: String?
}

/// The section `retrain`: what the nightly command does.
package struct RetrainConfiguration: Equatable, Sendable {
    package var when: RetrainWhen
    package var start: RetrainStart
    package var lock: LockPolicy
    package var promote: Promotion?
}

package enum RetrainWhen: String, CaseIterable, Sendable { case dataChanged = "data-changed", always }
package enum RetrainStart: String, CaseIterable, Sendable { case warm, cold }

package struct Promotion: Equatable, Sendable {
    package var to: String
    package var metric: String
    package var tolerance: Tolerance
    /// In how large a share of the rows drawn again the new model must be no worse; nil compares on the rows as they are.
    package var confidence: Double?
    package var keep: Int
    package var hook: String?
    /// The drift, in stored standard deviations, from which on a person is told, also one who wants to hear of nothing else.
    package var warnDrift: Double?
    /// The drift above which nothing is promoted; nil only reports.
    package var maxDrift: Double?
}
