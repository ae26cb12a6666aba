/// Philox4x32-10, the counter-based generator of Salmon et al. (2011): no state, the same numbers for the same key and counter.
package struct Philox: Equatable, Sendable {
    /// What randomness is for: streams of different purposes never meet.
    package enum Purpose: UInt32, Sendable {
        case initialization = 1
        case shuffle = 2
        case split = 3
        case dropout = 4
        case sampling = 5
        case generation = 6
        case member = 7
        case bootstrap = 8
    }

    private let key: SIMD2<UInt32>
    private let purpose: UInt32
    private let stream: UInt32

    /// The stream of `purpose` under `seed`; `stream` tells layers or epochs apart.
    package init(seed: UInt64, purpose: Purpose, stream: UInt32 = 0) {
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        self.purpose = purpose.rawValue
        self.stream = stream
    }

    /// The four words at `index`: counter (index low, index high, stream, purpose).
    package func words(at index: UInt64) -> SIMD4<UInt32> {
        let low = UInt32(truncatingIfNeeded: index)
        let high = UInt32(truncatingIfNeeded: index >> 32)
        return Philox.block(counter: SIMD4(low, high, stream, purpose), key: key)
    }

    /// One block of the generator as published, for test vectors.
    package static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var c = counter
        var k = key
        for _ in 0..<10 {
            let first = UInt64(c[0]) * 0xD251_1F53
            let second = UInt64(c[2]) * 0xCD9E_8D57
            c = SIMD4(
                UInt32(truncatingIfNeeded: second >> 32) ^ c[1] ^ k[0],
                UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ c[3] ^ k[1],
                UInt32(truncatingIfNeeded: first))
            k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
        }
        return c
    }
}
