package import TreadleBase
package import TreadleData
package import TreadleModel

/// Where a run reports to: the program draws it, tests record it.
///
/// Every call comes from the training thread, in order, except `note`, which may come from any.
package protocol TrainingObserver: AnyObject, Sendable {
    /// Something a person may want to know.
    func note(_ level: LogLevel, _ message: String)
    /// Once, before the first step.
    func began(_ overview: RunOverview)
    /// After every batch: must be cheap.
    func stepped(_ report: StepReport)
    /// After every epoch, with its metrics.
    func epochEnded(_ record: EpochRecord)
    /// After a checkpoint is durable.
    func checkpointed(_ path: String, at cursor: Cursor)
    /// Once, when the run ends by its own rules or by a signal.
    func finished(_ summary: RunSummary)
}

/// What is about to be trained.
package struct RunOverview: Sendable {
    package var name: String
    package var directory: String
    package var task: LearningTask
    package var network: Network
    package var trainRows: Int
    package var validRows: Int
    package var testRows: Int
    package var batchSize: Int
    package var batchesPerEpoch: Int
    package var epochs: Int
    package var threads: Int
    /// Where training starts: not at zero when it continues.
    package var start: Cursor
    /// The checkpoint that training continues from.
    package var resumedFrom: String?
    /// The epochs of earlier runs.
    package var history: [EpochRecord]

    package init(
        name: String, directory: String, task: LearningTask, network: Network, trainRows: Int, validRows: Int,
        testRows: Int, batchSize: Int, batchesPerEpoch: Int, epochs: Int, threads: Int, start: Cursor,
        resumedFrom: String? = nil, history: [EpochRecord]
    ) {
        self.name = name
        self.directory = directory
        self.task = task
        self.network = network
        self.trainRows = trainRows
        self.validRows = validRows
        self.testRows = testRows
        self.batchSize = batchSize
        self.batchesPerEpoch = batchesPerEpoch
        self.epochs = epochs
        self.threads = threads
        self.start = start
        self.resumedFrom = resumedFrom
        self.history = history
    }
}

/// One batch, trained on.
package struct StepReport: Sendable {
    /// Where training stands after the batch.
    package var cursor: Cursor
    package var rows: Int
    /// The batch's mean loss, before the update.
    package var loss: Double
    package var rate: Double
    /// Seconds since this process began to train, and how many of them went into waiting for input.
    package var seconds: Double
    package var waited: Double

    package init(
        cursor: Cursor, rows: Int, loss: Double, rate: Double, seconds: Double, waited: Double
    ) {
        self.cursor = cursor
        self.rows = rows
        self.loss = loss
        self.rate = rate
        self.seconds = seconds
        self.waited = waited
    }
}

/// How a run ended.
package struct RunSummary: Sendable {
    package enum Ending: String, Sendable {
        case completed, stoppedEarly = "stopped_early", stepLimit = "step_limit", wallTime = "wall_time"
        case interrupted, alreadyComplete = "nothing_to_do"

        /// Whether the run is over, and not to be continued by the next process.
        package var isFinal: Bool { self != .interrupted && self != .wallTime }
    }

    package var ending: Ending
    package var directory: String
    package var cursor: Cursor
    /// Seconds of training over all resumptions.
    package var seconds: Double
    /// The last epoch's metrics by dotted name, those of the test set included where there is one.
    package var metrics: [String: Double]
    package var best: Double?
    package var bestEpoch: Int?
    /// The newest file of the run, and the digest of its weights.
    package var checkpoint: String?
    package var digest: String?
    package var history: [EpochRecord]

    package init(
        ending: Ending, directory: String, cursor: Cursor, seconds: Double, metrics: [String: Double],
        best: Double? = nil, bestEpoch: Int? = nil, checkpoint: String? = nil, digest: String? = nil,
        history: [EpochRecord]
    ) {
        self.ending = ending
        self.directory = directory
        self.cursor = cursor
        self.seconds = seconds
        self.metrics = metrics
        self.best = best
        self.bestEpoch = bestEpoch
        self.checkpoint = checkpoint
        self.digest = digest
        self.history = history
    }
}

/// The observer of the ranks that report nothing.
final class SilentObserver: TrainingObserver {
    func note(_ level: LogLevel, _ message: String) {}
    func began(_ overview: RunOverview) {}
    func stepped(_ report: StepReport) {}
    func epochEnded(_ record: EpochRecord) {}
    func checkpointed(_ path: String, at cursor: Cursor) {}
    func finished(_ summary: RunSummary) {}
}
