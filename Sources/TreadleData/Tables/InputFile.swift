internal import Glibc
internal import TreadleBase

/// A regular file opened for reading, whose failures are told in words. Safe to read from many threads.
package final class InputFile: Sendable {
    package let path: String
    package var size: Int { identity.size }
    let identity: FileIdentity
    private let descriptor: Int32

    package init(_ path: String) throws {
        self.path = path
        // A pipe would wait here for its writer.
        descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw TreadleError.reading(path, "open", errno) }
        var status = stat()
        do {
            guard unsafe fstat(descriptor, &status) == 0 else { throw TreadleError.reading(path, "open", errno) }
            identity = try FileIdentity(of: descriptor, path)
        } catch {
            close(descriptor)
            throw error
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            guard status.st_mode & S_IFMT != S_IFDIR else { throw TreadleError.reading(path, "open", EISDIR) }
            throw TreadleError(.badData, "\(path): is not a regular file; name a file on disk, which can be read twice")
        }
    }

    deinit { close(descriptor) }

    /// Throws when the file has been written to since it was opened: what was read then need not belong together.
    package func checkUnchanged() throws {
        guard let what = identity.change(to: try FileIdentity(of: descriptor, path)) else { return }
        throw TreadleError(
            .inputOutput,
            "\(path) changed while it was read: \(what); read it again when it is complete, or write it under a new name and "
                + "rename it then")
    }

    /// Reads bytes from `offset` on into `buffer[range]`; returns how many there were, less only at the file's end.
    func read(into buffer: inout [UInt8], _ range: Range<Int>, at offset: Int) throws -> Int {
        precondition(range.upperBound <= buffer.count, "a read must fit its buffer")
        return try unsafe buffer.withUnsafeMutableBytes { bytes in
            var done = 0
            while done < range.count {
                let target = unsafe bytes.baseAddress?.advanced(by: range.lowerBound + done)
                let got = unsafe pread(descriptor, target, range.count - done, off_t(offset + done))
                if got < 0 && errno == EINTR { continue }
                guard got >= 0 else { throw TreadleError.reading(path, "read", errno) }
                guard got > 0 else { break }
                done += got
            }
            return done
        }
    }

    /// The bytes of `range`, all of which must be there.
    func bytes(_ range: Range<Int>, what: String) throws -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= size else { throw tooShort(what) }
        var buffer = [UInt8](repeating: 0, count: range.count)
        guard try read(into: &buffer, 0..<range.count, at: range.lowerBound) == range.count else {
            throw tooShort(what)
        }
        return buffer
    }

    private func tooShort(_ what: String) -> TreadleError {
        TreadleError(.badData, "\(path) ends inside \(what), after \(size) bytes; copy or download the file again")
    }
}

/// What kind of file an input is, by its first bytes.
package enum FileKind: Equatable {
    case table, npy, npz, idx

    package init(of file: InputFile) throws {
        let source = try ByteSource(file)
        var start = [UInt8](repeating: 0, count: 4096)
        let count = try source.read(into: &start, 0..<start.count)
        start.removeSubrange(count...)
        if start.starts(with: NPY.magic) {
            self = .npy
        } else if start.starts(with: [0x50, 0x4b, 3, 4]) || start.starts(with: [0x50, 0x4b, 5, 6]) {
            guard source.form == .plain else {
                throw TreadleError(.badData, "\(file.path) is a ZIP file inside gzip; unpack it with gunzip first")
            }
            self = try ZIPDirectory.onlyFile(in: file) == nil ? .npz : .table
        } else if start.starts(with: [0x89, 0x48, 0x44, 0x46]) {
            throw TreadleError(
                .badData,
                "\(file.path) is HDF5 already: no import is needed; go on with \"treadle init \(file.path.shellWord)\"")
        } else if IDX.matches(start) {
            self = .idx
        } else if start.contains(0) {
            throw TreadleError(
                .badData,
                "\(file.path) is neither text nor NPY, NPZ or IDX; a table in UTF-16 can be converted with iconv -t UTF-8"
            )
        } else {
            self = .table
        }
    }
}
