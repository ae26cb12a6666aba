import CSystem
import Testing
import TreadleBase

@Suite(.serialized) struct SHA256Tests {
    // The examples that NIST publishes for FIPS 180-4: SHA256ShortMsg's, and a million times "a".
    static let published: [(String, Int, String)] = [
        ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ]

    @Test(arguments: [false, true]) func `the published digests come out`(portable: Bool) {
        csystem_sha256_use_portable(portable ? 1 : 0)
        defer { csystem_sha256_use_portable(0) }
        for (text, times, expected) in SHA256Tests.published {
            var hash = SHA256()
            for _ in 0..<times { hash.add(Array(text.utf8)) }
            #expect(hash.hexadecimal == expected)
        }
    }

    @Test func `pieces of any length give the digest of the whole, with and without the CPU's instructions`() {
        let bytes = (0..<517).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 7) }
        var whole = SHA256()
        whole.add(bytes)
        for piece in 1...130 {
            csystem_sha256_use_portable(Int32(piece % 2))
            var hash = SHA256()
            for start in stride(from: 0, to: bytes.count, by: piece) {
                hash.add(Array(bytes[start..<min(start + piece, bytes.count)]))
            }
            #expect(hash.digest == whole.digest)
        }
        csystem_sha256_use_portable(0)
    }

    @Test func `a digest that another one goes on from is the digest of the whole`() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 5) }
        for place in stride(from: 0, through: 960, by: 64) {
            var first = SHA256()
            first.add(Array(bytes[..<place]))
            var second = SHA256(from: first.state, after: place)
            second.add(Array(bytes[place...]))
            #expect(second.digest == SHA256.digest(of: bytes))
        }
    }

    @Test(arguments: [false, true]) func `two digests side by side are what each is alone`(portable: Bool) {
        csystem_sha256_use_portable(portable ? 1 : 0)
        defer { csystem_sha256_use_portable(0) }
        let bytes = (0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 41 &+ $0 / 3) }
        // Some begin within a block of 64 bytes, and some end there.
        for (before, beforeOther, count) in [
            (0, 0, 640), (64, 128, 500), (3, 0, 200), (0, 70, 64), (10, 20, 5), (0, 0, 0),
        ] {
            var (one, other) = (SHA256(), SHA256())
            one.add(Array(bytes[..<before]))
            other.add(Array(bytes[..<beforeOther]))
            let first = Array(bytes[before..<before + count]), second = Array(bytes[1000..<1000 + count])
            one.add(first.span.bytes, beside: &other, second.span.bytes)
            #expect(one.digest == SHA256.digest(of: Array(bytes[..<before]) + first))
            #expect(other.digest == SHA256.digest(of: Array(bytes[..<beforeOther]) + second))
        }
    }
}
