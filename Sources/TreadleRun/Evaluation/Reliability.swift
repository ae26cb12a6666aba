internal import TreadleModel

/// Whether probabilities can be believed: of the rows said to be so with about 70 %, about 70 % should be.
///
/// Of two classes the second's probability counts, of several the greatest one, of labels every one.
package struct Reliability: Equatable, Sendable {
    package static let bins = 10

    /// The rows whose probability lies above `low` and up to `high`.
    package struct Bin: Equatable, Sendable {
        package var low: Double
        package var high: Double
        package var weight = 0.0
        /// The mean probability, and the share that is so.
        package var predicted = 0.0
        package var observed = 0.0
    }

    /// Those that have rows, in rising order.
    package let bins: [Bin]
    /// The mean distance between probability and share over the bins, by their weights.
    package let error: Double

    /// Nil for a regression.
    package init?(_ rows: ScoredRows) {
        guard rows.task != .regression else { return nil }
        let number = Reliability.bins
        var bins = (0..<number).map {
            Bin(low: Double($0) / Double(number), high: Double($0 + 1) / Double(number))
        }
        func add(_ probability: Double, _ isSo: Bool, _ weight: Double) {
            guard probability.isFinite else { return }
            let bin = bins.firstIndex { probability <= $0.high } ?? number - 1
            bins[bin].weight += weight
            bins[bin].predicted += weight * probability
            if isSo { bins[bin].observed += weight }
        }
        for row in 0..<rows.count {
            func score(_ column: Int) {
                add(rows.predictions[row * rows.outputs + column], rows.belongs(row, to: column), rows.weights[row])
            }
            switch rows.task {
            case .multilabel: for column in 0..<rows.outputs { score(column) }
            case .classification: score(rows.outputs == 2 ? 1 : rows.answer(row))
            case .regression: break
            }
        }
        self.bins = bins.filter { $0.weight > 0 }.map { bin in
            var bin = bin
            bin.predicted /= bin.weight
            bin.observed /= bin.weight
            return bin
        }
        let total = self.bins.reduce(0) { $0 + $1.weight }
        error = self.bins.reduce(0) { $0 + $1.weight * abs($1.predicted - $1.observed) } / total
    }
}

/// How a regression's errors are spread, of one target column in its own units.
package struct ErrorSpread: Equatable, Sendable {
    package static let shares = [0.05, 0.25, 0.5, 0.75, 0.95]

    /// The mean error, prediction minus target.
    package let bias: Double
    /// At `shares`: as many of the rows, by their weights, err by less.
    package let quantiles: [Double]

    /// Nil unless the rows are a regression's.
    package init?(_ rows: ScoredRows, column: Int) {
        guard rows.task == .regression, rows.count > 0 else { return nil }
        let errors = (0..<rows.count).map {
            rows.predictions[$0 * rows.outputs + column] - rows.targets[$0 * rows.outputs + column]
        }
        let order = errors.indices.sorted { (errors[$0], $0) < (errors[$1], $1) }
        let total = rows.weights.reduce(0, +)
        bias = errors.indices.reduce(0) { $0 + rows.weights[$1] * errors[$1] } / total
        quantiles = ErrorSpread.shares.map { share in
            // Where all rows count the same: between the two neighbours, as NumPy does.
            if Set(rows.weights).count == 1 { return Quantile.of(order.map { errors[$0] }, share) }
            var below = 0.0
            for row in order {
                below += rows.weights[row]
                if below >= share * total { return errors[row] }
            }
            return errors[order[order.count - 1]]
        }
    }
}

/// Quantiles as NumPy's default has them: linear between the two nearest.
enum Quantile {
    static func of(_ sorted: [Double], _ share: Double) -> Double {
        guard let last = sorted.last else { return .nan }
        let place = share * Double(sorted.count - 1)
        let index = Int(place)
        guard index + 1 < sorted.count else { return last }
        return sorted[index] + (sorted[index + 1] - sorted[index]) * (place - Double(index))
    }
}
