internal import CDecode
internal import TreadleBase

/// Count, mean, sum of squared distances from it, least and greatest of each column.
///
/// Numbers are added in blocks of rows and blocks in a fixed tree, so that the bits depend on the rows alone.
package struct ColumnStatistics: Equatable, TravellingSum {
    package private(set) var count: [Double]
    private(set) var mean: [Double]
    package private(set) var squares: [Double]
    private(set) var low: [Double]
    private(set) var high: [Double]

    /// The statistics of one block, row by row.
    @safe final class Block {
        private let width: Int
        /// Six rows of `width`: origin, count, sum, squares, least, greatest.
        private let memory: UnsafeMutablePointer<Double>
        private var isEmpty = true

        init(width: Int) {
            self.width = width
            unsafe memory = UnsafeMutablePointer<Double>.allocate(capacity: 6 * width)
            unsafe memory.initialize(repeating: 0, count: 4 * width)
            unsafe (memory + 4 * width).initialize(repeating: .infinity, count: width)
            unsafe (memory + 5 * width).initialize(repeating: -.infinity, count: width)
        }

        deinit {
            unsafe memory.deallocate()
        }

        /// Adds one row of `width` values; those that are not finite are left out.
        func add(_ row: UnsafePointer<Double>) {
            if isEmpty {
                // Distances from some value of the column, so that squares of large numbers do not cancel.
                for column in 0..<width where unsafe row[column].isFinite { unsafe memory[column] = unsafe row[column] }
                isEmpty = false
            }
            var sums = unsafe cd_sums(
                origin: memory, count: memory + width, sum: memory + 2 * width, square: memory + 3 * width,
                low: memory + 4 * width, high: memory + 5 * width)
            unsafe cd_accumulate(row, width, &sums)
        }

        var statistics: ColumnStatistics {
            var result = ColumnStatistics(width: width)
            for column in 0..<width {
                let n = unsafe memory[width + column]
                guard n > 0 else { continue }
                let sum = unsafe memory[2 * width + column]
                result.count[column] = n
                result.mean[column] = unsafe memory[column] + sum / n
                result.squares[column] = max(0, unsafe memory[3 * width + column] - sum * sum / n)
                result.low[column] = unsafe memory[4 * width + column]
                result.high[column] = unsafe memory[5 * width + column]
            }
            return result
        }
    }

    /// Of no rows.
    package init(width: Int) {
        count = Array(repeating: 0, count: width)
        mean = count
        squares = count
        low = Array(repeating: .infinity, count: width)
        high = Array(repeating: -.infinity, count: width)
    }

    /// Adds the rows that `other` stands for.
    package mutating func add(_ other: ColumnStatistics) {
        for column in count.indices where other.count[column] > 0 {
            var moments = Moments(count: count[column], mean: mean[column], squares: squares[column])
            moments.add(
                Moments(count: other.count[column], mean: other.mean[column], squares: other.squares[column]))
            (count[column], mean[column], squares[column]) = (moments.count, moments.mean, moments.squares)
            low[column] = min(low[column], other.low[column])
            high[column] = max(high[column], other.high[column])
        }
    }

    /// Of what `count` rows, or rows of that weight, have as mean and sum of squared distances from it.
    package init(count: [Double], mean: [Double], squares: [Double]) {
        self.init(width: count.count)
        self.count = count
        self.mean = mean
        self.squares = squares
    }

    package init(numbers: [Double]) {
        let width = numbers.count / 5
        func part(_ index: Int) -> [Double] { Array(numbers[index * width..<(index + 1) * width]) }
        (count, mean, squares, low, high) = (part(0), part(1), part(2), part(3), part(4))
    }

    package var numbers: [Double] { count + mean + squares + low + high }

    /// The deviation from the mean over all rows, 0 for a constant column.
    func deviation(_ column: Int) -> Double {
        count[column] > 0 ? (squares[column] / count[column]).squareRoot() : 0
    }
}
