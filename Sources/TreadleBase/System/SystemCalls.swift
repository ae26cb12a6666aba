internal import CSystem
internal import Glibc

/// The system calls that put files into place, each of which a test can make fail.
///
/// Interrupted calls are repeated; every other failure is thrown with the call's name and the path.
package struct SystemCalls: Sendable {
    package enum Call: String, CaseIterable, Sendable {
        case open, write, fsync, close, rename, link, unlink
        case openDirectory = "open of the directory"
        case fsyncDirectory = "fsync of the directory"
    }

    /// An `errno` value that takes the place of the next call of this name; nil lets it through.
    package var fault: @Sendable (Call) -> Int32?
    /// More bytes than this are written in several calls.
    package var longestWrite: Int

    package init(longestWrite: Int = 1 << 23, fault: @escaping @Sendable (Call) -> Int32? = { _ in nil }) {
        self.longestWrite = longestWrite
        self.fault = fault
    }

    /// Creates a file that must not exist yet, for writing.
    func create(_ path: String, for target: String) throws -> Int32 {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        return Int32(try check(.open, target) { Int(unsafe Glibc.open(path, flags, 0o666)) })
    }

    /// Writes where the last write ended, or at `offset`. The disk begins with what was written without waiting for the
    /// `fsync` that comes later, so that the program and the disk work at the same time.
    package func write(_ bytes: RawSpan, to descriptor: Int32, at offset: Int? = nil, for target: String) throws {
        try unsafe bytes.withUnsafeBytes { buffer in
            var start = 0
            while start < buffer.count {
                let count = min(longestWrite, buffer.count - start)
                let written = try check(.write, target) {
                    let piece = unsafe buffer.baseAddress.map { unsafe $0 + start }
                    guard let offset else { return unsafe Glibc.write(descriptor, piece, count) }
                    return unsafe pwrite(descriptor, piece, count, off_t(offset + start))
                }
                if let offset { csystem_begin_writeback(descriptor, Int64(offset + start), Int64(written)) }
                start += written
            }
        }
    }

    package func fsync(_ descriptor: Int32, for target: String) throws {
        // Never asked twice: after a failed fsync the kernel has dropped the bytes and would say yes.
        _ = try check(.fsync, target, repeating: false) { Int(Glibc.fsync(descriptor)) }
    }

    func close(_ descriptor: Int32, for target: String) throws {
        // Linux has let go of the descriptor even when it says EINTR.
        let closed = Glibc.close(descriptor) == 0 || errno == EINTR
        let failure = fault(.close) ?? (closed ? nil : errno)
        if let failure { throw TreadleError.writing(target, Call.close.rawValue, failure) }
    }

    package func rename(_ path: String, to target: String) throws {
        _ = try check(.rename, target) { Int(unsafe Glibc.rename(path, target)) }
    }

    func link(_ path: String, as new: String, for target: String) throws {
        _ = try check(.link, target) { Int(unsafe Glibc.link(path, new)) }
    }

    /// Removes a name; one that is gone already is no failure.
    package func unlink(_ path: String) throws {
        _ = try check(.unlink, path) { unsafe Glibc.unlink(path) == 0 || errno == ENOENT ? 0 : -1 }
    }

    /// Makes the names in `directory` survive a power cut.
    package func syncDirectory(_ directory: String) throws {
        let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
        let descriptor = Int32(try check(.openDirectory, directory) { Int(unsafe Glibc.open(directory, flags)) })
        defer { _ = Glibc.close(descriptor) }
        _ = try check(.fsyncDirectory, directory, repeating: false) {
            // EINVAL: this file system has no such thing as a directory to sync.
            Glibc.fsync(descriptor) == 0 || errno == EINVAL ? 0 : -1
        }
    }

    private func check(_ call: Call, _ path: String, repeating: Bool = true, _ body: () -> Int) throws -> Int {
        while true {
            var number = fault(call)
            if number == nil {
                let result = body()
                if result >= 0 { return result }
                number = errno
            }
            if let number, number != EINTR || !repeating { throw TreadleError.writing(path, call.rawValue, number) }
        }
    }
}
