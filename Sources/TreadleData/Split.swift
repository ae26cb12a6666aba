internal import TreadleBase

/// Which side of a split a row is on: a keyed hash of its index over all files, or of what is in it.
///
/// A row keeps its side when rows are appended, and whatever file or chunk it lies in; by what is in it also when rows come in
/// another order, and equal rows are on the same side.
struct Split: Sendable {
    /// What is split off: the same row takes its chances anew for each.
    enum Part: UInt32 { case valid, test }

    private let philox: Philox
    private let threshold: UInt64
    private let contents: RowContents?

    /// `fraction` is the share of rows that are put aside, at least 0 and below 1.
    init(fraction: Double, seed: UInt64, part: Part = .valid, contents: RowContents? = nil) {
        philox = Philox(seed: seed, purpose: .split, stream: part.rawValue)
        self.contents = contents
        // Exact: scaling by a power of two does not round.
        threshold = UInt64(fraction * 0x1p64)
    }

    /// Whether `row` is put aside.
    func isAside(_ row: Int) -> Bool { draw(row) < threshold }

    /// The number drawn for `row`: it is put aside where that is small.
    func draw(_ row: Int) -> UInt64 {
        let words = philox.words(at: contents?[row] ?? UInt64(row))
        return UInt64(words[1]) << 32 | UInt64(words[0])
    }
}
