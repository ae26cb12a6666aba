/// The bins that a piecewise linear embedding starts with: for each embedded column K stretches of its numbers, one after the
/// other, over each of which one ramp rises from 0 to 1.
///
/// A bin holds a K-th of the training rows. Where a column has too few different numbers for that, the bins that there are,
/// the widest first, are halved until there are K: no ramp is left without a stretch to rise over.
package struct PiecewiseBins: Equatable, Sendable {
    /// For each embedded column, the K + 1 borders in rising order; all the same for a column that never changes.
    package let borders: [[Double]]

    /// Takes the K + 1 quantiles of each column, from the least number to the greatest, as the network reads them.
    package init(quantiles: [[Double]]) {
        borders = quantiles.map(Self.borders)
    }

    /// Bins of the same width, for numbers from −3 to 3.
    package init(even bins: Int, columns: Int) {
        let borders = (0...bins).map { 6 * Double($0) / Double(bins) - 3 }
        self.borders = [[Double]](repeating: borders, count: columns)
    }

    private static func borders(_ quantiles: [Double]) -> [Double] {
        var borders: [Double] = []
        for quantile in quantiles where borders.last.map({ quantile > $0 }) ?? true { borders.append(quantile) }
        guard borders.count > 1 else { return quantiles }
        while borders.count < quantiles.count {
            let widths = zip(borders, borders.dropFirst()).map { $1 - $0 }
            let widest = widths.max() ?? 0
            let place = widths.firstIndex(of: widest) ?? 0
            let middle = borders[place] + widest / 2
            // Two neighbouring numbers have nothing between them.
            guard middle > borders[place], middle < borders[place + 1] else { break }
            borders.insert(middle, at: place + 1)
        }
        return borders + [Double](repeating: borders[borders.count - 1], count: quantiles.count - borders.count)
    }

    /// The weight and the bias of each ramp, those of one bin of all columns together: 0 where a bin has no width.
    var ramps: (weights: [Double], biases: [Double]) {
        var (weights, biases): ([Double], [Double]) = ([], [])
        for bin in 0..<(borders.first?.count ?? 1) - 1 {
            for column in borders {
                let inverse = 1 / (column[bin + 1] - column[bin])
                let rises = inverse.isFinite && inverse > 0
                weights.append(rises ? inverse : 0)
                biases.append(rises ? -column[bin] * inverse : 0)
            }
        }
        return (weights, biases)
    }
}
