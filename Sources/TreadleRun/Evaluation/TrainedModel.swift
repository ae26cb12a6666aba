internal import Foundation
internal import HDF5
package import TreadleBase
package import TreadleConfiguration
package import TreadleData
package import TreadleModel

/// A checkpoint ready to answer: with the configuration it was trained by, and its loss.
package struct TrainedModel: Sendable {
    package let path: String
    package let saved: SavedModel
    /// The weights that answers are computed by: the saved ones, calibrated.
    package let parameters: [LayerParameters]
    package let origin: FileOrigin
    package let configuration: Configuration
    package let loss: LossFunction

    /// `overrides` replace settings of its configuration.
    package init(_ saved: SavedModel, from origin: FileOrigin, path: String, overrides: [String] = []) throws {
        self.path = path
        self.saved = saved
        parameters = saved.calibrated
        self.origin = origin
        var loss: LossFunction
        let own: Configuration
        do {
            own = try origin.settings(at: path)
            loss = try LossFunction(own.loss, task: saved.task, outputs: saved.network.outputs)
        } catch {
            // Nobody wrote this configuration by hand: it is the file that is bad.
            throw TreadleError(.badData, messages: error.messages)
        }
        self.configuration = overrides.isEmpty ? own : try origin.settings(at: path, overrides: overrides)
        guard self.configuration.task == saved.task, loss.type == saved.loss else {
            throw TreadleError(
                .badData,
                "\(path): its configuration is for \(self.configuration.task.rawValue) by \(loss.type.rawValue), its weights for "
                    + "\(saved.task.rawValue) by \(saved.loss.rawValue); use another checkpoint or a copy")
        }
        loss.classWeights = saved.classWeights ?? loss.classWeights
        self.loss = loss
    }

    package init(_ file: CheckpointFile, overrides: [String] = []) throws {
        try self.init(file.model(), from: file.head.origin, path: file.path, overrides: overrides)
    }

    /// Reads a file of unknown origin.
    package static func read(_ path: String, overrides: [String] = [], helper: GuardedHelper) throws -> TrainedModel {
        try TrainedModel(CheckpointFile(path, helper: helper), overrides: overrides)
    }

    /// The rows to measure the model on: `files`, or the test set of its configuration, or the validation set.
    ///
    /// The files may hold x and y under the paths of the training data. Their columns are matched with those of this model, or
    /// of another one that the same rows shall be given to.
    package func rows(
        of files: [String], like other: TrainedModel? = nil, workers: Workers, stop: Stop = Stop(),
        note: @escaping @Sendable (LogLevel, String) -> Void
    ) throws -> (name: String, rows: RowSet) {
        let columns = (other ?? self).columns
        let data = configuration.data
        let source: (name: String, source: DataSource, directory: String)
        if !files.isEmpty {
            var given = data.train
            given.files = files
            given.rows = nil
            source = ("data", given, FileManager.default.currentDirectoryPath)
        } else if case .source(let test) = data.test {
            source = ("test", test, configuration.baseDirectory)
        } else if data.test != nil {
            let all = try TrainingData(
                configuration, workers: workers, cacheDirectory: nil, like: columns, stop: stop, note: note)
            guard let test = all.test else { throw nothingToMeasure }
            return ("test", test)
        } else if case .source(let valid) = data.valid {
            source = ("valid", valid, configuration.baseDirectory)
        } else if data.valid != nil {
            let all = try TrainingData(
                configuration, workers: workers, cacheDirectory: nil, like: columns, stop: stop, note: note)
            guard let valid = all.valid else { throw nothingToMeasure }
            return ("valid", valid)
        } else {
            throw nothingToMeasure
        }
        var settings = DatasetSettings(
            data, baseDirectory: source.directory, workers: workers, stop: stop,
            note: note)
        settings.readsOnce = true
        settings.tables.float64 = saved.precision.number == .float64
        let dataset = try Dataset.open(
            source.source, settings,
            targets: .match(saved.task, outputs: saved.network.outputs, classes: saved.classes), like: columns)
        return (source.name, try dataset.usableRows(workers))
    }

    /// Whether `other` may have learnt from rows that this model's training has put aside, which `rows` gives where no files
    /// are named.
    package func mayHaveTaught(_ other: TrainedModel) -> Bool {
        let (own, others) = (configuration, other.configuration)
        switch (own.data.test, own.data.valid) {
        // Files of their own teach nobody.
        case (.source, _), (nil, .source): return false
        case (.after, _): return own.data.test != others.data.test
        case (.fraction, _): return own.data.test != others.data.test || own.seed != others.seed
        case (nil, _):
            return others.data.test != nil || own.putsAsideOtherRows(than: others)
        }
    }

    private var nothingToMeasure: TreadleError {
        TreadleError(
            .usage, "\(path): its configuration has neither data.test nor data.valid; name a dataset with --data")
    }

    /// What data are matched with.
    var columns: KnownColumns { KnownColumns(saved.description.inputColumns, owner: "the model \(path)") }

    /// What a run that is repeated reads its tables of text by, which may have grown since; nil where its data are no such tables.
    func columnsOfTables(in configuration: Configuration) throws -> KnownColumns? {
        try saved.schema != nil && TrainingData.areTables(configuration) ? columns : nil
    }

    /// Loss and all metrics that fit the task, on `rows`.
    package func evaluate(_ rows: RowSet, metrics: [MetricName]? = nil, workers: Workers, stop: Stop = Stop()) throws
        -> Evaluation
    {
        switch saved.precision.number {
        case .float32: try evaluate(rows, as: Float.self, metrics, workers, stop)
        case .float64: try evaluate(rows, as: Double.self, metrics, workers, stop)
        }
    }

    /// What the model says of each of the rows, in memory that grows with them.
    package func score(_ rows: RowSet, workers: Workers, stop: Stop = Stop()) throws -> ScoredRows {
        switch saved.precision.number {
        case .float32: try score(rows, as: Float.self, workers, stop)
        case .float64: try score(rows, as: Double.self, workers, stop)
        }
    }

    private func score<S: Scalar>(_ rows: RowSet, as: S.Type, _ workers: Workers, _ stop: Stop) throws -> ScoredRows {
        try evaluator(S.self, [], workers).score(
            rows, parameters: parameters, normalization: saved.normalization, stop: stop)
    }

    private func evaluate<S: Scalar>(
        _ rows: RowSet, as: S.Type, _ metrics: [MetricName]?, _ workers: Workers, _ stop: Stop
    ) throws -> Evaluation {
        let evaluator = evaluator(S.self, metrics ?? saved.task.metrics, workers)
        if let folds = rows.folds {
            return try evaluator.evaluate(
                rows, outOf: folds, parameters: parameters, normalization: saved.normalization, stop: stop
            ).all
        }
        return try evaluator.evaluate(rows, parameters: parameters, normalization: saved.normalization, stop: stop)
    }

    private func evaluator<S: Scalar>(_: S.Type, _ metrics: [MetricName], _ workers: Workers) -> Evaluator<S> {
        Evaluator(network: saved.network, loss: loss, task: saved.task, metrics: metrics, workers: workers)
    }
}
