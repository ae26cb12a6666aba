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

    /// The 32 bytes of the digest of all that was added.
    package var digest: [UInt8] {
        var copy = hash
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe csystem_sha256_end(&copy, &digest)
        return digest
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
}
