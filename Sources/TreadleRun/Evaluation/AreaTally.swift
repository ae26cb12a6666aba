internal import TreadleBase

/// Every row's score in each column, and whether the row belongs to it: what the area under the ROC curve needs.
struct AreaTally: Sendable {
    private let columns: Int
    private var scores: [Double] = []
    private var belongs: [Bool] = []
    private var weights: [Double] = []

    init(columns: Int) {
        self.columns = columns
    }

    mutating func add(weight: Double, _ entry: (_ column: Int) -> (score: Double, belongs: Bool)) {
        weights.append(weight)
        for column in 0..<columns {
            let (score, isMember) = entry(column)
            scores.append(score)
            belongs.append(isMember)
        }
    }

    /// Every rank's rows, in the order of the ranks.
    mutating func join(_ ranks: Ranks) throws {
        scores = Array(try ranks.gatherMany(scores).joined())
        weights = Array(try ranks.gatherMany(weights).joined())
        belongs = try ranks.gatherMany(belongs.map { $0 ? 1 : 0 }).joined().map { $0 == 1 }
    }

    /// The mean area over the columns that have rows of both kinds; NaN where there is none.
    func meanArea(columns chosen: Range<Int>, workers: Workers) -> Double {
        var areas = [Double?](repeating: nil, count: chosen.count)
        unsafe areas.withUnsafeMutableBufferPointer { areas in
            // Each column has its own place; no two tasks touch the same.
            nonisolated(unsafe) let areas = unsafe areas
            workers.forEach(chosen.count) { index, _ in
                unsafe areas[index] = area(column: chosen.lowerBound + index)
            }
        }
        let defined = areas.compactMap { $0 }
        return defined.reduce(0, +) / Double(defined.count)
    }

    /// The chance that a row of the column scores above one that is not, where a tie counts half.
    private func area(column: Int) -> Double? {
        let scores = weights.indices.map { self.scores[$0 * columns + column] }
        guard !scores.contains(where: \.isNaN) else { return .nan }
        // By row where scores are equal: the sums have the same bits every time.
        let order = weights.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
        var (inside, outside, pairs) = (0.0, 0.0, 0.0)
        var start = 0
        while start < order.count {
            var (insideHere, outsideHere) = (0.0, 0.0)
            var end = start
            while end < order.count, scores[order[end]] == scores[order[start]] {
                let row = order[end]
                if belongs[row * columns + column] { insideHere += weights[row] } else { outsideHere += weights[row] }
                end += 1
            }
            pairs += insideHere * (outside + outsideHere / 2)
            inside += insideHere
            outside += outsideHere
            start = end
        }
        return inside > 0 && outside > 0 ? pairs / (inside * outside) : nil
    }
}
