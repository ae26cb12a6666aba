package import TreadleBase
package import TreadleConfiguration
internal import TreadleModel

/// The metrics of rows of which each counts as often as the caller says: once, or as often as it was drawn.
///
/// Definitions are those of `Metrics`, with the Brier score besides. What does not depend on the counts is prepared once.
package struct RowMetrics: Sendable {
    package let rows: ScoredRows
    private let names: [MetricName]
    /// Of each row: the answer of a classification, the mean surprise (−log p of what is so), and the squared distance of
    /// the probabilities from what is so.
    private var answers: [Int] = []
    private var surprises: [Double] = []
    private var distances: [Double] = []
    private var curves: [ScoreCurve] = []

    /// All metrics of the rows' task, or those named.
    package init(_ rows: ScoredRows, metrics: [MetricName]? = nil, workers: Workers) {
        self.rows = rows
        names = (metrics ?? rows.task.metrics).filter { $0 != .confusion }
        guard rows.task != .regression else { return }
        let outputs = rows.outputs
        if rows.task == .classification { answers = (0..<rows.count).map { rows.answer($0) } }
        for row in 0..<rows.count {
            var probabilities = [Double]()
            var distance = 0.0
            for column in 0..<outputs {
                let probability = rows.predictions[row * outputs + column]
                let belongs = rows.belongs(row, to: column)
                let apart = probability - (belongs ? 1 : 0)
                distance += apart * apart
                if rows.task == .multilabel {
                    probabilities.append(belongs ? probability : 1 - probability)
                } else if belongs {
                    probabilities.append(probability)
                }
            }
            // Of two classes one says it all, and of several labels each is a question of its own.
            distances.append(
                rows.task == .multilabel ? distance / Double(outputs) : outputs == 2 ? distance / 2 : distance)
            probabilities = probabilities.map { max(rows.margin, min(1 - rows.margin, $0)) }
            ElementaryFunction.log.apply(to: &probabilities)
            surprises.append(-probabilities.reduce(0, +) / Double(probabilities.count))
        }
        guard names.contains(.auc) else { return }
        let columns = rows.task == .classification && outputs == 2 ? 1..<2 : 0..<outputs
        curves = workers.map(columns.count) { index, _ in ScoreCurve(rows, column: columns.lowerBound + index) }
    }

    /// The loss and the metrics by name; NaN where the rows do not define one.
    package func values() -> [String: Double] { values { _ in 1 } }

    /// The same with row i as often as `count(i)`.
    package func values(_ count: (Int) -> Double) -> [String: Double] {
        var values: [String: Double] = [:]
        if !rows.losses.isEmpty {
            var (sum, weight) = (0.0, 0.0)
            for row in 0..<rows.count {
                sum += count(row) * rows.losses[row]
                weight += count(row) * rows.lossWeights[row]
            }
            values["loss"] = sum / weight
        }
        for name in names { values[name.rawValue] = value(of: name, count) }
        if rows.task != .regression { values["brier"] = mean(count) { distances[$0] } }
        return values
    }

    private func mean(_ count: (Int) -> Double, _ number: (Int) -> Double) -> Double {
        var (sum, weight) = (0.0, 0.0)
        for row in 0..<rows.count {
            let counted = count(row) * rows.weights[row]
            sum += counted * number(row)
            weight += counted
        }
        return sum / weight
    }

    private func value(of name: MetricName, _ count: (Int) -> Double) -> Double {
        switch name {
        case .accuracy where rows.task == .classification:
            return mean(count) { answers[$0] == rows.classes[$0] ? 1 : 0 }
        case .accuracy:
            return mean(count) { row in
                (0..<rows.outputs).allSatisfy { rows.belongs(row, to: $0) == isGiven(row, $0) } ? 1 : 0
            }
        case .logLoss: return mean(count) { surprises[$0] }
        case .macroF1:
            let scores = classScores(count)
            // Of the classes that occur, among the rows or among the answers; of labels all.
            let known = rows.task == .multilabel ? scores : scores.filter { $0.actual + $0.given > 0 }
            return known.reduce(0) { $0 + $1.f1 } / Double(known.count)
        case .auc:
            let areas = curves.compactMap { $0.area(rows.weights, count) }
            return areas.reduce(0, +) / Double(areas.count)
        case .rmse, .mae, .r2:
            let columns = (0..<rows.outputs).map { value(of: name, column: $0, count) }
            return columns.reduce(0, +) / Double(columns.count)
        case .confusion: return .nan
        }
    }

    private func isGiven(_ row: Int, _ column: Int) -> Bool {
        rows.task == .classification ? answers[row] == column : rows.predictions[row * rows.outputs + column] >= 0.5
    }

    private func value(of name: MetricName, column: Int, _ count: (Int) -> Double) -> Double {
        func error(_ row: Int) -> Double {
            rows.predictions[row * rows.outputs + column] - rows.targets[row * rows.outputs + column]
        }
        switch name {
        case .rmse: return mean(count) { error($0) * error($0) }.squareRoot()
        case .mae: return mean(count) { abs(error($0)) }
        default:
            let center = mean(count) { rows.targets[$0 * rows.outputs + column] }
            let spread = mean(count) { row in
                let distance = rows.targets[row * rows.outputs + column] - center
                return distance * distance
            }
            let squared = mean(count) { error($0) * error($0) }
            // Of a constant target nothing can be explained, unless it was met exactly.
            return spread > 0 ? 1 - squared / spread : squared == 0 ? 1 : 0
        }
    }
}

extension RowMetrics {
    /// How well one class or label is told from the rest.
    package struct ClassScore: Equatable, Sendable {
        /// The weight of the rows that are of the class, of those taken for it, and of those rightly so.
        package var actual = 0.0
        package var given = 0.0
        package var right = 0.0

        /// Of what was taken for it, the share that is; 0 where nothing was.
        package var precision: Double { given > 0 ? right / given : 0 }
        /// Of what is of it, the share that was found; 0 where nothing is.
        package var recall: Double { actual > 0 ? right / actual : 0 }
        package var f1: Double { actual + given > 0 ? 2 * right / (actual + given) : 0 }
    }

    package func classScores(_ count: (Int) -> Double = { _ in 1 }) -> [ClassScore] {
        guard rows.task != .regression else { return [] }
        var scores = [ClassScore](repeating: ClassScore(), count: rows.outputs)
        for row in 0..<rows.count {
            let weight = count(row) * rows.weights[row]
            guard weight > 0 else { continue }
            if rows.task == .classification {
                scores[rows.classes[row]].actual += weight
                scores[answers[row]].given += weight
                if answers[row] == rows.classes[row] { scores[answers[row]].right += weight }
            } else {
                for column in 0..<rows.outputs {
                    let (has, gets) = (rows.belongs(row, to: column), isGiven(row, column))
                    if has { scores[column].actual += weight }
                    if gets { scores[column].given += weight }
                    if has && gets { scores[column].right += weight }
                }
            }
        }
        return scores
    }
}
