/// What a multilabel task's metrics need of the rows seen. A label is given where its probability is ½ or more.
struct LabelTally: Sendable {
    let outputs: Int
    private var weight = 0.0
    private var allRight = 0.0
    private var logLoss = 0.0
    /// By label: the weight of the rows that have it, of those given it, and of those rightly so.
    private var actual: [Double]
    private var given: [Double]
    private var right: [Double]
    private var ranking: Ranking?

    init(outputs: Int, ranks: Bool) {
        self.outputs = outputs
        let zeros = [Double](repeating: 0, count: outputs)
        (actual, given, right) = (zeros, zeros, zeros)
        ranking = ranks ? Ranking(columns: outputs) : nil
    }

    mutating func add<S: Scalar>(_ block: PredictedRows<S>, workers: Workers) {
        guard case .values(let targets) = unsafe block.targets else {
            preconditionFailure("labels are values, one for each output")
        }
        let outputs = outputs
        let sums = unsafe block.sums(width: 3 + 3 * outputs, workers: workers) { row, sums in
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
        weight += sums[0]
        allRight += sums[1]
        logLoss += sums[2]
        for k in 0..<outputs {
            actual[k] += sums[3 + k]
            given[k] += sums[3 + outputs + k]
            right[k] += sums[3 + 2 * outputs + k]
        }
        guard ranking != nil else { return }
        for row in 0..<(unsafe block.rows) {
            unsafe ranking?.add(weight: block.weight(row)) { column in
                unsafe (block.prediction(row, column), targets[row * outputs + column] > 0.5)
            }
        }
    }

    func value(of metric: MetricName, workers: Workers) -> Double {
        switch metric {
        case .accuracy:
            return allRight / weight
        case .logLoss:
            return logLoss / weight
        case .macroF1:
            let scores = (0..<outputs).map { actual[$0] + given[$0] > 0 ? 2 * right[$0] / (actual[$0] + given[$0]) : 0 }
            return scores.reduce(0, +) / Double(outputs)
        case .auc:
            return ranking?.meanArea(columns: 0..<outputs, workers: workers) ?? .nan
        case .confusion, .rmse, .mae, .r2:
            return .nan
        }
    }
}
