package import Foundation
internal import Glibc

/// What lies on disk, looked at so that a failure to look is an error: a directory that cannot be listed is not empty, and a
/// file that cannot be read is not absent.
package enum FileSystem {
    /// Opens a file for reading. What is no regular file is refused at once: a pipe would wait for its writer.
    static func open(_ path: String) throws -> Int32 {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw TreadleError.reading(path, "open", errno) }
        do {
            try checkRegular(descriptor, path)
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Throws unless `descriptor`, which was opened without waiting, is a regular file.
    package static func checkRegular(_ descriptor: Int32, _ path: String) throws {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw TreadleError.reading(path, "fstat", errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return
        case S_IFDIR: throw TreadleError.reading(path, "open", EISDIR)
        default:
            throw TreadleError(
                .badData, "\(path): is not a regular file; name a file on disk, which can be read again and again")
        }
    }

    /// The file's bytes, the first `limit` of them where there are more; nil where there is no such file.
    package static func contents(of path: String, limit: Int = .max) throws -> Data? {
        let descriptor: Int32
        do {
            descriptor = try open(path)
        } catch let error as TreadleError where error.kind == .noInput {
            return nil
        }
        defer { close(descriptor) }
        var data = Data()
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while data.count < limit {
            let count = unsafe read(descriptor, &piece, min(piece.count, limit - data.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw TreadleError.reading(path, "read", errno) }
            if count == 0 { break }
            data += piece[..<count]
        }
        return data
    }

    /// The file's length in bytes.
    package static func size(of path: String) throws -> Int {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw TreadleError.reading(path, "stat", errno) }
        return Int(status.st_size)
    }

    /// Whether something bears this name.
    package static func exists(_ path: String) throws -> Bool {
        if unsafe access(path, F_OK) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw TreadleError.reading(path, "access", errno) }
        return false
    }

    /// The names in a directory, sorted; none where there is no such directory.
    package static func names(in directory: String) throws -> [String] {
        guard let stream = unsafe opendir(directory) else {
            guard errno == ENOENT || errno == ENOTDIR else { throw TreadleError.reading(directory, "opendir", errno) }
            return []
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard errno == 0 else { throw TreadleError.reading(directory, "readdir", errno) }
                return names.sorted()
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }
}
