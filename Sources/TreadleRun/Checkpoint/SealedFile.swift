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

    /// Reads the image once, and throws unless its digest is right.
    ///
    /// `whole`, where it is given, is as long as the image and gets it, before anything is known to be right.
    func checkDigest(into whole: UnsafeMutableRawBufferPointer? = nil) throws {
        // One piece is digested, still in cache, while the next is read.
        let size = min(1 << 20, max(length, 1))
        let two = UnsafeMutableRawBufferPointer.allocate(
            byteCount: unsafe whole == nil ? 2 * size : 1, alignment: 64)
        defer { unsafe two.deallocate() }
        func piece(_ start: Int) -> UnsafeMutableRawBufferPointer {
            let (place, buffer) = unsafe whole.map { unsafe (start, $0) } ?? (start / size % 2 * size, two)
            return unsafe UnsafeMutableRawBufferPointer(
                rebasing: buffer[place..<place + min(size, length - start)])
        }
        var hash = SHA256()
        if length > 0 { try unsafe read(at: 0, into: piece(0)) }
        for start in stride(from: 0, to: length, by: size) {
            let next = start + size
            let current = unsafe piece(start)
            if next < length {
                let following = unsafe piece(next)
                _ = try Workers.together {
                    try unsafe read(at: next, into: following)
                } and: {
                    hash.add(unsafe current.bytes)
                }
            } else {
                hash.add(unsafe current.bytes)
            }
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
