/// What a regression's metrics need of the rows seen, by target column.
struct ValueTally: Sendable {
    let outputs: Int
    private let factor: [Double]
    private var weight = 0.0
    /// Each column's first target: sums of squares about it lose nothing to a large mean.
    private var origin: [Double] = []
    private var absolute: [Double]
    private var squared: [Double]
    private var targetSum: [Double]
    private var targetSquares: [Double]

    init(outputs: Int, factor: [Double]) {
        self.outputs = outputs
        self.factor = factor
        let zeros = [Double](repeating: 0, count: outputs)
        (absolute, squared, targetSum, targetSquares) = (zeros, zeros, zeros, zeros)
    }

    mutating func add<S: Scalar>(_ block: PredictedRows<S>, workers: Workers) {
        guard case .values(let targets) = unsafe block.targets else {
            preconditionFailure("a regression's targets are values")
        }
        let outputs = outputs
        guard unsafe block.rows > 0 else { return }
        if origin.isEmpty { origin = (0..<outputs).map { unsafe Double(targets[$0]) } }
        let origin = origin
        let sums = unsafe block.sums(width: 1 + 4 * outputs, workers: workers) { row, sums in
            let weight = unsafe block.weight(row)
            unsafe sums[0] += weight
            for k in 0..<outputs {
                let target = unsafe Double(targets[row * outputs + k])
                let error = unsafe block.prediction(row, k) - target
                let offset = target - origin[k]
                unsafe sums[1 + 4 * k] += weight * abs(error)
                unsafe sums[2 + 4 * k] += weight * error * error
                unsafe sums[3 + 4 * k] += weight * offset
                unsafe sums[4 + 4 * k] += weight * offset * offset
            }
        }
        weight += sums[0]
        for k in 0..<outputs {
            absolute[k] += sums[1 + 4 * k]
            squared[k] += sums[2 + 4 * k]
            targetSum[k] += sums[3 + 4 * k]
            targetSquares[k] += sums[4 + 4 * k]
        }
    }

    /// The mean over the target columns.
    func value(of metric: MetricName) -> Double {
        let values = (0..<outputs).map { value(of: metric, column: $0) }
        return values.reduce(0, +) / Double(outputs)
    }

    private func value(of metric: MetricName, column k: Int) -> Double {
        let unit = factor.isEmpty ? 1 : abs(factor[k])
        switch metric {
        case .rmse:
            return (squared[k] / weight).squareRoot() / unit
        case .mae:
            return absolute[k] / weight / unit
        case .r2:
            let spread = targetSquares[k] - targetSum[k] * targetSum[k] / weight
            // Of a constant target nothing can be explained, unless it was met exactly.
            guard spread > 0 else { return squared[k] == 0 ? 1 : 0 }
            return 1 - squared[k] / spread
        case .accuracy, .macroF1, .logLoss, .auc, .confusion:
            return .nan
        }
    }
}
