internal import Foundation
internal import Glibc
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

    /// Reads the image once, a piece after the other, and throws unless its digest is right.
    ///
    /// `use` sees each piece with its place, before anything is known to be right.
    func checkDigest(_ use: (_ offset: Int, _ piece: UnsafeRawBufferPointer) -> Void = { _, _ in }) throws {
        var hash = SHA256()
        // Digested while it is still in cache.
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: min(1 << 20, max(length, 1)), alignment: 64)
        defer { unsafe piece.deallocate() }
        for start in stride(from: 0, to: length, by: piece.count) {
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: piece[..<min(piece.count, length - start)])
            try unsafe read(at: start, into: part)
            hash.add(unsafe part.bytes)
            unsafe use(start, UnsafeRawBufferPointer(part))
        }
        guard hash.digest == header.imageDigest else {
            throw TreadleError(
                .badData, "\(path): damaged: its contents fail their SHA-256; use another checkpoint or a copy")
        }
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
