internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

/// What a classification's metrics need of rows: sums by class.
struct ClassTally {
    private let outputs: Int
    private var weight = 0.0
    private var logLoss = 0.0
    /// By class: the weight of its rows, of the rows taken for it, and of those rightly so.
    private var actual: [Double]
    private var predicted: [Double]
    private var right: [Double]
    /// K×K, the actual class by row; empty unless asked for.
    private var matrix: [Double]

    /// Of a block of rows. `areas`, where there is one, gets every row's scores.
    init<S: Scalar>(
        _ block: PredictedRows<S>, outputs: Int, confuses: Bool, areas: inout AreaTally?, workers: Workers
    ) {
        self.outputs = outputs
        let zeros = [Double](repeating: 0, count: outputs)
        (actual, predicted, right) = (zeros, zeros, zeros)
        matrix = confuses ? [Double](repeating: 0, count: outputs * outputs) : []
        var answers = [(actual: Int, predicted: Int, surprise: Double)](
            repeating: (0, 0, 0), count: unsafe block.rows)
        unsafe answers.withUnsafeMutableBufferPointer { answers in
            // Each row has its own place; no two tasks touch the same.
            let blockRows = 256
            workers.forEach((answers.count + blockRows - 1) / blockRows) { task, _ in
                for row in task * blockRows..<min((task + 1) * blockRows, answers.count) {
                    let actual = unsafe ClassTally.actualClass(block, row, outputs)
                    let predicted = ClassTally.largest(outputs) { unsafe block.prediction(row, $0) }
                    let probability = unsafe block.prediction(row, actual)
                    unsafe answers[row] = (actual, predicted, ClassTally.clipped(probability, S.self))
                }
            }
        }
        var surprises = answers.map(\.surprise)
        ElementaryFunction.log.apply(to: &surprises)
        for (row, answer) in answers.enumerated() {
            let weight = unsafe block.weight(row)
            self.weight += weight
            logLoss -= weight * surprises[row]
            actual[answer.actual] += weight
            predicted[answer.predicted] += weight
            if answer.actual == answer.predicted { right[answer.actual] += weight }
            if confuses { matrix[answer.actual * outputs + answer.predicted] += weight }
        }
        guard areas != nil else { return }
        for (row, answer) in answers.enumerated() {
            unsafe areas?.add(weight: block.weight(row)) { column in
                unsafe (block.prediction(row, column), column == answer.actual)
            }
        }
    }

    /// From the numbers that `sums` was, on their way back from other batches and ranks.
    init(_ sums: ArraySlice<Double>, outputs: Int) {
        self.outputs = outputs
        var rest = sums.dropFirst(2)
        (weight, logLoss) = (sums[sums.startIndex], sums[sums.startIndex + 1])
        func next() -> [Double] {
            defer { rest = rest.dropFirst(outputs) }
            return Array(rest.prefix(outputs))
        }
        (actual, predicted, right) = (next(), next(), next())
        matrix = Array(rest)
    }

    var sums: [Double] { [weight, logLoss] + actual + predicted + right + matrix }

    func value(of metric: MetricName, areas: AreaTally?, workers: Workers) -> Double {
        switch metric {
        case .accuracy:
            return right.reduce(0, +) / weight
        case .logLoss:
            return logLoss / weight
        case .macroF1:
            // Of the classes that occur, among the rows or among the answers.
            let scores = (0..<outputs).compactMap { k -> Double? in
                let both = actual[k] + predicted[k]
                return both > 0 ? 2 * right[k] / both : nil
            }
            return scores.reduce(0, +) / Double(scores.count)
        case .auc:
            // Of two classes, each orders the rows as the other does.
            return areas?.meanArea(columns: outputs == 2 ? 1..<2 : 0..<outputs, workers: workers) ?? .nan
        case .confusion, .rmse, .mae, .r2:
            return .nan
        }
    }

    var confusion: [[Double]] {
        (0..<outputs).map { Array(matrix[$0 * outputs..<($0 + 1) * outputs]) }
    }

    static func actualClass<S>(_ block: PredictedRows<S>, _ row: Int, _ outputs: Int) -> Int {
        switch unsafe block.targets {
        case .classes(let classes): unsafe Int(classes[row])
        case .values(let values): largest(outputs) { unsafe Double(values[row * outputs + $0]) }
        case .absent: preconditionFailure("metrics need targets")
        }
    }

    /// The first of the largest.
    private static func largest(_ count: Int, _ number: (Int) -> Double) -> Int {
        var best = 0
        for k in 1..<max(count, 1) where number(k) > number(best) { best = k }
        return best
    }

    /// A probability kept off 0 and 1 by the type's precision, so that its logarithm is finite.
    static func clipped<S: Scalar>(_ probability: Double, _: S.Type) -> Double {
        let margin = Double(S.ulpOfOne)
        return probability < margin ? margin : probability > 1 - margin ? 1 - margin : probability
    }
}
