internal import TreadleBase

/// The 512 bytes in front of a checkpoint's HDF5 image, which libhdf5 skips: what vouches for the rest.
///
/// All numbers are little-endian; later formats keep this layout.
///
///     0   12  magic
///     12   4  format
///     16   8  length of the image in bytes
///     24  32  SHA-256 of the image
///     56  24  version of the program that wrote the file, ASCII, filled up with zeros
///     80  32  SHA-256 of the 80 bytes before
///     112     zeros
package struct UserBlock: Equatable, Sendable {
    static let size = 512
    /// The format that this program writes, and the newest that it reads.
    static let newestFormat: UInt32 = 1

    var format: UInt32 = newestFormat
    var imageLength: Int
    var imageDigest: [UInt8]
    var programVersion: String

    // The first byte is no text, and a transfer that turns line ends around breaks the last four.
    package static let magic: [UInt8] = [0x89] + Array("TREADLE".utf8) + [0x0d, 0x0a, 0x1a, 0x0a]
    private static let hdf5Magic: [UInt8] = [0x89] + Array("HDF".utf8) + [0x0d, 0x0a, 0x1a, 0x0a]

    var bytes: [UInt8] {
        var bytes = UserBlock.magic
        bytes += UserBlock.littleEndian(UInt64(format), count: 4)
        bytes += UserBlock.littleEndian(UInt64(imageLength), count: 8)
        bytes += imageDigest
        bytes += programVersion.utf8.prefix(24)
        bytes += [UInt8](repeating: 0, count: 80 - bytes.count)
        var hash = SHA256()
        hash.add(bytes)
        bytes += hash.digest
        return bytes + [UInt8](repeating: 0, count: UserBlock.size - bytes.count)
    }

    init(imageLength: Int, imageDigest: [UInt8], programVersion: String) {
        precondition(imageDigest.count == 32, "an SHA-256 has 32 bytes")
        self.imageLength = imageLength
        self.imageDigest = imageDigest
        self.programVersion = programVersion
    }

    /// Reads the first bytes of the file at `path`, which has `fileSize` bytes.
    init(_ bytes: [UInt8], of path: String, fileSize: Int) throws {
        guard bytes.starts(with: UserBlock.magic) else {
            throw TreadleError(.badData, "\(path): \(UserBlock.guess(bytes)); name a file that treadle train wrote")
        }
        let damaged = TreadleError(
            .badData, "\(path): damaged: its header fails its own digest; use another checkpoint or a copy")
        guard let declared = UserBlock.declaredFormat(bytes) else { throw damaged }
        format = declared
        programVersion = String(decoding: bytes[56..<80].prefix { $0 != 0 }, as: UTF8.self)
        guard format <= UserBlock.newestFormat else {
            throw TreadleError(
                .badData,
                "\(path): written in format \(format) by treadle \(programVersion), while treadle \(Treadle.version) "
                    + "reads up to format \(UserBlock.newestFormat); use treadle \(programVersion) or newer")
        }
        guard format >= 1 else { throw damaged }
        guard let length = Int(exactly: UserBlock.number(bytes[16..<24])), length == fileSize - UserBlock.size else {
            throw TreadleError(
                .badData,
                "\(path): damaged: \(fileSize) bytes long instead of \(UserBlock.number(bytes[16..<24]) &+ 512); use "
                    + "another checkpoint or a copy")
        }
        imageLength = length
        imageDigest = Array(bytes[24..<56])
    }

    /// The format that a header names, or nil when it is no header or a damaged one.
    static func declaredFormat(_ bytes: [UInt8]) -> UInt32? {
        guard bytes.count == size, bytes.starts(with: magic) else { return nil }
        var hash = SHA256()
        hash.add(Array(bytes[..<80]))
        guard hash.digest == Array(bytes[80..<112]), bytes[112...].allSatisfy({ $0 == 0 }) else { return nil }
        return UInt32(truncatingIfNeeded: number(bytes[12..<16]))
    }

    /// What a file without the magic may be.
    private static func guess(_ bytes: [UInt8]) -> String {
        if bytes.isEmpty { return "empty, not a checkpoint" }
        if bytes.starts(with: hdf5Magic) { return "an HDF5 file, but not a checkpoint" }
        return "not a checkpoint"
    }

    private static func littleEndian(_ number: UInt64, count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
