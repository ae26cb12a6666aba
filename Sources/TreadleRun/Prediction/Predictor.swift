internal import CDecode
internal import HDF5
package import TreadleBase
internal import TreadleConfiguration
package import TreadleData
internal import TreadleEngine
internal import TreadleModel

/// Takes rows through a trained model, some at a time: memory stays small however many there are.
package struct Predictor {
    private let model: TrainedModel
    private let workers: Workers
    private let stop: Stop
    private let wantsSpread: Bool

    /// With `spread`, predictions say how far the model's members disagree. Throws where it has one member only.
    package init(_ model: TrainedModel, workers: Workers, spread: Bool = false, stop: Stop = Stop()) throws {
        guard !spread || model.saved.network.members > 1 else {
            throw TreadleError(
                .usage,
                "\(model.path) is one network, which cannot disagree with others; train with model.members, or predict "
                    + "without --spread")
        }
        self.model = model
        self.workers = workers
        self.stop = stop
        wantsSpread = spread
    }

    /// Rows in a block: enough to keep every core busy.
    private static let blockRows = 4096

    /// The rows of an HDF5 dataset, where x lies under the path of the training data unless `x` names another.
    package func predict(
        files: [String], x: String?, directory: String, note: @escaping @Sendable (LogLevel, String) -> Void,
        to makeSink: (_ rows: Int) throws -> any PredictionSink
    ) throws -> Int {
        var source = model.configuration.data.train
        source.files = files
        source.x = x ?? source.x
        source.weight = nil
        source.rows = nil
        var settings = DatasetSettings(
            model.configuration.data, baseDirectory: directory, workers: workers,
            stop: stop, note: note)
        settings.readsOnce = true
        settings.tables.float64 = model.saved.precision.number == .float64
        // Every row of the input has its row in the output: none is dropped.
        if settings.nonFinite == .dropRow { settings.nonFinite = .error }
        let dataset = try Dataset.open(source, settings, targets: .none, like: model.columns)
        let rows = RowSet(dataset)
        var sink = try makeSink(rows.count)
        switch model.saved.precision.number {
        case .float32: try predict(rows, as: Float.self, to: &sink)
        case .float64: try predict(rows, as: Double.self, to: &sink)
        }
        try sink.finish()
        return rows.count
    }

    private func predict<S: Scalar>(_ rows: RowSet, as: S.Type, to sink: inout any PredictionSink) throws {
        let forward = forwardPass(S.self)
        let loader = try BatchLoader<S>(
            rows, normalization: model.saved.normalization, order: .sequential, batchSize: Self.blockRows,
            workers: workers)
        var row = 0
        while let batch = try unsafe loader.next() {
            try sink.write(unsafe predictions(forward.run(batch), of: forward, rows: row..<row + batch.rows))
            row += unsafe batch.rows
            try stop.check()
        }
        try loader.confirmFiles()
    }

    /// The rows of a CSV, TSV, NPY or IDX file; columns are found by name where both sides have names.
    package func predict(
        table path: String, options: TableOptions, to makeSink: (_ rows: Int) throws -> any PredictionSink
    ) throws -> Int {
        switch model.saved.precision.number {
        case .float32: try predict(table: path, options, as: Float.self, to: makeSink)
        case .float64: try predict(table: path, options, as: Double.self, to: makeSink)
        }
    }

    private func predict<S: ParsedNumber>(
        table path: String, _ options: TableOptions, as: S.Type, to makeSink: (_ rows: Int) throws -> any PredictionSink
    ) throws -> Int {
        let inputs = model.saved.network.inputs
        func open() throws -> InputRows<S> {
            try InputRows(path, inputs: inputs, columns: model.saved.columns, options: options)
        }
        var values: [S] = []
        // The output's arrays have their sizes before the first row is written.
        var total = 0
        let counted = try open()
        while case let rows = try counted.next(&values), rows > 0 {
            total += rows
            try stop.check()
        }
        guard total > 0 else { throw TreadleError(.badData, "\(path) has no rows to predict from") }

        var sink = try makeSink(total)
        let forward = forwardPass(S.self)
        let input = try open()
        var block = InputBlock<S>(capacity: Self.blockRows, model: model, path: path)
        var row = 0
        while case let count = try input.next(&values), count > 0 {
            for first in stride(from: 0, to: count, by: Self.blockRows) {
                let rows = min(Self.blockRows, count - first)
                try block.take(values, first: first, count: rows, number: row)
                let output = unsafe block.withBatch { unsafe forward.run($0) }
                try sink.write(unsafe predictions(output, of: forward, rows: row..<row + rows))
                row += rows
            }
            try stop.check()
        }
        guard row == total else {
            throw TreadleError(.badData, "\(path) changed while it was read; predict from a file that stays as it is")
        }
        try sink.finish()
        return total
    }

    private func forwardPass<S: Scalar>(_: S.Type) -> EnsemblePass<S> {
        EnsemblePass(
            network: model.saved.network, parameters: model.parameters, loss: model.loss,
            maxRows: Self.blockRows, workers: workers)
    }

    /// The outputs in the target's own units.
    private func predictions<S: Scalar>(
        _ outputs: UnsafePointer<S>, of forward: EnsemblePass<S>, rows: Range<Int>
    ) -> Predictions {
        let width = model.saved.network.outputs
        let normalization = model.saved.normalization
        var values = unsafe UnsafeBufferPointer(start: outputs, count: rows.count * width).map { Double($0) }
        for index in values.indices { values[index] = normalization.value(of: values[index], column: index % width) }
        guard wantsSpread else { return Predictions(rows: rows, width: width, values: values) }
        let unit = normalization.targetFactor
        let spread = values.indices.map { forward.spread($0) / (unit.isEmpty ? 1 : abs(unit[$0 % width])) }
        return Predictions(rows: rows, width: width, values: values, spread: spread)
    }
}
