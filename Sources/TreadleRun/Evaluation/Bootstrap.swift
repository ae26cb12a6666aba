package import TreadleBase

/// How far metrics would move on other rows of the same kind: they are measured again on rows drawn from these, with
/// repetition. Seeded: the same numbers on any number of threads.
package struct Bootstrap: Sendable {
    private let seed: UInt64
    private let confidence: Double
    private let workers: Workers

    package init(seed: UInt64, confidence: Double, workers: Workers) {
        self.seed = seed
        self.confidence = confidence
        self.workers = workers
    }

    /// A value with the interval that it lies in with this confidence.
    package struct Interval: Equatable, Sendable {
        package var value: Double
        package var low: Double
        package var high: Double
    }

    /// How far the first of two models is ahead of the second on the same rows.
    package struct Difference: Equatable, Sendable {
        /// First minus second.
        package var interval: Interval
        /// The share of the draws in which the first is not worse than the second by more than the margin.
        package var notWorse: Double
    }

    /// Enough draws that the ends of the interval settle; fewer of very many rows, whose metrics hardly move.
    static func draws(rows: Int) -> Int { max(200, min(1000, 100_000_000 / max(1, rows))) }

    /// How often each of `count` rows is drawn the `index`-th time.
    static func counts(_ count: Int, draw index: Int, seed: UInt64) -> [Double] {
        let random = Philox(seed: seed, purpose: .bootstrap, stream: UInt32(index))
        var counts = [Double](repeating: 0, count: count)
        for block in 0..<(count + 3) / 4 {
            let words = random.words(at: UInt64(block))
            for lane in 0..<min(4, count - block * 4) {
                counts[Int((UInt64(words[lane]) * UInt64(count)) >> 32)] += 1
            }
        }
        return counts
    }

    package func intervals(of metrics: RowMetrics) -> [String: Interval] {
        let draws = replay(metrics.rows.count) { counts in metrics.values { counts[$0] } }
        return metrics.values().reduce(into: [:]) { intervals, entry in
            intervals[entry.key] = interval(entry.value, draws.compactMap { $0[entry.key] })
        }
    }

    /// The differences of all metrics that both have. Both must be of the same rows in the same order.
    ///
    /// `margin` is by how much the first may be worse and still count as no worse.
    package func differences(
        of first: RowMetrics, from second: RowMetrics, margin: Double = 0
    ) -> [String: Difference] {
        precondition(first.rows.count == second.rows.count, "only answers for the same rows can be compared in pairs")
        func difference(_ count: (Int) -> Double) -> [String: Double] {
            let other = second.values(count)
            return first.values(count).reduce(into: [:]) { differences, entry in
                if let value = other[entry.key] { differences[entry.key] = entry.value - value }
            }
        }
        let draws = replay(first.rows.count) { counts in difference { counts[$0] } }
        return difference { _ in 1 }.reduce(into: [:]) { differences, entry in
            let drawn = draws.compactMap { $0[entry.key] }.filter { !$0.isNaN }
            let higherIsBetter = WatchedMetric(entry.key).higherIsBetter
            let fine = drawn.filter { (higherIsBetter ? -$0 : $0) <= margin }.count
            differences[entry.key] = Difference(
                interval: interval(entry.value, drawn),
                notWorse: drawn.isEmpty ? 0 : Double(fine) / Double(drawn.count))
        }
    }

    private func interval(_ value: Double, _ draws: [Double]) -> Interval {
        let sorted = draws.filter { !$0.isNaN }.sorted()
        let tail = (1 - confidence) / 2
        return Interval(value: value, low: Quantile.of(sorted, tail), high: Quantile.of(sorted, 1 - tail))
    }

    private func replay(_ rows: Int, _ measure: (_ counts: [Double]) -> [String: Double]) -> [[String: Double]] {
        workers.map(Self.draws(rows: rows)) { draw, _ in measure(Self.counts(rows, draw: draw, seed: seed)) }
    }
}
