/// How a batch is cut for the sum over its rows: S runs of consecutive rows, never derived from the machine.
package struct Shards: Equatable, Sendable {
    /// S of the whole batch.
    package let count: Int
    /// The shards that this process computes: all, unless other ranks share the batch.
    package let own: Range<Int>

    /// S is as configured, or the largest power of two not above min(8, batchSize / 16), at least 1.
    package init(batchSize: Int, configured: Int? = nil) {
        var count = 1
        while count * 2 <= min(8, batchSize / 16) { count *= 2 }
        self.count = configured ?? count
        own = 0..<self.count
    }

    /// The part of the shards that one of several ranks computes.
    package init(count: Int, own: Range<Int>) {
        self.count = count
        self.own = own
    }

    /// Where shard `index` starts in a batch of `rows` rows; `index` = S gives the end.
    package func start(of index: Int, rows: Int) -> Int { index * rows / count }

    /// Those of a batch's positions in an epoch that are in this process's shards.
    package func ownPositions(of batch: Range<Int>) -> Range<Int> {
        let from = start(of: own.lowerBound, rows: batch.count)
        let to = start(of: own.upperBound, rows: batch.count)
        return batch.lowerBound + from..<batch.lowerBound + to
    }
}
