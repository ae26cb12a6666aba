internal import Foundation
internal import Glibc

/// A file that takes its place all at once and for good, or not at all.
///
/// Bytes go to a temporary beside the target, which `commit` syncs, renames over the target and makes durable.
/// Without a commit, and after any failure, the target is what it was before and the temporary is gone. A process
/// that is killed may leave its temporary behind: `removeLeftovers` knows them by their names, and `removeAbandoned`
/// by the lock that a living writer holds.
package struct DurableFile: ~Copyable {
    package let path: String
    /// Where the bytes go until then: for whoever writes them by name.
    package let temporary: String
    private let calls: SystemCalls
    private var descriptor: Int32
    /// Keeps the temporary's lock from before the first byte until it has its name.
    private let hold: Int32
    private var renamed = false

    /// Begins a file under a name that is free, unless it is to be replaced. What killed writers of it left goes.
    package init(creating path: String, replacing: Bool) throws {
        if !replacing { try DurableFile.refuseExisting(path) }
        DurableFile.removeAbandoned(of: path)
        try self.init(replacing: path)
    }

    package static func refuseExisting(_ path: String) throws {
        guard unsafe access(path, F_OK) == 0 else { return }
        throw TreadleError(.cannotCreate, "\(path) exists; choose another name, or replace it with --force")
    }

    /// Begins a file that will replace `path`, with the permissions of the file that is there, if one is.
    package init(replacing path: String, calls: SystemCalls = SystemCalls()) throws {
        self.path = path
        self.calls = calls
        let mode = try DurableFile.mode(ofFileAt: path)
        (temporary, descriptor, hold) = try DurableFile.createTemporary(for: path, calls)
        // A private file stays private; where the file system has no such modes there is nothing to keep.
        if let mode { _ = fchmod(descriptor, mode) }
    }

    /// A temporary of this process's own, locked for as long as one of both descriptors is open.
    private static func createTemporary(
        for path: String, _ calls: SystemCalls
    ) throws -> (name: String, descriptor: Int32, hold: Int32) {
        while true {
            let name = temporaryName(for: path)
            let descriptor = try calls.create(name, for: path)
            let isMine = unsafe FileClaim.take(descriptor) != .another && access(name, F_OK) == 0
            let hold = isMine ? fcntl(descriptor, F_DUPFD_CLOEXEC, 0) : -1
            if hold >= 0 { return (name, descriptor, hold) }
            let failure = errno
            _ = Glibc.close(descriptor)
            _ = unsafe unlink(name)
            // If it is not ours, another process saw the temporary before it was locked, and removed it as abandoned:
            // try another.
            if isMine { throw TreadleError.writing(path, "dup", failure) }
        }
    }

    package mutating func write(_ bytes: RawSpan) throws {
        try calls.write(bytes, to: descriptor, for: path)
    }

    package mutating func write(_ bytes: [UInt8]) throws {
        try write(unsafe bytes.span.bytes)
    }

    /// Writes where `offset` says, from many threads at once if their bytes do not overlap.
    package func write(_ bytes: RawSpan, at offset: Int) throws {
        try calls.write(bytes, to: descriptor, at: offset, for: path)
    }

    /// Takes hold of the space up to `size`, so that the disk cannot fill up half-way.
    package func reserve(_ size: Int) throws {
        let failure = posix_fallocate(descriptor, 0, off_t(size))
        guard failure == 0 || failure == EOPNOTSUPP || failure == EINVAL else {
            throw TreadleError.writing(path, "fallocate", failure)
        }
    }

    /// Puts the file in place. When this throws after the rename, the new file stands but a power cut may undo it.
    package mutating func commit() throws {
        try calls.fsync(descriptor, for: path)
        let written = descriptor
        descriptor = -1
        try calls.close(written, for: path)
        try calls.rename(temporary, to: path)
        renamed = true
        try calls.syncDirectory(DurableFile.directory(of: path))
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        if !renamed { _ = unsafe unlink(temporary) }
        if hold >= 0 { _ = Glibc.close(hold) }
    }
}

extension DurableFile {
    /// Replaces `path` by a file that holds this text.
    package static func write(_ text: String, to path: String, calls: SystemCalls = SystemCalls()) throws {
        var file = try DurableFile(replacing: path, calls: calls)
        try file.write(Array(text.utf8))
        try file.commit()
    }

    /// Replaces `path` by another name of the file at `existing`, which must lie on the same file system.
    package static func link(_ existing: String, replacing path: String, calls: SystemCalls = SystemCalls()) throws {
        let temporary = temporaryName(for: path)
        try calls.link(existing, as: temporary, for: path)
        do {
            try calls.rename(temporary, to: path)
        } catch {
            _ = unsafe unlink(temporary)
            throw error
        }
        // Renaming one name of a file over another of the same file does nothing, the temporary included.
        _ = unsafe unlink(temporary)
        try calls.syncDirectory(directory(of: path))
    }

    /// Removes what killed writers of files of the names that `owns` accepts left in `directory`; whoever calls must hold
    /// the lock that these are written under. Returns the names of what was removed.
    @discardableResult
    package static func removeLeftovers(
        in directory: String, of owns: (_ name: String) -> Bool = { _ in true }
    ) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().filter { name in
            // `.target.0123456789abcdef.tmp`
            guard isTemporary(name), owns(String(name.dropFirst().dropLast(21))) else { return false }
            return unsafe unlink(directory + "/" + name) == 0
        }
    }

    /// Removes the temporaries of `path` whose writers are gone: nobody holds their locks.
    private static func removeAbandoned(of path: String) {
        let directory = directory(of: path)
        let start = temporaryStart(for: path)
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
            guard name.hasPrefix(start), isTemporary(name), name.utf8.count == start.utf8.count + 20 else { continue }
            let temporary = directory + "/" + name
            let descriptor = unsafe open(temporary, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            // A second name of a file is not being written to: `link` may be about to rename it.
            if FileClaim.take(descriptor) == .mine, FileClaim.hasOneName(descriptor) {
                _ = unsafe unlink(temporary)
            }
            close(descriptor)
        }
    }

    /// Whether `name` is a temporary's: `.target.0123456789abcdef.tmp`.
    package static func isTemporary(_ name: String) -> Bool {
        guard name.hasPrefix("."), name.hasSuffix(".tmp") else { return false }
        let random = name.dropLast(4).suffix(17)
        return random.count == 17 && random.first == "." && random.dropFirst().allSatisfy(\.isHexDigit)
    }

    /// The permissions of the file at `path`, or nil where there is none.
    ///
    /// What is no regular file throws: renaming over a device or a pipe would not write to it but remove it.
    private static func mode(ofFileAt path: String) throws -> mode_t? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return status.st_mode & 0o777
        case S_IFDIR: throw TreadleError.writing(path, "open", EISDIR)
        default: throw TreadleError(.cannotCreate, "\(path): not a regular file; choose the name of a file")
        }
    }

    private static func temporaryName(for path: String) -> String {
        let random = String(UInt64.random(in: 0 ... .max), radix: 16)
        let digits = String(repeating: "0", count: 16 - random.count) + random
        return directory(of: path) + "/" + temporaryStart(for: path) + digits + ".tmp"
    }

    private static func temporaryStart(for path: String) -> String {
        // The kernel's limit on names is 255 bytes.
        "." + String(decoding: lastComponent(of: path).utf8.prefix(200), as: UTF8.self) + "."
    }

    package static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func lastComponent(of path: String) -> Substring {
        path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
    }
}
