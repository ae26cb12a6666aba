/// What a model says about some consecutive rows.
package struct Predictions: Sendable {
    /// The rows' numbers in the input.
    package var rows: Range<Int>
    /// K: classes, labels or target columns.
    package var width: Int
    /// rows×K, row-major: probabilities, or values in the target's own units.
    package var values: [Double]
    /// For each of `values`, how far the members' answers are from their mean: their standard deviation. Empty unless it
    /// is asked for.
    package var spread: [Double] = []

    /// The class of the greatest probability; of equals, the first.
    package func bestClass(_ row: Int) -> Int {
        let first = row * width
        var best = 0
        for column in 1..<max(1, width) where values[first + column] > values[first + best] { best = column }
        return best
    }
}

/// Where predictions go, in the order of the rows.
package protocol PredictionSink {
    mutating func write(_ predictions: Predictions) throws
    /// After the last rows: nothing is complete before.
    mutating func finish() throws
}
