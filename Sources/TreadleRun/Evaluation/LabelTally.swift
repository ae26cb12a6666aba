internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

/// What a multilabel task's metrics need of rows. A label is given where its probability is ½ or more.
struct LabelTally {
    private let outputs: Int
    /// The weight of all rows, and of those whose labels are all right; their log loss; then, by label, the weight of the
    /// rows that have it, of those given it, and of those rightly so.
    let sums: [Double]

    /// From the numbers that `sums` was, on their way back from other batches and ranks.
    init(_ sums: ArraySlice<Double>, outputs: Int) {
        self.outputs = outputs
        self.sums = Array(sums)
    }

    private var weight: Double { sums[0] }
    private var allRight: Double { sums[1] }
    private var logLoss: Double { sums[2] }
    private func actual(_ label: Int) -> Double { sums[3 + label] }
    private func given(_ label: Int) -> Double { sums[3 + outputs + label] }
    private func right(_ label: Int) -> Double { sums[3 + 2 * outputs + label] }

    /// Of a block of rows. `areas`, where there is one, gets every row's scores.
    init<S: Scalar>(_ block: PredictedRows<S>, outputs: Int, areas: inout AreaTally?, workers: Workers) {
        guard case .values(let targets) = unsafe block.targets else {
            preconditionFailure("labels are values, one for each output")
        }
        self.outputs = outputs
        sums = unsafe block.sums(width: 3 + 3 * outputs, workers: workers) { row, sums in
            let weight = unsafe block.weight(row)
            var isRight = true
            var surprises = [Double](repeating: 0, count: outputs)
            for k in 0..<outputs {
                let probability = unsafe block.prediction(row, k)
                let (has, gets) = unsafe (targets[row * outputs + k] > 0.5, probability >= 0.5)
                if has != gets { isRight = false }
                surprises[k] = ClassTally.clipped(has ? probability : 1 - probability, S.self)
                unsafe sums[3 + k] += has ? weight : 0
                unsafe sums[3 + outputs + k] += gets ? weight : 0
                unsafe sums[3 + 2 * outputs + k] += has && gets ? weight : 0
            }
            ElementaryFunction.log.apply(to: &surprises)
            unsafe sums[0] += weight
            unsafe sums[1] += isRight ? weight : 0
            unsafe sums[2] -= weight * surprises.reduce(0, +) / Double(outputs)
        }
        guard areas != nil else { return }
        for row in 0..<(unsafe block.rows) {
            unsafe areas?.add(weight: block.weight(row)) { column in
                unsafe (block.prediction(row, column), targets[row * outputs + column] > 0.5)
            }
        }
    }

    func value(of metric: MetricName, areas: AreaTally?, workers: Workers) -> Double {
        switch metric {
        case .accuracy:
            return allRight / weight
        case .logLoss:
            return logLoss / weight
        case .macroF1:
            let scores = (0..<outputs).map { label in
                let both = actual(label) + given(label)
                return both > 0 ? 2 * right(label) / both : 0
            }
            return scores.reduce(0, +) / Double(outputs)
        case .auc:
            return areas?.meanArea(columns: 0..<outputs, workers: workers) ?? .nan
        case .confusion, .rmse, .mae, .r2:
            return .nan
        }
    }
}
