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
///     112     zeros in format 1
///
/// Format 2 is that of large images, whose digest several cores can check:
///
///     112 224  `DigestWaypoints`
///     336  32  SHA-256 of the 224 bytes before
///     368      zeros
package struct UserBlock: Equatable, Sendable {
    static let size = 512
    /// The newest format that this program reads.
    static let newestFormat: UInt32 = 2

    var format: UInt32
    var imageLength: Int
    var imageDigest: [UInt8]
    var waypoints: DigestWaypoints
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
        bytes += SHA256.digest(of: bytes)
        if format == 2 {
            let states = waypoints.states.flatMap(\.self)
            bytes += states + SHA256.digest(of: states)
        }
        return bytes + [UInt8](repeating: 0, count: UserBlock.size - bytes.count)
    }

    init(
        imageLength: Int, imageDigest: [UInt8], waypoints: DigestWaypoints = DigestWaypoints(states: []),
        programVersion: String
    ) {
        precondition(imageDigest.count == 32, "an SHA-256 has 32 bytes")
        format = waypoints.states.isEmpty ? 1 : 2
        self.waypoints = waypoints
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
        var rest = bytes[112...]
        var states: [[UInt8]] = []
        if format == 2 {
            let all = Array(rest.prefix(32 * (DigestWaypoints.pieces - 1)))
            rest = rest.dropFirst(all.count)
            guard SHA256.digest(of: all) == Array(rest.prefix(32)) else { throw damaged }
            rest = rest.dropFirst(32)
            states = stride(from: 0, to: all.count, by: 32).map { Array(all[$0..<$0 + 32]) }
        }
        guard rest.allSatisfy({ $0 == 0 }) else { throw damaged }
        waypoints = DigestWaypoints(states: states)
    }

    /// The format that a header names, or nil when it is no header or a damaged one.
    static func declaredFormat(_ bytes: [UInt8]) -> UInt32? {
        guard bytes.count == size, bytes.starts(with: magic) else { return nil }
        guard SHA256.digest(of: Array(bytes[..<80])) == Array(bytes[80..<112]) else { return nil }
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
