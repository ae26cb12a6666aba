internal import Foundation
internal import Glibc
internal import Synchronization
internal import TreadleBase
internal import TreadleData

/// A checkpoint file, open, after its header has been found right; of its contents nothing is kept.
final class SealedFile: CheckpointImage {
    let path: String
    let header: UserBlock
    let descriptor: Int32
    private let identity: FileIdentity

    var length: Int { header.imageLength }

    init(_ path: String) throws {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw TreadleError.reading(path, "open", errno) }
        do {
            var status = stat()
            guard unsafe fstat(descriptor, &status) == 0 else { throw TreadleError.reading(path, "fstat", errno) }
            guard status.st_mode & S_IFMT != S_IFDIR else { throw TreadleError.reading(path, "open", EISDIR) }
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw TreadleError(.badData, "\(path): not a regular file; name a file that treadle train wrote")
            }
            identity = try FileIdentity(of: descriptor, path)
            var first = [UInt8](repeating: 0, count: min(UserBlock.size, Int(status.st_size)))
            try unsafe first.withUnsafeMutableBytes { try unsafe Self.fill($0, from: descriptor, at: 0, of: path) }
            header = try UserBlock(first, of: path, fileSize: Int(status.st_size))
            self.path = path
            self.descriptor = descriptor
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// Reads the image, on all cores where it is large, and throws unless its digest is right.
    ///
    /// `whole`, where it is given, is as long as the image and gets it, before anything is known to be right.
    func checkDigest(into whole: UnsafeMutableRawBufferPointer? = nil) throws {
        let waypoints = header.waypoints.states
        if !waypoints.isEmpty, try unsafe isDigestRight(passing: waypoints, into: whole) { return }
        // The waypoints only speed up the check. Another program may have changed the image and its digest but not
        // them: the file is good if the digest alone is right.
        guard try unsafe isDigestRight(passing: [], into: whole) else {
            throw TreadleError(
                .badData, "\(path): damaged: its contents fail their SHA-256; use another checkpoint or a copy")
        }
    }

    /// Whether every piece of the image leads from one waypoint to the next, and the last one to the digest.
    private func isDigestRight(
        passing waypoints: [[UInt8]], into whole: UnsafeMutableRawBufferPointer?
    ) throws -> Bool {
        let bounds = DigestWaypoints.bounds(of: length, inOnePiece: waypoints.isEmpty)
        let wrong = Atomic<Int>(0)
        try Workers(count: Cores.available).forEachTrying(bounds.count - 1) { piece, _ in
            let start = piece == 0 ? SHA256() : SHA256(from: waypoints[piece - 1], after: bounds[piece])
            let end = try unsafe digest(bounds[piece]..<bounds[piece + 1], from: start, into: whole)
            let isRight = piece < waypoints.count ? end.state == waypoints[piece] : end.digest == header.imageDigest
            if !isRight { wrong.add(1, ordering: .relaxed) }
        }
        return wrong.load(ordering: .relaxed) == 0
    }

    /// Goes on with a digest through a piece of the image.
    private func digest(
        _ piece: Range<Int>, from start: SHA256, into whole: UnsafeMutableRawBufferPointer?
    ) throws -> SHA256 {
        var hash = start
        // What was read is digested while it is still in cache.
        let size = min(1 << 18, max(piece.count, 1))
        let own = UnsafeMutableRawBufferPointer.allocate(byteCount: unsafe whole == nil ? size : 1, alignment: 64)
        defer { unsafe own.deallocate() }
        for start in stride(from: piece.lowerBound, to: piece.upperBound, by: size) {
            let count = min(size, piece.upperBound - start)
            let (place, buffer) = unsafe whole.map { unsafe (start, $0) } ?? (0, own)
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[place..<place + count])
            try unsafe read(at: start, into: part)
            hash.add(unsafe part.bytes)
        }
        return hash
    }

    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
        try unsafe Self.fill(buffer, from: descriptor, at: UserBlock.size + offset, of: path)
    }

    /// Throws when the file has been written to since it was opened: its digest vouches for other contents then.
    func checkUnchanged() throws {
        guard try FileIdentity(of: descriptor, path) == identity else {
            throw TreadleError(.badData, "\(path): it was written to while it was read; let its writer finish first")
        }
    }

    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32, at offset: Int, of path: String
    ) throws {
        var filled = 0
        while filled < buffer.count {
            let count = unsafe pread(
                descriptor, buffer.baseAddress.map { unsafe $0 + filled }, buffer.count - filled, offset + filled)
            if count == 0 {
                throw TreadleError(.badData, "\(path): became shorter while it was read; let its writer finish first")
            }
            if count > 0 {
                filled += count
            } else if errno != EINTR {
                throw TreadleError.reading(path, "read", errno)
            }
        }
    }
}
