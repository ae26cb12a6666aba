internal import CDecode
internal import Glibc
internal import HDF5
internal import Synchronization
internal import TreadleBase

/// One file of a dataset: open through libhdf5 for what it says of itself, and as bytes for its contents.
final class DataFile: Sendable {
    /// As messages name it: where it lies, or the table that it was made from.
    let path: String
    private let place: String
    /// The table that it was made from behind the scenes.
    let table: ImportedTable?
    let hdf5: H5File
    let descriptor: Int32
    let identity: FileIdentity
    /// What some of its bytes are, as of the last time that anything about the file had changed.
    private let sample: Mutex<FileSample>

    convenience init(_ table: ImportedTable, policy: AccessPolicy) throws {
        try self.init(table.path, policy: policy, table: table)
    }

    init(_ path: String, policy: AccessPolicy, table: ImportedTable? = nil) throws {
        // A pipe would wait here for its writer: what it is, is asked afterwards.
        let opened = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else { throw TreadleError.reading(path, "open", errno) }
        do {
            var status = stat()
            guard unsafe fstat(opened, &status) == 0 else { throw TreadleError.reading(path, "fstat", errno) }
            guard status.st_mode & S_IFMT != S_IFDIR else { throw TreadleError.reading(path, "open", EISDIR) }
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw TreadleError(
                    .badData, "\(path): is not a regular file; name a file on disk, which can be read again and again")
            }
            let found = try FileIdentity(of: opened, path)
            let hdf5 = try H5File.open(path, policy: policy)
            // Between the two openings another file can have taken the name.
            guard try FileIdentity(at: path) == found else {
                throw TreadleError(.tryAgain, "\(path): it was replaced while being opened; try again")
            }
            self.path = table?.name ?? path
            place = path
            self.table = table
            self.hdf5 = hdf5
            descriptor = opened
            identity = found
            sample = Mutex(try FileSample(of: opened, size: found.size, path))
        } catch {
            close(opened)
            throw TreadleError(reading: error)
        }
    }

    deinit {
        close(descriptor)
    }

    /// Throws when the file under this name is no longer the one that was opened, byte for byte as far as its times tell.
    func checkUnchanged() throws {
        // It is written once and renamed into place: whoever takes its name away does not change what was opened.
        if table != nil { return }
        let now: FileIdentity
        do {
            now = try FileIdentity(at: place)
        } catch let error as TreadleError where error.kind == .noInput {
            throw TreadleError(
                .badData, "\(path): it was removed or renamed while in use; put it back, or start again without it")
        }
        guard let what = try identity.change(to: now) ?? rewriting() else { return }
        throw TreadleError(
            .badData, "\(path): \(what) while in use; write data to a new name and rename it between runs")
    }

    /// What has become of bytes whose time of writing was put back; nil where they are the same, and only the name, the rights or
    /// the like have changed.
    private func rewriting() throws -> String? {
        try sample.withLock { known in
            guard try FileSample.touched(descriptor, path) != known.touched else { return nil }
            let now = try FileSample(of: descriptor, size: identity.size, path)
            guard now.digest == known.digest else { return "it was written to, and its time put back," }
            known = now
            return nil
        }
    }

    /// Reads exactly `size` bytes at `offset`.
    func read(_ target: UnsafeMutableRawPointer, offset: Int, size: Int) throws {
        let status = unsafe cd_read(descriptor, UInt64(offset), target, size)
        guard status != 0 else { return }
        if status < 0 {
            try checkUnchanged()
            throw TreadleError(
                .badData, "\(path): it ends before byte \(offset + size), where data should be; restore the whole file")
        }
        throw TreadleError.reading(path, "read", status)
    }

    /// Tells the kernel how `size` bytes at `offset` will be read.
    func advise(_ advice: Int32, offset: Int, size: Int) {
        // Advice alone: a file system that ignores it reads all the same.
        _ = posix_fadvise(descriptor, offset, size, advice)
    }
}

/// Some bytes of a file, and when anything about it last changed. That time is the kernel's own, and nobody can put it back.
private struct FileSample {
    let touched: [Int64]
    let digest: [UInt8]

    private static let blocks = 32
    private static let blockSize = 4096

    init(of descriptor: Int32, size: Int, _ path: String) throws {
        // Asked first: what changes while the bytes are read is found the next time.
        touched = try Self.touched(descriptor, path)
        var hash = SHA256()
        var block = [UInt8](repeating: 0, count: Self.blockSize)
        for index in 0..<Self.blocks {
            let last = max(0, size - Self.blockSize)
            let offset = index == Self.blocks - 1 ? last : last / (Self.blocks - 1) * index
            let count = unsafe pread(descriptor, &block, block.count, offset)
            guard count >= 0 else { throw TreadleError.reading(path, "read", errno) }
            hash.add(Array(block[..<count]))
        }
        digest = hash.digest
    }

    static func touched(_ descriptor: Int32, _ path: String) throws -> [Int64] {
        var found = cd_identity()
        let status = unsafe cd_identify(descriptor, nil, &found)
        guard status == 0 else { throw TreadleError.reading(path, "fstat", status) }
        return [found.touched_seconds, found.touched_nanoseconds]
    }
}

/// What tells whether a file is still the same: where it lies, its length, and when it was last written.
package struct FileIdentity: Hashable, Sendable, Codable {
    var device: UInt64
    var inode: UInt64
    var size: Int
    var seconds: Int
    var nanoseconds: Int

    package init(of descriptor: Int32, _ path: String) throws {
        var found = cd_identity()
        let status = unsafe cd_identify(descriptor, nil, &found)
        guard status == 0 else { throw TreadleError.reading(path, "fstat", status) }
        self.init(found)
    }

    init(at path: String) throws {
        var found = cd_identity()
        let status = unsafe cd_identify(-1, path, &found)
        guard status == 0 else { throw TreadleError.reading(path, "stat", status) }
        self.init(found)
    }

    /// What has become of the file, in words; nil where it is the same.
    func change(to now: FileIdentity) -> String? {
        guard now != self else { return nil }
        if now.device != device || now.inode != inode { return "it was replaced by another file" }
        if now.size < size { return "it was cut from \(size) to \(now.size) bytes" }
        return now.size > size ? "it grew from \(size) to \(now.size) bytes" : "it was written to"
    }

    private init(_ found: cd_identity) {
        device = found.device
        inode = found.inode
        size = Int(clamping: found.size)
        seconds = Int(found.seconds)
        nanoseconds = Int(found.nanoseconds)
    }
}

extension TreadleError {
    /// An error of the HDF5 layer with the exit code it deserves, and what to do; others as they are.
    init(reading error: any Error) {
        if let error = error as? TreadleError {
            self = error
            return
        }
        guard let error = error as? H5Error else {
            self.init(.inputOutput, "\(error)")
            return
        }
        self.init(error)
    }
}
