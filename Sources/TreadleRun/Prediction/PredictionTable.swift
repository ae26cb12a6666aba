internal import HDF5
package import TreadleBase
internal import TreadleModel

/// Predictions as CSV: a header, then a line a row, in full precision.
package struct PredictionTable: PredictionSink {
    private let task: LearningTask
    private let number: NumberType
    private let classes: [String]?
    /// What stands before the probabilities of each class: its number and its name.
    private let classFields: [String]
    private let workers: Workers
    private let put: (String) throws -> Void
    private let close: () throws -> Void
    private var hasHeader = false

    /// `put` takes the text piece by piece; `close` is called once after the last.
    package init(
        model: TrainedModel, workers: Workers, put: @escaping (String) throws -> Void,
        close: @escaping () throws -> Void = {}
    ) {
        task = model.saved.task
        number = model.saved.precision.number
        classes = model.saved.classes
        classFields = (0..<model.saved.network.outputs).map { [classes] number in
            String(number) + (classes.map { "," + Self.quoted($0[number]) } ?? "")
        }
        self.workers = workers
        self.put = put
        self.close = close
    }

    /// Rows whose text one worker makes at a time: numbers take longer to write than to compute.
    private static let pieceRows = 512

    package mutating func write(_ predictions: Predictions) throws {
        if !hasHeader { try put(header(predictions.width, hasSpread: !predictions.spread.isEmpty)) }
        hasHeader = true
        let rows = predictions.rows.count
        let pieces = workers.map((rows + Self.pieceRows - 1) / Self.pieceRows) { piece, _ in
            let first = piece * Self.pieceRows
            return text(predictions, first..<min(first + Self.pieceRows, rows))
        }
        for piece in pieces { try put(piece) }
    }

    private func text(_ predictions: Predictions, _ rows: Range<Int>) -> String {
        var text = ""
        text.reserveCapacity(rows.count * (predictions.width + 1) * 16)
        for row in rows {
            let values = predictions.values[row * predictions.width..<(row + 1) * predictions.width]
            switch task {
            case .regression: break
            case .multilabel: for value in values { text += value >= 0.5 ? "1," : "0," }
            case .classification: text += classFields[predictions.bestClass(row)] + ","
            }
            let spread = predictions.spread.isEmpty ? [] : predictions.spread[values.indices]
            for (column, value) in (values + spread).enumerated() {
                if column > 0 { text += "," }
                // The shortest text that reads back as the same number.
                text += number == .float32 ? "\(Float(value))" : "\(value)"
            }
            text += "\n"
        }
        return text
    }

    package mutating func finish() throws { try close() }

    private func header(_ width: Int, hasSpread: Bool) -> String {
        let columns = 0..<width
        let names: [String] =
            switch task {
            case .regression: width == 1 ? ["value"] : columns.map { "value_\($0)" }
            case .multilabel: columns.map { "label_\($0)" } + columns.map { "probability_\($0)" }
            case .classification:
                ["class"] + (classes == nil ? [] : ["class_name"])
                    + columns.map { "probability_\(classes?[$0] ?? String($0))" }
            }
        let spreads: [String] =
            switch task {
            case .regression: width == 1 ? ["spread"] : columns.map { "spread_\($0)" }
            case .multilabel: columns.map { "spread_\($0)" }
            case .classification: columns.map { "spread_\(classes?[$0] ?? String($0))" }
            }
        return (names + (hasSpread ? spreads : [])).map(Self.quoted).joined(separator: ",") + "\n"
    }

    /// A name as a field: a model's classes may be anything, and must not act on a terminal.
    private static func quoted(_ text: String) -> String {
        let text = text.printable
        guard text.contains(where: { ",\"\r\n".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}

/// A text file that takes its place when it is finished, or not at all.
package final class TextFile {
    private var file: DurableFile?

    package init(_ path: String, replacing: Bool) throws {
        file = try DurableFile(creating: path, replacing: replacing)
    }

    package func write(_ text: String) throws { try file?.write(Array(text.utf8)) }

    package func finish() throws {
        try file?.commit()
        file = nil
    }
}
