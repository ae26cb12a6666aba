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
}

/// How a run ended.
package struct RunSummary: Sendable {
    package enum Ending: String, Sendable {
        case completed, stoppedEarly = "stopped_early", stepLimit = "step_limit", wallTime = "wall_time"
        case interrupted, nothingToDo = "nothing_to_do"
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
}
