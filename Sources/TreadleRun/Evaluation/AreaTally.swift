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
        let areas = workers.map(chosen.count) { index, _ in
            let column = chosen.lowerBound + index
            let curve = ScoreCurve(column: column, rows: weights.count) { row in
                (scores[row * columns + column], belongs[row * columns + column])
            }
            return curve.area(weights)
        }
        let defined = areas.compactMap { $0 }
        return defined.reduce(0, +) / Double(defined.count)
    }
}
