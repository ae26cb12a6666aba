internal import Foundation
internal import TreadleBase
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel
internal import TreadleRun

/// A trained model in memory, ready to answer from any number of threads at once.
///
/// It reads a checkpoint once and keeps no file open: replacing the file, as `treadle retrain` does, changes nothing for a
/// model that is loaded. Copies share their memory.
///
/// ```swift
/// let model = try Model(contentsOf: "models/churn.h5")
/// let predictions = try model.predict([0.5, 1.25, 3] as [Float])
/// print(predictions.values)
/// ```
public struct Model: Sendable {
    private let model: TrainedModel
    private let predictor: RowPredictor
    /// All cores that this process may use.
    private let cores: Int

    /// Loads a checkpoint after its digest and its structure have been found right.
    ///
    /// The file is read in this process: load only what your own runs have written. The digest finds damage, not malice.
    ///
    /// ```swift
    /// let model = try Model(contentsOf: "runs/churn/final.h5")
    /// ```
    public init(contentsOf path: String) throws(TreadleError) {
        let model = try asTreadleError { try TrainedModel(CheckpointFile(path)) }
        let checkpoint = model.saved
        self.model = model
        digest = checkpoint.parameters.digest
        predictor = RowPredictor(
            network: checkpoint.network, parameters: model.parameters, loss: model.loss,
            normalization: checkpoint.normalization)
        cores = Cores.available
    }

    /// What it was trained for.
    public var task: LearningTask { model.saved.task }
    /// How many numbers a row has.
    public var inputs: Int { model.saved.network.inputs }
    /// How many numbers it says of each row.
    public var outputs: Int { model.saved.network.outputs }
    /// The names of the inputs in their order, where the training data had them.
    public var columns: [String]? { model.saved.columns }
    /// The names of the classes or labels in the order of the outputs, where the training data had them.
    public var classes: [String]? { model.saved.classes }
    /// The SHA-256 over all parameters: equal digests mean equal weights.
    public let digest: String

    /// Predicts rows of Float numbers, one row after another, each with as many numbers as the model has inputs.
    ///
    /// They are normalized as the training data was. No rows give no predictions. Numbers that are not finite throw, unless
    /// the model was trained to put a mean in their place. A few rows are computed on the calling thread; more are shared
    /// among all cores, or among `threads`. Nothing is allocated but the result, and the bits do not depend on threads or
    /// on which rows come together.
    ///
    /// ```swift
    /// let one = try model.predict([5.1, 3.5, 1.4, 0.2] as [Float])
    /// let many = try model.predict(table, threads: 4)
    /// ```
    public func predict(_ rows: [Float], threads: Int? = nil) throws(TreadleError) -> Predictions {
        try predict(rows, .float, threads)
    }

    /// Predicts rows of Double numbers; see ``predict(_:threads:)-([Float],_)``.
    ///
    /// ```swift
    /// let predictions = try model.predict([5.1, 3.5, 1.4, 0.2] as [Double])
    /// ```
    public func predict(_ rows: [Double], threads: Int? = nil) throws(TreadleError) -> Predictions {
        try predict(rows, .double, threads)
    }

    private func predict<Number>(
        _ rows: [Number], _ number: StoredNumber, _ threads: Int?
    ) throws(TreadleError) -> Predictions {
        let (inputs, width) = (inputs, outputs)
        let (count, rest) = rows.count.quotientAndRemainder(dividingBy: inputs)
        guard rest == 0 else {
            throw TreadleError(
                .usage,
                "\(rows.count) numbers are no whole rows: the model \(model.path) takes \(inputs) a row; give a multiple"
            )
        }
        if let threads, threads < 1 {
            throw TreadleError(
                .usage, "predict cannot work on \(threads) threads; give 1 or more, or nil for all cores")
        }
        var classes: [Int]?
        var failed: Int?
        let values = unsafe [Float](unsafeUninitializedCapacity: count * width) { values, initialized in
            func run(_ indices: UnsafeMutablePointer<Int>?) {
                guard count > 0, let target = values.baseAddress else { return }
                unsafe rows.withUnsafeBytes { bytes in
                    guard let source = bytes.baseAddress else { return }
                    failed = unsafe predictor.predict(
                        source, number, count: count, into: target, classes: indices,
                        workers: Workers(count: threads ?? cores))
                }
            }
            if task == .classification {
                classes = unsafe [Int](unsafeUninitializedCapacity: count) { indices, initialized in
                    unsafe run(indices.baseAddress)
                    initialized = failed == nil ? count : 0
                }
            } else {
                run(nil)
            }
            initialized = failed == nil ? count * width : 0
        }
        if let failed {
            throw TreadleError(
                .badData,
                "row \(failed), counted from 0, has a number that is not finite or too large, and the model \(model.path) has "
                    + "nothing to put in its place; clean the row, or train with data.non_finite set to \"impute_mean\""
            )
        }
        return Predictions(rows: count, width: width, values: values, classIndices: classes)
    }

    /// Measures loss and all metrics of the task on files that are one dataset: HDF5 or tables, with targets.
    ///
    /// Relative paths start at the current directory.
    ///
    /// ```swift
    /// let evaluation = try model.evaluate(files: ["data/test.h5"])
    /// print(evaluation.loss, evaluation.metrics["accuracy"] ?? 0)
    /// ```
    public func evaluate(files: [String]) throws(TreadleError) -> Evaluation {
        guard !files.isEmpty else {
            throw TreadleError(.usage, "evaluate was given no files; name those of the dataset to measure on")
        }
        let workers = Workers(count: cores)
        return try asTreadleError {
            try model.evaluate(model.rows(of: files, workers: workers) { _, _ in }.rows, workers: workers)
        }
    }
}

/// What a model says about some rows.
///
/// ```swift
/// let predictions = try model.predict([5.1, 3.5, 1.4, 0.2] as [Float])
/// if let best = predictions.classIndices?[0], let names = model.classes {
///     print(names[best], predictions[0][best])
/// }
/// ```
public struct Predictions: Sendable {
    /// How many rows.
    public var rows: Int
    /// Values of a row: classes, labels or target columns.
    public var width: Int
    /// rows × width, row-major: probabilities, or values in the target's own units.
    public var values: [Float]
    /// Of classifications, each row's class of the greatest probability; of equals, the first.
    public var classIndices: [Int]?

    /// The values of one row, which must be below `rows`.
    ///
    /// ```swift
    /// let probabilities = Array(predictions[0])
    /// ```
    public subscript(row: Int) -> ArraySlice<Float> { values[row * width..<(row + 1) * width] }
}
