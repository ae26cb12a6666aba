internal import TreadleBase

/// Which of K folds a row is in: a keyed hash of its index over all files.
///
/// A row keeps its fold when rows are appended, and whatever file or chunk it lies in.
package struct Folds: Sendable {
    package let count: Int
    private let philox: Philox

    package init(count: Int, seed: UInt64) {
        precondition(count >= 2, "one fold alone leaves nothing to train on")
        self.count = count
        // Other words than a split's by fraction: neither says anything about the other.
        philox = Philox(seed: seed, purpose: .split, stream: 1)
    }

    /// From 0 up to `count`.
    package func fold(of row: Int) -> Int {
        Int(UInt64(philox.words(at: UInt64(row))[0]) * UInt64(count) >> 32)
    }
}
