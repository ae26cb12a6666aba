package import TreadleBase
package import TreadleConfiguration
package import TreadleData
package import TreadleModel

/// All that prediction and resumption need, as a value: what a checkpoint file holds.
///
/// It has three parts, and whoever needs one of them asks for that one. The small members of all three can be named
/// without their part: `checkpoint.network`, `checkpoint.cursor`, `checkpoint.fingerprint`.
@dynamicMemberLookup
package struct Checkpoint: Equatable, Sendable {
    package var model: SavedModel
    package var state: RunState
    package var origin: FileOrigin

    package init(model: SavedModel, state: RunState, origin: FileOrigin) {
        self.model = model
        self.state = state
        self.origin = origin
    }

    package var parameters: [LayerParameters] {
        get { model.parameters }
        set { model.parameters = newValue }
    }

    package var optimizer: OptimizerState {
        get { state.optimizer }
        set { state.optimizer = newValue }
    }

    package subscript<Value>(dynamicMember path: WritableKeyPath<ModelDescription, Value>) -> Value {
        get { model.description[keyPath: path] }
        set { model.description[keyPath: path] = newValue }
    }

    package subscript<Value>(dynamicMember path: WritableKeyPath<RunCourse, Value>) -> Value {
        get { state.course[keyPath: path] }
        set { state.course[keyPath: path] = newValue }
    }

    package subscript<Value>(dynamicMember path: WritableKeyPath<FileOrigin, Value>) -> Value {
        get { origin[keyPath: path] }
        set { origin[keyPath: path] = newValue }
    }
}

/// A checkpoint without the arrays that grow with the network: what can be said of a file of any size.
@dynamicMemberLookup
package struct CheckpointHead: Equatable, Sendable, Codable {
    package var model: ModelDescription
    package var course: RunCourse
    package var origin: FileOrigin

    package subscript<Value>(dynamicMember path: KeyPath<ModelDescription, Value>) -> Value { model[keyPath: path] }
    package subscript<Value>(dynamicMember path: KeyPath<RunCourse, Value>) -> Value { course[keyPath: path] }
    package subscript<Value>(dynamicMember path: KeyPath<FileOrigin, Value>) -> Value { origin[keyPath: path] }
}

extension CheckpointHead {
    /// The epoch that the file's weights are of: not the last where the run's end has put the best ones back. Nil where
    /// they are of the middle of an epoch, which nobody has measured.
    package var weightsRecord: EpochRecord? {
        if let epoch = restoredEpoch { return course.history.first { $0.epoch == epoch } }
        return course.history.last.flatMap { $0.step == course.cursor.step ? $0 : nil }
    }

    /// The history as the run went. When a run has ended, its weights may be calibrated, or put together from each member's best;
    /// what they were measured to reach then is no point of the curve, and the epoch is left out.
    package var curve: [EpochRecord] {
        let isOther = model.temperature != nil || (course.progress.restoredEpoch != nil && model.network.members > 1)
        guard isOther, let own = weightsRecord else { return course.history }
        return course.history.filter { $0 != own }
    }

    private var restoredEpoch: Int? {
        let progress = course.progress
        if let epoch = progress.restoredEpoch { return epoch }
        // Older files do not name the epoch; whether the best one was put back follows from their settings.
        guard progress.finished, let known = origin.knownSettings, known.understands("stop") else { return nil }
        return known.settings.stop.early?.restoreBest == true ? progress.bestEpoch : nil
    }
}

extension Checkpoint {
    package var head: CheckpointHead {
        CheckpointHead(model: model.description, course: state.course, origin: origin)
    }
}

/// All that predicting needs.
@dynamicMemberLookup
package struct SavedModel: Equatable, Sendable {
    package var description: ModelDescription
    package var parameters: [LayerParameters]

    package init(_ description: ModelDescription, parameters: [LayerParameters]) {
        self.description = description
        self.parameters = parameters
    }

    package subscript<Value>(dynamicMember path: WritableKeyPath<ModelDescription, Value>) -> Value {
        get { description[keyPath: path] }
        set { description[keyPath: path] = newValue }
    }

    /// The weights with the output layer's divided by the temperature, which divides the outputs.
    package var calibrated: [LayerParameters] {
        guard let temperature = description.temperature else { return parameters }
        func divided(_ tensor: Tensor) -> Tensor { tensor.mapped { $0.map { $0 / temperature } } }
        return parameters.enumerated().map { index, layer in
            guard description.network.makesOutput(index) else { return layer }
            return LayerParameters(name: layer.name, weight: divided(layer.weight), bias: layer.bias.map(divided))
        }
    }
}

