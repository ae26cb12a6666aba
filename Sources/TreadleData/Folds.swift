internal import TreadleBase

/// Which of K folds a row is in: a keyed hash of its index over all files, or of what is in it.
///
/// A row keeps its fold when rows are appended, and whatever file or chunk it lies in; by what is in it also when rows come in
/// another order, and equal rows are in the same fold.
package struct Folds: Sendable {
    package let count: Int
    private let philox: Philox
    private let contents: RowContents?

    package init(count: Int, seed: UInt64) {
        self.init(count: count, seed: seed, contents: nil)
    }

    init(count: Int, seed: UInt64, contents: RowContents?) {
        precondition(count >= 2, "one fold alone leaves nothing to train on")
        self.count = count
        self.contents = contents
        // Other words than a split's by fraction: neither says anything about the other.
        philox = Philox(seed: seed, purpose: .split, stream: 2)
    }

    /// From 0 up to `count`.
    package func fold(of row: Int) -> Int {
        Int((UInt64(philox.words(at: contents?[row] ?? UInt64(row))[0]) * UInt64(count)) >> 32)
    }
}
