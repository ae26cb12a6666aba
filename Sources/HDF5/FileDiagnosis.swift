internal import CHDF5Shims
internal import Glibc

/// Why a file cannot be opened or created, found out from the file system and the file's first bytes.
enum FileDiagnosis {
    /// What the file system says before libhdf5 is asked; nil when it says nothing.
    static func refusal(of path: String, as name: String) -> H5Error? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return systemError(name, errno) }
        if status.st_mode & S_IFMT == S_IFDIR { return H5Error(.directory, name, "is a directory") }
        // A pipe or a device would block or never end.
        guard status.st_mode & S_IFMT == S_IFREG else { return H5Error(.notHDF5, name, "is not a regular file") }
        guard unsafe access(path, R_OK) == 0 else { return systemError(name, errno) }
        return nil
    }

    static func systemError(_ path: String, _ code: Int32) -> H5Error {
        switch code {
        case ENOENT: H5Error(.noSuchFile, path, "no such file")
        case ENOTDIR: H5Error(.noSuchFile, path, "no such file: a part of its path is not a directory")
        case EACCES, EPERM, EROFS: H5Error(.permission, path, text(of: code))
        default: H5Error(.failedRead(code), path, "cannot be read: \(text(of: code))")
        }
    }

    /// The system call within libhdf5 that failed, where one did.
    static func systemError(_ name: String, in frames: [ErrorFrame]) -> H5Error? {
        // Of this call alone it does not tell the number; on a file that is open nothing but the disk makes it fail.
        let hasNoState = frames.contains { $0.description.contains("can't retrieve stat info") }
        let number = frames.lazy.compactMap { errorNumber($0.description) }.first { $0 > 0 } ?? (hasNoState ? EIO : nil)
        return number.map { systemError(name, $0) }
    }

    /// The error for a file that libhdf5 did not open.
    static func explain(_ path: String, as name: String, _ frames: [ErrorFrame]) -> H5Error {
        if let failed = systemError(name, in: frames) { return failed }
        if let reason = refusal(of: path, as: name) { return reason }
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return systemError(name, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return systemError(name, errno) }
        let size = Int(status.st_size)
        if size == 0 { return H5Error(.notHDF5, name, "is empty") }
        guard let superblock = Superblock.find(descriptor, size: size) else {
            return H5Error(.notHDF5, name, "is not an HDF5 file")
        }
        if let end = superblock.end, end > size {
            return H5Error(.truncated, name, "is cut short: it has \(size) of its \(end) bytes")
        }
        if superblock.end == nil { return H5Error(.truncated, name, "is cut short within its first block") }
        let cause = frames.first?.description ?? "libhdf5 gave no reason"
        return H5Error(.other, name, "is damaged or of an unknown version (\(cause))")
    }

    /// The error for a file that cannot be created or written.
    static func writingError(_ path: String, _ code: Int32) -> H5Error {
        switch code {
        case EWOULDBLOCK: H5Error(.locked, path, "is open in another program")
        case EEXIST: H5Error(.exists, path, "exists already")
        case EACCES, EPERM, EROFS: H5Error(.permission, path, text(of: code))
        default: H5Error(.failedWrite(code), path, "cannot be written: \(text(of: code))")
        }
    }

    /// Whether a failed lock means that somebody holds it, rather than that there are no locks.
    static func isHeld(_ frame: ErrorFrame) -> Bool {
        let code = errorNumber(frame.description)
        return code == EAGAIN || code == EACCES
    }

    /// The number in libhdf5's "errno = 11".
    private static func errorNumber(_ text: String) -> Int32? {
        guard let range = text.firstRange(of: "errno = ") else { return nil }
        return Int32(text[range.upperBound...].prefix(while: \.isNumber))
    }

    private static func text(of code: Int32) -> String {
        unsafe strerror(code).map { unsafe String(cString: $0).lowercased() } ?? "error \(code)"
    }
}
