internal import Foundation
internal import Glibc

/// The HDF5 image of a checkpoint file, in memory, after its length and digest have been found right.
///
/// Holds as many bytes as the file has, for as long as it lives. What changes in the file afterwards changes
/// nothing here.
@safe final class VerifiedImage: Sendable {
    let header: UserBlock
    /// The image without the user block; valid while this object lives.
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    init(readingFrom path: String) throws {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw TreadleError.reading(path, "open", errno) }
        defer { close(descriptor) }

        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw TreadleError.reading(path, "fstat", errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw TreadleError.reading(path, "open", EISDIR) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw TreadleError(.badData, "\(path): not a regular file; name a file that treadle train wrote")
        }
        let size = Int(status.st_size)

        let first = UnsafeMutableRawBufferPointer.allocate(byteCount: UserBlock.size, alignment: 16)
        defer { unsafe first.deallocate() }
        let count = try unsafe VerifiedImage.fill(first, from: descriptor, of: path)
        header = try unsafe UserBlock(Array(UnsafeRawBufferPointer(first)[..<count]), of: path, fileSize: size)

        guard header.imageLength <= ProcessInfo.processInfo.physicalMemory else {
            throw TreadleError(
                .badData, "\(path): \(header.imageLength) bytes do not fit into this machine's memory; use a larger one"
            )
        }
        let image = UnsafeMutableRawBufferPointer.allocate(byteCount: header.imageLength, alignment: 64)
        unsafe bytes = UnsafeRawBufferPointer(image)
        // From here on all that is stored is set: an error thrown runs deinit.
        let hash = try unsafe VerifiedImage.read(image, from: descriptor, of: path)
        guard hash.digest == header.imageDigest else {
            throw TreadleError(
                .badData, "\(path): damaged: its contents fail their SHA-256; use another checkpoint or a copy")
        }
    }

    deinit { unsafe bytes.deallocate() }

    /// Fills the buffer and digests it in pieces that are still in cache.
    private static func read(
        _ image: UnsafeMutableRawBufferPointer, from descriptor: Int32, of path: String
    ) throws -> SHA256 {
        var hash = SHA256()
        let piece = 1 << 20
        for start in stride(from: 0, to: image.count, by: piece) {
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: image[start..<min(start + piece, image.count)])
            guard try unsafe fill(part, from: descriptor, of: path) == part.count else {
                throw TreadleError(.badData, "\(path): became shorter while it was read; let its writer finish first")
            }
            hash.add(unsafe part.bytes)
        }
        return hash
    }

    /// Reads until the buffer is full or the file ends; returns the bytes read.
    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32, of path: String
    ) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = unsafe Glibc.read(
                descriptor, buffer.baseAddress.map { unsafe $0 + filled }, buffer.count - filled)
            if count == 0 { break }
            if count > 0 {
                filled += count
            } else if errno != EINTR {
                throw TreadleError.reading(path, "read", errno)
            }
        }
        return filled
    }
}
