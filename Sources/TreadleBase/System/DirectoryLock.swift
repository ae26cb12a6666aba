internal import Foundation
internal import Glibc

/// The right to write into a run's directory, held by one process at a time.
///
/// A kernel lock on `<directory>.lock`, beside the directory: it ends with the process, however that ends, so it is
/// never stale, and the file stays for the next run. The file says who holds the lock: process id and host.
package final class DirectoryLock: Sendable {
    package let path: String
    private let descriptor: Int32

    /// Locks `directory`, creating it where it does not exist.
    ///
    /// Where another process holds the lock, `skip` returns nil, `fail` throws `.tryAgain` with the holder's process
    /// id, and `wait` tells `waiting` the holder once and waits until the lock is free or a stop is asked for.
    package static func acquire(
        _ directory: String, whenHeld policy: LockPolicy, stop: Stop = Stop(), waiting: (String) -> Void = { _ in }
    ) throws -> DirectoryLock? {
        let resolved = try create(directory)
        let path = resolved + ".lock"
        var told = false
        while true {
            let descriptor = try open(path)
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                if isStill(descriptor, at: path) {
                    record(descriptor)
                    return DirectoryLock(path: path, descriptor: descriptor)
                }
                // Someone deleted the file between open and lock: this lock keeps nobody out.
                close(descriptor)
                continue
            }
            let failure = errno
            let holder = holder(of: descriptor)
            close(descriptor)
            guard failure == EWOULDBLOCK || failure == EINTR else {
                throw TreadleError.writing(path, "flock", failure)
            }
            switch policy {
            case .skip:
                return nil
            case .fail:
                throw TreadleError(
                    .tryAgain,
                    "\(directory): in use by another run (\(holder)); wait for it to end, stop it, or choose another "
                        + "checkpoint.dir")
            case .wait:
                if !told { waiting(holder) }
                told = true
                try stop.check()
                usleep(50_000)
            }
        }
    }

    private init(path: String, descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        // A child that another thread has just forked holds a copy of the descriptor until it executes its program:
        // closing alone would leave the directory locked for as long.
        _ = flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Creates `directory` and returns its path free of symbolic links: one directory, one lock.
    private static func create(_ directory: String) throws -> String {
        try makeDirectory(directory)
        guard let resolved = unsafe realpath(directory, nil) else {
            throw TreadleError.writing(directory, "realpath", errno)
        }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Makes the directory and those above it. Foundation would hide why it cannot.
    private static func makeDirectory(_ path: String) throws {
        guard unsafe mkdir(path, 0o777) != 0 else { return }
        let failure = errno
        let parent = DurableFile.directory(of: path)
        switch failure {
        case EEXIST:
            var status = stat()
            guard unsafe stat(path, &status) == 0 || errno == ENOENT else {
                throw TreadleError.reading(path, "stat", errno)
            }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw TreadleError(
                    .cannotCreate, "\(path): is no directory; remove it, or choose another checkpoint.dir")
            }
        case ENOENT where parent != path && parent != ".":
            try makeDirectory(parent)
            try makeDirectory(path)
        case ENOTDIR:
            throw TreadleError(
                .cannotCreate, "\(path): what is above it is no directory; choose another checkpoint.dir")
        default: throw TreadleError.writing(path, "mkdir", failure)
        }
    }

    private static func open(_ path: String) throws -> Int32 {
        let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw TreadleError.writing(path, "open", errno) }
        return descriptor
    }

    private static func isStill(_ descriptor: Int32, at path: String) -> Bool {
        var mine = stat()
        var named = stat()
        guard unsafe fstat(descriptor, &mine) == 0, unsafe lstat(path, &named) == 0 else { return false }
        return mine.st_dev == named.st_dev && mine.st_ino == named.st_ino
    }

    private static func record(_ descriptor: Int32) {
        var name = [CChar](repeating: 0, count: 256)
        // Not Foundation's hostName, which may ask a name server and wait for it.
        _ = unsafe gethostname(&name, name.count - 1)
        let host = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let text = Array("\(getpid()) \(host)\n".utf8)
        // Advice for people: the lock holds whether or not this can be written.
        _ = ftruncate(descriptor, 0)
        _ = unsafe pwrite(descriptor, text, text.count, 0)
    }

    private static func holder(of descriptor: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 256)
        let count = unsafe pread(descriptor, &text, text.count, 0)
        let words = String(decoding: text.prefix(max(0, count)), as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard let process = words.first else { return "its process has not said its number yet" }
        return words.count > 1 ? "process \(process) on \(words[1])" : "process \(process)"
    }
}

/// What to do where another process holds the lock.
package enum LockPolicy: String, CaseIterable, Sendable { case skip, wait, fail }
