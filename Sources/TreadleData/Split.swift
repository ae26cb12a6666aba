internal import TreadleBase

/// Which side of a validation split a row is on: a keyed hash of its index over all files.
///
/// A row keeps its side when rows are appended, and whatever file or chunk it lies in.
struct Split: Sendable {
    private let philox: Philox
    private let threshold: UInt64

    /// `fraction` is the share of rows that are put aside, at least 0 and below 1.
    init(fraction: Double, seed: UInt64) {
        philox = Philox(seed: seed, purpose: .split)
        // Exact: scaling by a power of two does not round.
        threshold = UInt64(fraction * 0x1p64)
    }

    /// Whether `row` is put aside for validation.
    func isAside(_ row: Int) -> Bool {
        let words = philox.words(at: UInt64(row))
        return UInt64(words[1]) << 32 | UInt64(words[0]) < threshold
    }
}
