internal import CSystem

/// The digest of FIPS 180-4, over bytes given in pieces.
package struct SHA256 {
    private var hash = csystem_sha256()

    package init() {
        unsafe csystem_sha256_begin(&hash)
    }

    package mutating func add(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe csystem_sha256_add(&hash, buffer.baseAddress, buffer.count)
        }
    }

    /// Adds as many bytes to this digest as to another one, in less time than one after the other.
    package mutating func add(_ bytes: RawSpan, beside other: inout SHA256, _ more: RawSpan) {
        precondition(bytes.byteCount == more.byteCount, "two digests go on side by side for as long as both have bytes")
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe more.withUnsafeBytes { more in
                unsafe csystem_sha256_add_to_two(&hash, bytes.baseAddress, &other.hash, more.baseAddress, bytes.count)
            }
        }
    }

    /// The 32 bytes of the digest of all that was added.
    package var digest: [UInt8] {
        var copy = hash
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe csystem_sha256_end(&copy, &digest)
        return digest
    }

    /// What the digest has come to after a multiple of 64 bytes: 32 bytes, from which another one can go on.
    package var state: [UInt8] {
        var state = [UInt8](repeating: 0, count: 32)
        unsafe withUnsafePointer(to: hash) { unsafe csystem_sha256_state($0, &state) }
        return state
    }

    /// Goes on from what a digest had come to after `count` bytes, a multiple of 64.
    package init(from state: [UInt8], after count: Int) {
        precondition(state.count == 32 && count.isMultiple(of: 64), "a digest can be left only between two blocks")
        unsafe csystem_sha256_resume(&hash, state, UInt64(count))
    }

    /// The digest as people compare it: 64 lowercase hexadecimal digits.
    package var hexadecimal: String {
        digest.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    package mutating func add(_ bytes: [UInt8]) {
        add(unsafe bytes.span.bytes)
    }

    package static func digest(of bytes: RawSpan) -> [UInt8] {
        var hash = SHA256()
        hash.add(bytes)
        return hash.digest
    }

    package static func digest(of bytes: [UInt8]) -> [UInt8] { digest(of: unsafe bytes.span.bytes) }
}
