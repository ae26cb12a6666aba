internal import Foundation
internal import Glibc
internal import Synchronization
internal import TreadleBase
internal import TreadleData

/// A checkpoint file, open, after its header has been found right; of its contents nothing is kept.
final class SealedFile: Sendable {
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
    func checkDigest() throws {
        let waypoints = header.waypoints.states
        if !waypoints.isEmpty, try isDigestRight(passing: waypoints) { return }
        // The waypoints only speed up the check. Another program may have changed the image and its digest but not
        // them: the file is good if the digest alone is right.
        guard try isDigestRight(passing: []) else {
            throw TreadleError(
                .badData, "\(path): damaged: its contents fail their SHA-256; use another checkpoint or a copy")
        }
    }

    /// Whether every piece of the image leads from one waypoint to the next, and the last one to the digest.
    private func isDigestRight(passing waypoints: [[UInt8]]) throws -> Bool {
        let bounds = DigestWaypoints.bounds(of: length, inOnePiece: waypoints.isEmpty)
        let count = bounds.count - 1
        // One core takes two pieces in little more time than one: it does where there are not as many cores as pieces.
        let together = Cores.available < count ? 2 : 1
        let wrong = Atomic<Int>(0)
        try Workers(count: Cores.available).forEachTrying((count + together - 1) / together) { task, _ in
            let numbers = task * together..<min((task + 1) * together, count)
            let ends = try digests(
                numbers.map { bounds[$0]..<bounds[$0 + 1] },
                from: numbers.map { $0 == 0 ? SHA256() : SHA256(from: waypoints[$0 - 1], after: bounds[$0]) })
            for (piece, end) in zip(numbers, ends) {
                let isRight = piece < waypoints.count ? end.state == waypoints[piece] : end.digest == header.imageDigest
                if !isRight { wrong.add(1, ordering: .relaxed) }
            }
        }
        return wrong.load(ordering: .relaxed) == 0
    }

    /// Goes on with a digest through each piece of the image: with two side by side for as long as both go on.
    private func digests(_ pieces: [Range<Int>], from starts: [SHA256]) throws -> [SHA256] {
        // What was read is digested while it is still in the core's own cache.
        let size = 1 << 17
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * size, alignment: 64)
        defer { unsafe buffer.deallocate() }
        func part(_ half: Int, _ offset: Int, _ count: Int) throws -> UnsafeMutableRawBufferPointer {
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[half * size..<half * size + count])
            try unsafe read(at: offset, into: part)
            return unsafe part
        }

        var (hashes, done) = (starts, 0)
        let shared = pieces.count == 2 ? min(pieces[0].count, pieces[1].count) : 0
        while done < shared {
            let count = min(size, shared - done)
            let (one, other) = try unsafe (
                part(0, pieces[0].lowerBound + done, count), part(1, pieces[1].lowerBound + done, count)
            )
            var second = hashes[1]
            hashes[0].add(unsafe one.bytes, beside: &second, unsafe other.bytes)
            hashes[1] = second
            done += count
        }
        for (number, piece) in pieces.enumerated() {
            for offset in stride(from: piece.lowerBound + done, to: piece.upperBound, by: size) {
                hashes[number].add(unsafe try part(0, offset, min(size, piece.upperBound - offset)).bytes)
            }
        }
        return hashes
    }

    /// Fills `buffer` with what the image has from `offset` on; all of it lies within the image.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
        try unsafe Self.fill(buffer, from: descriptor, at: UserBlock.size + offset, of: path)
    }

    /// Throws when the file has been written to since it was opened: its digest vouches for other contents then.
    func checkUnchanged() throws {
        guard try FileIdentity(of: descriptor, path) == identity else {
            throw TreadleError(.badData, "\(path): it was written to while it was read; let its writer finish first")
        }
    }

    /// Its name in this process, whatever has become of the one it was opened by.
    static func name(of descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

    /// Whether the name that it was opened by was given to another file, or taken away, since.
    var hasLostItsName: Bool {
        guard let name = unsafe realpath(Self.name(of: descriptor), nil) else { return true }
        unsafe free(name)
        return false
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
