internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

/// What a regression's metrics need of rows, by target column.
struct ValueTally {
    /// Of each column, the weighted sums of the errors' sizes and of their squares.
    let sums: [Double]
    /// The targets themselves.
    let targets: ColumnStatistics

    /// From what `sums` and `targets` were, on their way back from other batches and ranks.
    init(_ sums: ArraySlice<Double>, targets: ColumnStatistics) {
        self.sums = Array(sums)
        self.targets = targets
    }

    /// Of a block of rows, whose predictions stay within `bounds`, unless that is empty.
    init<S: Scalar>(
        _ block: PredictedRows<S>, bounds: [(low: Double, high: Double)], outputs: Int, workers: Workers
    ) {
        guard case .values(let targets) = unsafe block.targets else {
            preconditionFailure("a regression's targets are values")
        }
        // Each column's first target: sums of squares about it lose nothing to a large mean.
        let origin = (0..<outputs).map { unsafe block.rows > 0 ? Double(targets[$0]) : 0 }
        let all = unsafe block.sums(width: 1 + 4 * outputs, workers: workers) { row, sums in
            let weight = unsafe block.weight(row)
            unsafe sums[0] += weight
            for k in 0..<outputs {
                let target = unsafe Double(targets[row * outputs + k])
                var prediction = unsafe block.prediction(row, k)
                if !bounds.isEmpty { prediction = min(max(prediction, bounds[k].low), bounds[k].high) }
                let error = prediction - target
                let offset = target - origin[k]
                unsafe sums[1 + 4 * k] += weight * abs(error)
                unsafe sums[2 + 4 * k] += weight * error * error
                unsafe sums[3 + 4 * k] += weight * offset
                unsafe sums[4 + 4 * k] += weight * offset * offset
            }
        }
        sums = (0..<2 * outputs).map { all[1 + $0 / 2 * 4 + $0 % 2] }
        let weight = all[0]
        var (means, squares) = (origin, origin.map { _ in 0.0 })
        for k in 0..<outputs where weight > 0 {
            let offset = all[3 + 4 * k]
            means[k] += offset / weight
            squares[k] = max(0, all[4 + 4 * k] - offset * offset / weight)
        }
        self.targets = ColumnStatistics(count: origin.map { _ in weight }, mean: means, squares: squares)
    }

    /// The mean over the target columns; `factor` is the normalization's, if there is one.
    func value(of metric: MetricName, factor: [Double]) -> Double {
        let columns = targets.count.indices
        let values = columns.map { value(of: metric, column: $0, unit: factor.isEmpty ? 1 : abs(factor[$0])) }
        return values.reduce(0, +) / Double(columns.count)
    }

    private func value(of metric: MetricName, column k: Int, unit: Double) -> Double {
        let (absolute, squared, weight) = (sums[2 * k], sums[2 * k + 1], targets.count[k])
        switch metric {
        case .rmse:
            return (squared / weight).squareRoot() / unit
        case .mae:
            return absolute / weight / unit
        case .r2:
            let spread = targets.squares[k]
            // Of a constant target nothing can be explained, unless it was met exactly.
            guard spread > 0 else { return squared == 0 ? 1 : 0 }
            return 1 - squared / spread
        case .accuracy, .macroF1, .logLoss, .auc, .confusion:
            return .nan
        }
    }
}