/// What a model is for and what it is made of, without its weights.
package struct ModelDescription: Equatable, Sendable, Codable {
    package var task: LearningTask
    package var network: Network
    package var loss: LossType
    package var precision: Precision
    package var normalization = Normalization.none
    /// The classes' names in the order of the outputs; nil for regression or unnamed classes.
    package var classes: [String]?
    /// The names of the inputs, where the data has them.
    package var columns: [String]?
    /// The table that the inputs are made from, where the data says so.
    package var schema: TableSchema?
    /// What each class weighs in the loss, as resolved for the training data; nil where each counts 1.
    package var classWeights: [Double]?
    /// The extents of a row of x where it has several, such as 28×28.
    package var imageShape: [Int]?
    /// What outputs are divided by before softmax or sigmoid, so that probabilities can be believed; nil for as they are.
    package var temperature: Double?

    package init(task: LearningTask, network: Network, loss: LossType, precision: Precision) {
        self.task = task
        self.network = network
        self.loss = loss
        self.precision = precision
    }

    /// All but the normalization, which has a number for every input: as JSON, nobody should wait for it.
    private enum CodingKeys: CodingKey {
        case task, network, loss, precision, classes, columns, schema, classWeights, imageShape, temperature
    }

    /// What a row must hold for it.
    package var inputColumns: InputColumns {
        InputColumns(schema: schema, names: columns, inputs: network.inputs)
    }
}

/// All that a run needs to go on from where it stood, besides its model.
package struct RunState: Equatable, Sendable {
    package var course: RunCourse
    package var optimizer: OptimizerState

    package init(_ course: RunCourse, optimizer: OptimizerState) {
        self.course = course
        self.optimizer = optimizer
    }
}

/// How far a run has come, and how it went.
package struct RunCourse: Equatable, Sendable, Codable {
    package var cursor = Cursor()
    package var progress = TrainingProgress()
    package var history: [EpochRecord] = []

    package init(
        cursor: Cursor = Cursor(), progress: TrainingProgress = TrainingProgress(), history: [EpochRecord] = []
    ) {
        self.cursor = cursor
        self.progress = progress
        self.history = history
    }
}

/// Where a checkpoint comes from.
package struct FileOrigin: Equatable, Sendable, Codable {
    /// The resolved configuration as JSON text, and the directory its paths start from.
    package var configuration: String
    package var baseDirectory: String
    /// Of the data that the model was trained on.
    package var fingerprint: String
    /// Seconds since 1970 when the file was written; nil keeps files byte-identical.
    package var created: Double?
    package var programVersion: String
    /// By which numerics contract the steps up to here were computed; several, in their order, where a run was continued
    /// by releases that compute otherwise.
    package var numerics: [Int]

    package init(
        configuration: String, baseDirectory: String, fingerprint: String, created: Double? = nil,
        programVersion: String = Treadle.version, numerics: [Int] = [Treadle.numerics]
    ) {
        self.configuration = configuration
        self.baseDirectory = baseDirectory
        self.fingerprint = fingerprint
        self.created = created
        self.programVersion = programVersion
        self.numerics = numerics
    }

    /// What this version understands of the settings, for those who tell of a file of whatever version; nil where they are
    /// no configuration.
    package var knownSettings: EmbeddedConfiguration? {
        EmbeddedConfiguration(configuration, baseDirectory: baseDirectory)
    }

    /// The settings that the file at `path` was trained by.
    package func settings(at path: String, overrides: [String] = []) throws(TreadleError) -> Configuration {
        try Configuration.parse(
            text: configuration, file: path + ":/treadle/config", baseDirectory: baseDirectory, overrides: overrides)
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
    /// The same of each member, by its own fold; empty without folds.
    package var members: [MemberProgress] = []
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
    /// The epoch whose weights the checkpoint holds, where the run's end has put back those of an earlier one.
    package var restoredEpoch: Int?

    package init() {}
}

/// How one member of a network comes along, by the rows that it does not learn from.
package struct MemberProgress: Equatable, Sendable, Codable {
    /// The watched metric's best value, its epoch, and the epochs since.
    package var best: Double?
    package var epoch: Int?
    package var wait = 0

    package init(best: Double? = nil, epoch: Int? = nil, wait: Int = 0) {
        self.best = best
        self.epoch = epoch
        self.wait = wait
    }
}

/// One finished epoch: its metrics by dotted name (`loss`, `valid.loss`, `valid.accuracy`).
///
/// ```swift
/// for record in summary.history { print(record.epoch, record.metrics["valid.loss"] ?? .nan) }
/// ```
public struct EpochRecord: Equatable, Sendable, Codable {
    /// Which epoch it was, counted from 1.
    public var epoch: Int
    /// Updates since the run began, up to the epoch's end.
    public var step: Int
    /// The learning rate of the last update.
    public var rate: Double
    /// Seconds of training since the run began, over all resumptions.
    public var seconds: Double
    /// What was measured at the epoch's end; the best epoch's record has those of the test set as well once the run is over.
    public var metrics: [String: Double]

    package init(epoch: Int, step: Int, rate: Double, seconds: Double, metrics: [String: Double]) {
        self.epoch = epoch
        self.step = step
        self.rate = rate
        self.seconds = seconds
        self.metrics = metrics
    }
}
