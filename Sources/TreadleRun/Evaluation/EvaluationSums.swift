internal import TreadleBase
internal import TreadleData
internal import TreadleEngine

/// What evaluated rows add up to: of one batch, or of many.
struct EvaluationSums: TravellingSum {
    /// Σ wᵢ·ℓᵢ and Σ wᵢ, then the sums that the task's metrics need.
    var sums: [Double]
    /// Mean and spread of each target column, by the rows' weights; of no columns but for a regression.
    var targets: ColumnStatistics

    init(loss: StepResult, tally: [Double], targets: ColumnStatistics = ColumnStatistics(width: 0)) {
        sums = [loss.lossSum, loss.weightSum] + tally
        self.targets = targets
    }

    mutating func add(_ right: EvaluationSums) {
        for index in sums.indices { sums[index] += right.sums[index] }
        targets.add(right.targets)
    }

    init(numbers: [Double]) {
        let count = Int(numbers[0])
        sums = Array(numbers[1..<1 + count])
        targets = ColumnStatistics(numbers: Array(numbers[(1 + count)...]))
    }

    var numbers: [Double] { [Double(sums.count)] + sums + targets.numbers }

    var loss: Double { sums[0] / sums[1] }
    /// What the task's metrics need.
    var tally: ArraySlice<Double> { sums[2...] }
}
