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

    /// What they are added to: the target's value, or the log of the odds of the second class.
    package let what: String
    /// The largest per spread first.
    package let columns: [Column]

    /// Nil unless the model is linear with one quantity or two classes.
    package init?(_ model: TrainedModel) {
        let saved = model.saved
        guard saved.network.layers.count == 1, let layer = model.parameters.first else { return nil }
        let outputs = saved.network.outputs
        let isPair = saved.task == .classification && outputs == 2
        guard isPair || outputs == 1 else { return nil }
        what =
            switch saved.task {
            case .regression: model.loss.link == .exp ? "the log of the value" : "the value"
            case .classification, .multilabel:
                "the log of the odds of " + (saved.classes.map { $0[outputs - 1] } ?? String(outputs - 1))
            }
        let weights = Double.values(of: layer.weight)
        let normalization = saved.normalization
        let unit = normalization.targetFactor.first.map { 1 / $0 } ?? 1
        columns = (0..<saved.network.inputs).map { input in
            let weight = isPair ? weights[input * 2 + 1] - weights[input * 2] : weights[input]
            let factor = normalization.factor.isEmpty ? 1 : normalization.factor[input]
            return Column(
                name: (saved.schema?.inputs.map(\.name) ?? saved.columns).map { $0[input] } ?? "input \(input)",
                perUnit: weight * factor * unit,
                perSpread: weight * unit)
        }.sorted { abs($0.perSpread) > abs($1.perSpread) }
    }
}
