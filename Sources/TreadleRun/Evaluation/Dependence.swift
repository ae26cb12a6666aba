package import TreadleBase
package import TreadleData
internal import TreadleModel

/// What a model says on average when one column has the same value in all rows: partial dependence.
package struct Dependence: Equatable, Sendable {
    package struct Point: Equatable, Sendable {
        /// Of a number, in its own unit.
        package var value: Double
        /// Of a category or a flag.
        package var word: String?
        /// The mean of each output: probabilities, or quantities in the target's own units.
        package var means: [Double]
    }

    package let name: String
    package let points: [Point]

    /// Of the columns that `groups` stand for, those that are one number, or one value of a few words.
    ///
    /// Of more than `most` rows it takes every second, third, …
    package static func all(
        of model: TrainedModel, on rows: RowSet, groups: [Importance.Group], most: Int, workers: Workers,
        stop: Stop = Stop()
    ) throws -> [Dependence] {
        switch model.saved.precision.number {
        case .float32:
            try all(CachedRows<Float>(model, rows, most: most, workers, stop), model, groups, stop)
        case .float64:
            try all(CachedRows<Double>(model, rows, most: most, workers, stop), model, groups, stop)
        }
    }

    private static func all<S: Scalar>(
        _ rows: CachedRows<S>, _ model: TrainedModel, _ groups: [Importance.Group], _ stop: Stop
    ) throws -> [Dependence] {
        try groups.compactMap { group in
            try stop.check()
            guard let choices = choices(rows, model.saved, group) else { return nil }
            let means = rows.means(settingInputs: group.columns, to: choices.map { $0.inputs })
            let points = zip(choices, means).map { choice, means in
                Point(
                    value: choice.value, word: choice.word,
                    means: model.saved.task == .regression
                        ? means.enumerated().map { model.saved.normalization.value(of: $1, column: $0) } : means)
            }
            return points.count > 1 ? Dependence(name: group.name, points: points) : nil
        }
    }

    private typealias Choice<S> = (value: Double, word: String?, inputs: [S])

    /// What the inputs of a group can be; nil for what is neither a number nor a few words, such as a date.
    private static func choices<S: Scalar>(
        _ rows: CachedRows<S>, _ model: SavedModel, _ group: Importance.Group
    ) -> [Choice<S>]? {
        let column = model.schema?.columns.first { $0.name == group.name }
        switch column?.kind {
        case .date: return nil
        case .category(let values, let hasOther, let hasMissing):
            let words = values + (hasOther ? ["(other)"] : []) + (hasMissing ? ["(missing)"] : [])
            guard words.count == group.columns.count, words.count <= 12 else { return nil }
            return words.indices.map { place in
                (Double(place), words[place], words.indices.map { $0 == place ? 1 : 0 })
            }
        case .flag(let no, let yes): return [(0, no, [0]), (1, yes, [1])]
        case .number, nil:
            // Inputs beside the number say that it is missing.
            guard let input = group.columns.first, column != nil || group.columns.count == 1 else { return nil }
            let rest = [S](repeating: 0, count: group.columns.count - 1)
            return rows.quantiles(of: input, most: 20).map { value in
                (model.normalization.origin(of: Double(value), input: input), nil, [value] + rest)
            }
        }
    }
}

extension Normalization {
    /// What became this input of a network, in its own unit.
    fileprivate func origin(of value: Double, input: Int) -> Double {
        var value = value
        if !clip.isEmpty, clip[input] > 0 {
            let share = value / clip[input]
            value = share * share < 1 ? value / (1 - share * share).squareRoot() : value
        }
        guard !factor.isEmpty else { return value }
        return factor[input] == 0 ? shift[input] : value / factor[input] + shift[input]
    }
}
