/// Predictions as CSV: a header, then a line a row, in full precision.
package struct PredictionTable: PredictionSink {
    private let task: LearningTask
    private let precision: Precision
    private let classes: [String]?
    private let put: (String) throws -> Void
    private let close: () throws -> Void
    private var hasHeader = false

    /// `put` takes the text piece by piece; `close` is called once after the last.
    package init(
        model: TrainedModel, put: @escaping (String) throws -> Void, close: @escaping () throws -> Void = {}
    ) {
        task = model.checkpoint.task
        precision = model.checkpoint.precision
        classes = model.checkpoint.classes
        self.put = put
        self.close = close
    }

    package mutating func write(_ predictions: Predictions) throws {
        if !hasHeader { try put(header(predictions.width)) }
        hasHeader = true
        var text = ""
        for row in 0..<predictions.rows.count {
            let values = predictions.values[row * predictions.width..<(row + 1) * predictions.width]
            var fields = values.map(number)
            switch task {
            case .regression: break
            case .multilabel: fields = values.map { $0 >= 0.5 ? "1" : "0" } + fields
            case .classification:
                let best = predictions.bestClass(row)
                fields = [String(best)] + (classes.map { [quoted($0[best])] } ?? []) + fields
            }
            text += fields.joined(separator: ",") + "\n"
        }
        try put(text)
    }

    package mutating func finish() throws { try close() }

    private func header(_ width: Int) -> String {
        let columns = 0..<width
        let names: [String] =
            switch task {
            case .regression: width == 1 ? ["value"] : columns.map { "value_\($0)" }
            case .multilabel: columns.map { "label_\($0)" } + columns.map { "probability_\($0)" }
            case .classification:
                ["class"] + (classes == nil ? [] : ["class_name"])
                    + columns.map { "probability_\(classes?[$0] ?? String($0))" }
            }
        return names.map(quoted).joined(separator: ",") + "\n"
    }

    /// The shortest text that reads back as the same number.
    private func number(_ value: Double) -> String {
        precision == .float32 ? "\(Float(value))" : "\(value)"
    }

    private func quoted(_ text: String) -> String {
        guard text.contains(where: { ",\"\r\n".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
