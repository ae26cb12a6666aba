internal import TreadleBase
internal import TreadleData
package import TreadleModel

/// What a model says of rows, each beside what it should have been: for all that cannot be added up batch by batch.
package struct ScoredRows: Sendable {
    package let task: LearningTask
    /// D: classes, labels or target columns.
    package let outputs: Int
    /// N×D after the loss's link; of a regression in the target's own units.
    package internal(set) var predictions: [Double] = []
    /// Of a classification: each row's class.
    package internal(set) var classes: [Int] = []
    /// N×D otherwise: labels as 0 and 1, quantities in the target's own units.
    package internal(set) var targets: [Double] = []
    package internal(set) var weights: [Double] = []
    /// Each row's loss times its weight in the loss, and that weight.
    var losses: [Double] = []
    var lossWeights: [Double] = []
    /// How far probabilities are kept from 0 and 1, so that their logarithms are finite.
    let margin: Double

    package init(task: LearningTask, outputs: Int, margin: Double) {
        self.task = task
        self.outputs = outputs
        self.margin = margin
    }

    package var count: Int { weights.count }

    /// Adds a batch's rows.
    mutating func add<S: Scalar>(
        _ block: PredictedRows<S>, losses: UnsafePointer<Double>, lossWeights: UnsafePointer<Double>,
        normalization: Normalization
    ) {
        let rows = unsafe block.rows
        for row in 0..<rows {
            unsafe weights.append(block.weight(row))
            unsafe self.losses.append(losses[row])
            unsafe self.lossWeights.append(lossWeights[row])
            for column in 0..<outputs {
                let value = unsafe block.prediction(row, column)
                predictions.append(task == .regression ? normalization.value(of: value, column: column) : value)
            }
            if task == .classification {
                unsafe classes.append(ClassTally.actualClass(block, row, outputs))
            } else if case .values(let values) = unsafe block.targets {
                for column in 0..<outputs {
                    let value = unsafe Double(values[row * outputs + column])
                    let factor = normalization.targetFactor
                    targets.append(
                        factor.isEmpty ? value : value / factor[column] + normalization.targetShift[column])
                }
            }
        }
    }

    /// Every rank's rows, in the order of the ranks.
    mutating func join(_ ranks: Ranks) throws {
        guard !ranks.isAlone else { return }
        func all(_ own: [Double]) throws -> [Double] { Array(try ranks.gatherMany(own).joined()) }
        predictions = try all(predictions)
        classes = try all(classes.map(Double.init)).map { Int($0) }
        targets = try all(targets)
        weights = try all(weights)
        losses = try all(losses)
        lossWeights = try all(lossWeights)
    }

    /// Whether the row belongs to the class, or has the label.
    package func belongs(_ row: Int, to column: Int) -> Bool {
        task == .classification ? classes[row] == column : targets[row * outputs + column] > 0.5
    }

    /// The class with the greatest probability; of equals the first.
    package func answer(_ row: Int) -> Int {
        var best = 0
        for column in 1..<max(1, outputs)
        where predictions[row * outputs + column] > predictions[row * outputs + best] { best = column }
        return best
    }

    /// What always says the same reaches on these rows: the share of each class or label, or the mean of each quantity.
    ///
    /// Its answer is the class that most rows are of.
    package var constant: ScoredRows {
        let total = weights.reduce(0, +)
        let shares = (0..<outputs).map { column in
            var sum = 0.0
            for row in 0..<count {
                let value = task == .regression ? targets[row * outputs + column] : belongs(row, to: column) ? 1 : 0
                sum += weights[row] * value
            }
            return total > 0 ? sum / total : .nan
        }
        var constant = self
        constant.predictions = (0..<count).flatMap { _ in shares }
        constant.losses = []
        constant.lossWeights = []
        return constant
    }
}
