package import TreadleBase
internal import TreadleModel
package import TreadleRun

/// What a tensor's numbers are like. Always the same bits, on any number of threads.
///
/// ```swift
/// if let statistics = inspection.tensors.first?.statistics { print(statistics.mean, statistics.spread) }
/// ```
public struct TensorStatistics: Codable, Equatable, Sendable {
    /// The bars of a histogram.
    public static let bars = 32

    /// How many numbers it has.
    public var count = 0
    /// How many are 0, of either sign.
    public var zeros = 0
    /// How many are not a number.
    public var nan = 0
    /// How many are infinite, of either sign.
    public var infinite = 0
    /// The least of the finite numbers; 0 where there are none, as are all that follow.
    public var minimum = 0.0
    /// The greatest of the finite numbers.
    public var maximum = 0.0
    /// The mean of the finite numbers.
    public var mean = 0.0
    /// The standard deviation, of these numbers themselves.
    public var spread = 0.0
    /// The square root of the sum of squares.
    public var norm = 0.0
    /// How many finite numbers are in each of `bars` equal steps from the minimum to the maximum; empty where there
    /// are none.
    public var histogram: [Int] = []

    /// How many are neither infinite nor not a number.
    public var finite: Int { count - nan - infinite }
}

extension TensorStatistics {
    package init(_ numbers: NumberSource, workers: Workers) throws {
        switch numbers.number {
        case .float32: try self.init(numbers, as: Float.self, workers)
        case .float64: try self.init(numbers, as: Double.self, workers)
        }
    }

    private init<S: Scalar>(_ numbers: NumberSource, as: S.Type, _ workers: Workers) throws {
        let blocks = (numbers.count + NumberSource.block - 1) / NumberSource.block
        var parts = [NumberTally](repeating: NumberTally(), count: blocks)
        try unsafe parts.withUnsafeMutableBufferPointer { parts in
            // Each block has its own part; no two tasks touch the same.
            try unsafe numbers.forEachBlock(of: NumberSource.block, as: S.self, workers: workers) { block, _, numbers in
                unsafe parts[block] = NumberTally(numbers)
            }
        }
        // In the order of blocks, not of completion: the sums have the same bits every time.
        let tally = parts.reduce(into: NumberTally()) { $0.add($1) }
        self.init(tally)
        guard let scale = HistogramScale(tally) else { return }
        var bars = [[Int]](repeating: [], count: workers.count)
        try unsafe bars.withUnsafeMutableBufferPointer { bars in
            // Each worker has its own bars; counts add up to the same in any order.
            try unsafe numbers.forEachBlock(of: NumberSource.block, as: S.self, workers: workers) {
                _, worker, numbers in
                let added = unsafe scale.count(numbers)
                if unsafe bars[worker].isEmpty {
                    unsafe bars[worker] = added
                } else {
                    for (bar, count) in added.enumerated() { unsafe bars[worker][bar] += count }
                }
            }
        }
        for part in bars where !part.isEmpty { add(bars: part) }
    }

    /// Without a histogram.
    init(_ tally: NumberTally) {
        count = tally.count
        zeros = tally.zeros
        nan = tally.nan
        infinite = tally.infinite
        guard finite > 0 else { return }
        minimum = tally.minimum
        maximum = tally.maximum
        mean = tally.mean * tally.scale
        spread = (tally.deviations / Double(finite)).squareRoot() * tally.scale
        // A norm can be beyond the doubles' range although every number is within.
        norm = min(tally.squares.squareRoot() * tally.scale, .greatestFiniteMagnitude)
    }

    mutating func add(bars: [Int]) {
        if histogram.isEmpty { histogram = [Int](repeating: 0, count: Self.bars) }
        for (index, count) in bars.enumerated() { histogram[index] += count }
    }
}

/// Into which bar of a histogram a number goes.
struct HistogramScale {
    private let minimum: Double
    private let factor: Double

    /// Nil where there are no finite numbers.
    init?(_ tally: NumberTally) {
        guard tally.count > tally.nan + tally.infinite else { return nil }
        minimum = tally.minimum
        // Halves, because the distance of two finite numbers need not be finite. Zero puts all into the middle.
        let width = tally.maximum / 2 - tally.minimum / 2
        factor = width > 0 ? Double(TensorStatistics.bars) / width / 2 : 0
    }

    func count<S: Scalar>(_ values: UnsafeBufferPointer<S>) -> [Int] {
        let last = TensorStatistics.bars - 1
        var bars = [Int](repeating: 0, count: last + 1)
        guard factor > 0, factor.isFinite else {
            bars[last / 2] = unsafe values.reduce(0) { $0 + ($1.isFinite ? 1 : 0) }
            return bars
        }
        unsafe bars.withUnsafeMutableBufferPointer { bars in
            for index in values.indices {
                let value = unsafe Double(values[index])
                guard value.isFinite else { continue }
                let place = (value - minimum) * factor
                // Beyond the doubles' range only where the width is, too: those numbers are in the upper half.
                unsafe bars[place < Double(last) ? Int(place) : last] += 1
            }
        }
        return bars
    }
}
