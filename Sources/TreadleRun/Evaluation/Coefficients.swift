internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// What a linear model adds to its answer for a unit of each input, in the units of data and target.
package struct Coefficients: Equatable, Sendable {
    package struct Column: Equatable, Sendable {
        package var name: String
        /// For one more unit of the input.
        package var perUnit: Double
        /// For one more standard deviation, or whatever the input was normalized by.
        package var perSpread: Double
    }

    /// What they are added to: the target's value, the log of the odds of the second of two classes, or what a class of
    /// several has ahead of all classes' mean.
    package let what: String
    /// The class, label or target column, where there are several.
    package let output: String?
    /// The largest per spread first.
    package let columns: [Column]

    /// For each quantity that the model answers with, of two classes for the second alone; none unless the model is linear.
    ///
    /// A factor of each input may stand before the only layer. Where inputs are bounded, their slope in the middle is meant.
    package static func all(_ model: TrainedModel) -> [Coefficients] {
        let saved = model.saved
        let kinds = saved.network.layers.map(\.kind)
        guard saved.network.members == 1, kinds == [.dense] || kinds == [.factors, .dense] else { return [] }
        let weights = Double.values(of: model.parameters[kinds.count - 1].weight)
        let scales = kinds.count > 1 ? Double.values(of: model.parameters[0].weight) : nil
        let (inputs, outputs) = (saved.network.inputs, saved.network.outputs)
        let rows = (0..<inputs).map { input in
            weights[input * outputs..<(input + 1) * outputs].map { $0 * (scales?[input] ?? 1) }
        }
        func name(_ output: Int) -> String { saved.classes.map { $0[output] } ?? String(output) }
        switch saved.task {
        case .classification where outputs == 2:
            return [
                Coefficients(
                    saved, rows.map { $0[1] - $0[0] }, "the log of the odds of " + name(1), unit: 1, output: nil)
            ]
        case .classification:
            // What is added to all classes alike changes no probability.
            let means = rows.map { $0.reduce(0, +) / Double(outputs) }
            return (0..<outputs).map { output in
                Coefficients(
                    saved, zip(rows, means).map { $0[output] - $1 },
                    "what \(name(output)) has ahead of the mean of all classes, as a log", unit: 1, output: name(output)
                )
            }
        case .multilabel:
            return (0..<outputs).map { output in
                Coefficients(
                    saved, rows.map { $0[output] }, "the log of the odds of " + name(output), unit: 1,
                    output: outputs > 1 ? name(output) : nil)
            }
        case .regression:
            return (0..<outputs).map { output in
                let factor = saved.normalization.targetFactor
                let value = model.loss.link == .exp ? "the log of the value" : "the value"
                return Coefficients(
                    saved, rows.map { $0[output] }, outputs > 1 ? "\(value) of target \(output)" : value,
                    unit: factor.isEmpty ? 1 : 1 / factor[output], output: outputs > 1 ? String(output) : nil)
            }
        }
    }

    /// `weights` are those of one output, and `unit` is what 1 of it is in the target's units.
    private init(_ saved: SavedModel, _ weights: [Double], _ what: String, unit: Double, output: String?) {
        self.what = what
        self.output = output
        let factors = saved.normalization.factor
        let names = saved.schema?.inputs.map(\.name) ?? saved.columns
        columns = weights.indices.map { input in
            Column(
                name: names.map { $0[input] } ?? "input \(input)",
                perUnit: weights[input] * (factors.isEmpty ? 1 : factors[input]) * unit,
                perSpread: weights[input] * unit)
        }.sorted { abs($0.perSpread) > abs($1.perSpread) }
    }
}
