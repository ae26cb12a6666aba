internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// Predictions as an HDF5 file: `/probabilities`, `/class` and `/class_name` for classes, `/probabilities` and `/label`
/// for labels, `/value` for quantities; `/spread` beside them where it is asked for.
package struct PredictionFile: PredictionSink {
    private let file: DatasetWriter
    private let task: LearningTask
    private let number: NumberType
    /// Where the members' disagreement goes, among the datasets.
    private let spread: Int?
    /// The classes' names, padded to one size.
    private let names: [[UInt8]]?

    /// A file for `rows` rows, which appears under its name when it is whole.
    package init(_ path: String, model: TrainedModel, rows: Int, spread: Bool = false, replacing: Bool) throws {
        let checkpoint = model.saved
        let width = checkpoint.network.outputs
        task = checkpoint.task
        number = checkpoint.precision.number
        let element: OutputElement = number == .float32 ? .float32 : .float64
        var plans: [DatasetWriter.Plan]
        var padded: [[UInt8]]?
        switch task {
        case .regression:
            plans = [.init(name: "value", shape: width == 1 ? [rows] : [rows, width], type: element)]
        case .multilabel:
            plans = [
                .init(name: "probabilities", shape: [rows, width], type: element),
                .init(name: "label", shape: [rows, width], type: .uint8),
            ]
        case .classification:
            plans = [
                .init(name: "probabilities", shape: [rows, width], type: element),
                .init(name: "class", shape: [rows], type: .int32),
            ]
            if let classes = checkpoint.classes {
                let size = max(1, classes.map(\.utf8.count).max() ?? 1)
                padded = classes.map { $0.utf8 + [UInt8](repeating: 0, count: size - $0.utf8.count) }
                plans.append(.init(name: "class_name", shape: [rows], type: .text(size)))
            }
        }
        names = padded
        self.spread = spread ? plans.count : nil
        if spread {
            let isSingle = task == .regression && width == 1
            plans.append(.init(name: "spread", shape: isSingle ? [rows] : [rows, width], type: element))
        }
        file = try DatasetWriter(
            path, replacing: replacing, compress: false, plans,
            texts: checkpoint.classes.map { [("classes", $0)] } ?? [],
            attributes: [
                ("model", model.path), ("digest", checkpoint.parameters.digest), ("program_version", Treadle.version),
            ])
    }

    package mutating func write(_ predictions: Predictions) throws {
        let rows = predictions.rows
        try write(predictions.values, rows: rows, of: 0)
        if let spread { try write(predictions.spread, rows: rows, of: spread) }
        switch task {
        case .regression: break
        case .multilabel:
            let labels = predictions.values.map { UInt8($0 >= 0.5 ? 1 : 0) }
            try file.write(labels, count: labels.count, rows: rows, of: 1)
        case .classification:
            let classes = (0..<rows.count).map { Int32(predictions.bestClass($0)) }
            try file.write(classes, count: classes.count, rows: rows, of: 1)
            if let names {
                let text = classes.flatMap { names[Int($0)] }
                try file.write(text, count: text.count, rows: rows, of: 2)
            }
        }
    }

    private func write(_ values: [Double], rows: Range<Int>, of dataset: Int) throws {
        switch number {
        case .float32: try file.write(values.map { Float($0) }, count: values.count, rows: rows, of: dataset)
        case .float64: try file.write(values, count: values.count, rows: rows, of: dataset)
        }
    }

    package mutating func finish() throws { try file.finish() }
}
