internal import Glibc

extension TreadleError {
    /// The kernel's words for an `errno` value.
    package static func reason(_ number: Int32) -> String {
        var text = [CChar](repeating: 0, count: 256)
        guard unsafe strerror_r(number, &text, text.count) == 0 else { return "error \(number)" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// A system call that failed while `path` was being made or replaced.
    package static func writing(_ path: String, _ call: String, _ number: Int32) -> TreadleError {
        let (kind, advice): (Kind, String) =
            switch number {
            case ENOSPC: (.inputOutput, "free space on its file system")
            case EDQUOT: (.inputOutput, "free space within the quota, or have it raised")
            case EFBIG: (.inputOutput, "raise the limit on file sizes (ulimit -f)")
            case EIO: (.inputOutput, "look for faults of the disk in the kernel's log")
            case EACCES, EPERM: (.permission, "make its directory writable for this user")
            case EROFS: (.cannotCreate, "choose a directory that is not read-only")
            case ENOENT, ENOTDIR: (.cannotCreate, "create its directory first")
            case EISDIR: (.cannotCreate, "choose a name that is not a directory's")
            case ENAMETOOLONG: (.cannotCreate, "choose a shorter name")
            case EMFILE, ENFILE: (.inputOutput, "raise the limit on open files (ulimit -n)")
            case ESTALE: (.inputOutput, stale)
            default: (.inputOutput, "check its file system")
            }
        return TreadleError(kind, "\(path): \(call) failed: \(reason(number)); \(advice)")
    }

    /// Advice for ESTALE: a network file system whose server was restored, or now exports another directory.
    private static let stale =
        "its server no longer knows the file or directory that was in use: mount the file system anew"

    /// A system call that failed while `path` was being read.
    package static func reading(_ path: String, _ call: String, _ number: Int32) -> TreadleError {
        switch number {
        case ENOENT, ENOTDIR:
            TreadleError(.noInput, "\(path): no such file; check the path")
        case EACCES, EPERM:
            TreadleError(.permission, "\(path): \(call) failed: \(reason(number)); make it readable for this user")
        case EISDIR:
            TreadleError(.badData, "\(path): is a directory; name a file in it")
        case ESTALE:
            TreadleError(.inputOutput, "\(path): \(call) failed: \(reason(number)); \(stale)")
        case ENXIO:
            TreadleError(.badData, "\(path): is a socket or a device, and not a file; name a file on disk")
        case ELOOP:
            TreadleError(.badData, "\(path): too many symbolic links; name the file itself")
        default:
            TreadleError(.inputOutput, "\(path): \(call) failed: \(reason(number)); check its disk and file system")
        }
    }
}
