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
    /// What the configuration calls the run.
    public var name: String
    /// Where checkpoints, metrics and report go.
    public var directory: String
    /// What is learnt: classes, labels or quantities.
    public var task: LearningTask
    package var network: Network
    /// Rows that are learnt from in each epoch.
    public var trainRows: Int
    /// Rows that each epoch is measured on; 0 without validation.
    public var validRows: Int
    /// Rows that the final model is measured on; 0 without a test set.
    public var testRows: Int
    /// Rows of a batch; the last of an epoch may have fewer.
    public var batchSize: Int
    /// Batches of an epoch, as many as it reports steps.
    public var batchesPerEpoch: Int
    /// Epochs after which the run ends, unless it stops early.
    public var epochs: Int
    /// How many threads compute.
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
    /// Rows of the batch, over all ranks.
    public var rows: Int
    /// The batch's mean loss, before the update.
    public var loss: Double
    /// The learning rate of the update that the batch belongs to.
    public var rate: Double
    /// Seconds since this process began to train.
    public var seconds: Double
    /// How many of those seconds went into waiting for input.
    public var waited: Double
    /// Seconds of training over all resumptions.
    public var runSeconds: Double

    package init(
        cursor: Cursor, rows: Int, loss: Double, rate: Double, seconds: Double, waited: Double, runSeconds: Double
    ) {
        self.cursor = cursor
        self.rows = rows
        self.loss = loss
        self.rate = rate
        self.seconds = seconds
        self.waited = waited
        self.runSeconds = runSeconds
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
        /// All of its epochs are done.
        case completed
        /// The watched metric made no progress for as long as `stop.early` allows.
        case stoppedEarly = "stopped_early"
        /// It has made `stop.steps` updates.
        case stepLimit = "step_limit"
        /// This process has trained for `stop.wall_time`; the next call continues.
        case wallTime = "wall_time"
        /// A stop was asked for; the next call continues.
        case interrupted
        /// An earlier call had ended the run: nothing was trained.
        case alreadyComplete = "nothing_to_do"

        /// Whether the run is over, and not to be continued by the next process.
        public var isFinal: Bool { self != .interrupted && self != .wallTime }
    }

    /// Why training ended here.
    public var ending: Ending
    /// Where checkpoints, metrics and report are.
    public var directory: String
    /// Where training stands: how many epochs, batches and updates are done.
    public var cursor: Cursor
    /// Seconds of training over all resumptions.
    public var seconds: Double
    /// What the weights in the file reach, by dotted name, on the test set too where there is one.
    public var metrics: [String: Double]
    /// The epoch that those weights are of: an earlier one than the last where the best were put back.
    public var epoch: Int?
    /// The best value of the watched metric so far; nil before the first epoch's end.
    public var best: Double?
    /// The epoch that reached it.
    public var bestEpoch: Int?
    /// The newest file of the run.
    public var checkpoint: String?
    /// The SHA-256 of the weights in that file: equal digests mean equal weights.
    public var digest: String?
    /// Every epoch so far, those of earlier calls among them.
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
