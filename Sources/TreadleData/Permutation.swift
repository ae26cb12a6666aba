internal import CDecode
internal import TreadleBase

/// An order of `0..<count` that is computed per index and never stored, decided by seed, epoch and stream alone.
package struct Permutation: Sendable {
    package let count: Int
    private let network: cd_permutation

    /// `stream` tells the orders within one epoch apart.
    package init(count: Int, seed: UInt64, epoch: Int, stream: UInt64 = 0) {
        self.count = count
        let philox = Philox(seed: seed, purpose: .shuffle, stream: UInt32(truncatingIfNeeded: epoch))
        let first = philox.words(at: 2 * stream)
        let second = philox.words(at: 2 * stream + 1)
        // Below 256 the halves would be too narrow to mix; walking the larger domain costs only as many rows as there are.
        let bits = max(8, UInt64.bitWidth - UInt64(max(count - 1, 0)).leadingZeroBitCount)
        network = cd_permutation(
            count: UInt64(count), left_bits: UInt32(bits / 2), right_bits: UInt32(bits - bits / 2),
            keys: (first[0], first[1], first[2], first[3], second[0], second[1], second[2], second[3]))
    }

    /// Where `index` goes.
    subscript(index: Int) -> Int {
        precondition(index >= 0 && index < count, "a permutation's index must lie below its count")
        var image: UInt64 = 0
        unsafe withUnsafePointer(to: network) { unsafe cd_permute($0, UInt64(index), 1, &image) }
        return Int(image)
    }

    /// What goes to `image`.
    func index(of image: Int) -> Int {
        precondition(image >= 0 && image < count, "a permutation's image must lie below its count")
        return unsafe Int(withUnsafePointer(to: network) { unsafe cd_permute_inverse($0, UInt64(image)) })
    }

    /// Where each of `indices` goes, into as many places of `images`.
    package func fill(_ images: UnsafeMutablePointer<UInt64>, from indices: Range<Int>) {
        precondition(
            indices.lowerBound >= 0 && indices.upperBound <= count, "a permutation's indices must lie below its count")
        unsafe withUnsafePointer(to: network) {
            unsafe cd_permute($0, UInt64(indices.lowerBound), indices.count, images)
        }
    }
}
