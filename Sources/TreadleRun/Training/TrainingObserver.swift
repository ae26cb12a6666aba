package import TreadleBase
public import TreadleData
public import TreadleModel

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
///
/// ```swift
/// if case .began(let overview) = event { print("\(overview.trainRows) rows, \(overview.epochs) epochs") }
/// ```
public struct RunOverview: Sendable {
    public var name: String
    public var directory: String
    public var task: LearningTask
    package var network: Network
    public var trainRows: Int
    public var validRows: Int
    public var testRows: Int
    public var batchSize: Int
    public var batchesPerEpoch: Int
    public var epochs: Int
    public var threads: Int
    /// Where training starts: not at zero when it continues.
    public var start: Cursor
    /// The checkpoint that training continues from.
    public var resumedFrom: String?
    /// The epochs of earlier runs.
    public var history: [EpochRecord]

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
///
/// ```swift
/// if case .step(let report) = event { print(report.cursor.step, report.loss) }
/// ```
public struct StepReport: Sendable {
    /// Where training stands after the batch.
    public var cursor: Cursor
    public var rows: Int
    /// The batch's mean loss, before the update.
    public var loss: Double
    public var rate: Double
    /// Seconds since this process began to train, and how many of them went into waiting for input.
    public var seconds: Double
    public var waited: Double

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
///
/// ```swift
/// let summary = try train(configuration)
/// print(summary.ending, summary.metrics["valid.loss"] ?? .nan, summary.checkpoint ?? "")
/// ```
public struct RunSummary: Sendable {
    /// Why a run ended, or why a process left it.
    ///
    /// ```swift
    /// if summary.ending.isFinal { print("nothing is left to train") }
    /// ```
    public enum Ending: String, Sendable {
        /// By its rules: all epochs, early stopping, its number of steps. By its time limit or a stop: the next call
        /// continues. Or there was nothing left to do.
        case completed, stoppedEarly = "stopped_early", stepLimit = "step_limit", wallTime = "wall_time"
        case interrupted, alreadyComplete = "nothing_to_do"

        /// Whether the run is over, and not to be continued by the next process.
        public var isFinal: Bool { self != .interrupted && self != .wallTime }
    }

    public var ending: Ending
    public var directory: String
    public var cursor: Cursor
    /// Seconds of training over all resumptions.
    public var seconds: Double
    /// What the weights in the file reach, by dotted name, on the test set too where there is one.
    public var metrics: [String: Double]
    /// The epoch that those weights are of: an earlier one than the last where the best were put back.
    public var epoch: Int?
    public var best: Double?
    public var bestEpoch: Int?
    /// The newest file of the run, and the digest of its weights.
    public var checkpoint: String?
    public var digest: String?
    public var history: [EpochRecord]

    package init(
        ending: Ending, directory: String, cursor: Cursor, seconds: Double, metrics: [String: Double],
        epoch: Int? = nil,
        best: Double? = nil, bestEpoch: Int? = nil, checkpoint: String? = nil, digest: String? = nil,
        history: [EpochRecord]
    ) {
        self.ending = ending
        self.directory = directory
        self.cursor = cursor
        self.seconds = seconds
        self.metrics = metrics
        self.epoch = epoch
        self.best = best
        self.bestEpoch = bestEpoch
        self.checkpoint = checkpoint
        self.digest = digest
        self.history = history
    }
}

extension RunSummary {
    /// Of the run's newest file, `checkpoint` at `path`, and of what training remembers of the best so far.
    init(
        _ ending: Ending, of checkpoint: Checkpoint, at path: String, in directory: String, progress: TrainingProgress
    ) {
        let record = checkpoint.head.weightsRecord ?? checkpoint.history.last
        self.init(
            ending: ending, directory: directory, cursor: checkpoint.cursor, seconds: checkpoint.progress.seconds,
            metrics: record?.metrics ?? [:], epoch: record?.epoch, best: progress.best, bestEpoch: progress.bestEpoch,
            checkpoint: path, digest: checkpoint.parameterDigest, history: checkpoint.history)
    }
}

/// The observer of those whom nobody asks: of all ranks but the first, for one.
package final class SilentObserver: TrainingObserver {
    package init() {}

    package func note(_ level: LogLevel, _ message: String) {}
    package func began(_ overview: RunOverview) {}
    package func stepped(_ report: StepReport) {}
    package func epochEnded(_ record: EpochRecord) {}
    package func checkpointed(_ path: String, at cursor: Cursor) {}
    package func finished(_ summary: RunSummary) {}
}
