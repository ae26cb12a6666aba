internal import TreadleBase
package import TreadleData
package import TreadleModel

/// All that prediction and resumption need, as a value: what a checkpoint file holds.
package struct Checkpoint: Equatable, Sendable, Codable {
    /// The resolved configuration as JSON text, and the directory its paths start from.
    package var configuration: String
    package var baseDirectory: String
    package var task: LearningTask
    package var network: Network
    package var loss: LossType
    package var precision: Precision
    package var parameters: [LayerParameters] = []
    package var normalization = Normalization.none
    /// The classes' names in the order of the outputs; nil for regression or unnamed classes.
    package var classes: [String]?
    /// The names of the input columns, where the data has them.
    package var columns: [String]?
    /// What each class weighs in the loss, as resolved for the training data; nil where each counts 1.
    package var classWeights: [Double]?
    /// The extents of a row of x where it has several, such as 28×28.
    package var imageShape: [Int]?
    package var optimizer = OptimizerState()
    package var cursor: Cursor
    package var progress: TrainingProgress
    package var history: [EpochRecord]
    package var fingerprint: String
    /// Seconds since 1970 when the file was written; nil keeps files byte-identical.
    package var created: Double?
    package var programVersion: String
    /// By which numerics contract the steps up to here were computed; several, in their order, where a run was continued
    /// by releases that compute otherwise.
    package var numerics: [Int]

    package init(
        configuration: String, baseDirectory: String, task: LearningTask, network: Network, loss: LossType,
        precision: Precision, parameters: [LayerParameters], normalization: Normalization, classes: [String]?,
        columns: [String]?, classWeights: [Double]? = nil, imageShape: [Int]? = nil, optimizer: OptimizerState,
        cursor: Cursor, progress: TrainingProgress,
        history: [EpochRecord], fingerprint: String, created: Double?, programVersion: String = Treadle.version,
        numerics: [Int] = [Treadle.numerics]
    ) {
        self.configuration = configuration
        self.baseDirectory = baseDirectory
        self.task = task
        self.network = network
        self.loss = loss
        self.precision = precision
        self.parameters = parameters
        self.normalization = normalization
        self.classes = classes
        self.columns = columns
        self.classWeights = classWeights
        self.imageShape = imageShape
        self.optimizer = optimizer
        self.cursor = cursor
        self.progress = progress
        self.history = history
        self.fingerprint = fingerprint
        self.created = created
        self.programVersion = programVersion
        self.numerics = numerics
    }

    /// All but the numbers: what they would be as JSON is nothing that anybody should wait for.
    private enum CodingKeys: CodingKey {
        case configuration, baseDirectory, task, network, loss, precision, classes, columns, classWeights, imageShape
        case cursor, progress, history, fingerprint, created, programVersion, numerics
    }
}

/// What training remembers between epochs besides weights: sums of the epoch under way, and the best so far.
package struct TrainingProgress: Equatable, Sendable, Codable {
    /// The weighted loss summed over the batches of the present epoch, and the weights' sum.
    package var lossSum: Double = 0
    package var weightSum: Double = 0
    /// The watched metric's best value, its epoch, and the epochs since without progress.
    package var best: Double?
    package var bestEpoch: Int?
    package var epochsWithoutProgress: Int = 0
    /// The plateau schedule's memory.
    package var plateauBest: Double?
    package var plateauWait: Int = 0
    /// What schedules have multiplied the rate by so far, rollbacks included.
    package var rateScale: Double = 1
    package var rollbacks: Int = 0
    /// Seconds of training so far, over all resumptions.
    package var seconds: Double = 0
    package var stoppedEarly: Bool = false
    /// True once the run has ended by its own rules.
    package var finished: Bool = false

    package init() {}
}

/// One finished epoch: its metrics by dotted name (`loss`, `valid.loss`, `valid.accuracy`).
///
/// ```swift
/// for record in summary.history { print(record.epoch, record.metrics["valid.loss"] ?? .nan) }
/// ```
public struct EpochRecord: Equatable, Sendable, Codable {
    public var epoch: Int
    public var step: Int
    public var rate: Double
    public var seconds: Double
    public var metrics: [String: Double]

    package init(epoch: Int, step: Int, rate: Double, seconds: Double, metrics: [String: Double]) {
        self.epoch = epoch
        self.step = step
        self.rate = rate
        self.seconds = seconds
        self.metrics = metrics
    }
}
