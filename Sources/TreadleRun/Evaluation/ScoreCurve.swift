internal import TreadleBase

/// Rows in the order of one output's score, the greatest first: what ROC and precision–recall curves are drawn from.
package struct ScoreCurve: Sendable {
    package let column: Int
    private let order: [Int]
    private let belongs: [Bool]
    /// By place in the order.
    private let scores: [Double]

    /// Rows that score `threshold` or more are taken for the class.
    package struct Point: Equatable, Sendable {
        package var threshold: Double
        /// The weight of the rows that are so taken rightly, and wrongly.
        package var right: Double
        package var wrong: Double
    }

    package init(_ rows: ScoredRows, column: Int) {
        self.init(column: column, rows: rows.count) { row in
            (rows.predictions[row * rows.outputs + column], rows.belongs(row, to: column))
        }
    }

    /// Of `rows` rows, each with its score in this column and whether it belongs to it.
    init(column: Int, rows: Int, _ entry: (_ row: Int) -> (score: Double, belongs: Bool)) {
        self.column = column
        let all = (0..<rows).map(entry)
        // By row where scores are equal: the sums have the same bits every time.
        order = all.indices.sorted { all[$0].score == all[$1].score ? $0 < $1 : all[$0].score > all[$1].score }
        scores = order.map { all[$0].score }
        belongs = order.map { all[$0].belongs }
    }

    /// A point for every score that occurs, the greatest first; row i counts `count(i)` times.
    package func points(_ weights: [Double], _ count: (Int) -> Double = { _ in 1 }) -> [Point] {
        var points: [Point] = []
        var (right, wrong) = (0.0, 0.0)
        for place in order.indices {
            let weight = weights[order[place]] * count(order[place])
            if belongs[place] { right += weight } else { wrong += weight }
            let isLast = place + 1 == order.count || scores[place + 1] != scores[place]
            if isLast { points.append(Point(threshold: scores[place], right: right, wrong: wrong)) }
        }
        return points
    }

    /// The chance that a row of the class scores above one that is not, where a tie counts half; nil without both kinds.
    func area(_ weights: [Double], _ count: (Int) -> Double = { _ in 1 }) -> Double? {
        guard !scores.contains(where: \.isNaN) else { return .nan }
        var (right, wrong, pairs) = (0.0, 0.0, 0.0)
        // From the lowest score up.
        var end = order.count
        while end > 0 {
            var start = end - 1
            while start > 0, scores[start - 1] == scores[end - 1] { start -= 1 }
            var (rightHere, wrongHere) = (0.0, 0.0)
            for place in start..<end {
                let weight = weights[order[place]] * count(order[place])
                if belongs[place] { rightHere += weight } else { wrongHere += weight }
            }
            // Those outside the class so far score below the ones in it from here on.
            pairs += rightHere * (wrong + wrongHere / 2)
            right += rightHere
            wrong += wrongHere
            end = start
        }
        return right > 0 && wrong > 0 ? pairs / (right * wrong) : nil
    }

    /// The mean precision over the points, by how much each adds to the recall, as scikit-learn defines it.
    package static func averagePrecision(_ points: [Point]) -> Double {
        guard let all = points.last?.right, all > 0 else { return .nan }
        var (sum, before) = (0.0, 0.0)
        for point in points {
            sum += (point.right - before) / all * (point.right / (point.right + point.wrong))
            before = point.right
        }
        return sum
    }

    /// The threshold at which mistakes cost least, where one of the class that is missed costs `missed`, and one that is
    /// wrongly taken for it `alarm`; and the mean cost of a row there and at ½. Of equal costs the greatest threshold.
    package static func cheapest(
        _ points: [Point], alarm: Double, missed: Double
    ) -> (threshold: Double, cost: Double, usual: Double)? {
        guard let last = points.last, last.right + last.wrong > 0 else { return nil }
        let total = last.right + last.wrong
        // Above every score nothing is taken for the class.
        var best = (threshold: Double.infinity, cost: last.right * missed)
        var usual = best.cost
        for point in points {
            let cost = point.wrong * alarm + (last.right - point.right) * missed
            if cost < best.cost { best = (point.threshold, cost) }
            if point.threshold >= 0.5 { usual = cost }
        }
        return (best.threshold, best.cost / total, usual / total)
    }
}
