/// How a batch is cut for the sum over its rows: S runs of consecutive rows, never derived from the machine.
package struct Shards: Equatable, Sendable {
    /// S of the whole batch.
    package let count: Int
    /// The shards that this process computes: all, unless other ranks share the batch.
    package let own: Range<Int>
    /// Shards begin at multiples of so many rows.
    package let unit: Int

    /// S is as configured, or the largest power of two not above min(8, batchSize / 64), at least 1: chains of 64 rows keep
    /// the kernels at their work, shorter ones cost up to an eighth of it. In units of more than a row S is 1, where it is
    /// not configured.
    package init(batchSize: Int, configured: Int? = nil, unit: Int = 1) {
        var count = 1
        while unit == 1, count * 2 <= min(8, batchSize / 64) { count *= 2 }
        self.count = configured ?? count
        self.unit = unit
        own = 0..<self.count
    }

    /// The part of these shards that one of several ranks computes.
    package init(_ own: Range<Int>, of all: Shards) {
        count = all.count
        unit = all.unit
        self.own = own
    }

    /// Where shard `index` starts in a batch of `rows` rows; `index` = S gives the end.
    package func start(of index: Int, rows: Int) -> Int {
        min(rows, index * ((rows + unit - 1) / unit) / count * unit)
    }

    /// The most rows that the own shards have in a batch of up to `batchSize`: of a short batch, rounding can give some
    /// shards a row or a unit more than their part of it.
    package func mostOwnRows(of batchSize: Int) -> Int {
        min(batchSize, batchSize * own.count / count + 2 * unit)
    }

    /// Those of a batch's positions in an epoch that are in this process's shards.
    package func ownPositions(of batch: Range<Int>) -> Range<Int> {
        let from = start(of: own.lowerBound, rows: batch.count)
        let to = start(of: own.upperBound, rows: batch.count)
        return batch.lowerBound + from..<batch.lowerBound + to
    }
}
