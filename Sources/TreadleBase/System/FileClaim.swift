internal import CSystem
internal import Glibc

/// A lock by which a writer says that it still lives: the kernel drops it with the writer's last descriptor.
///
/// Of open file descriptions (F_OFD_SETLK), which libhdf5's flock on the same file does not collide with.
enum FileClaim {
    enum Answer {
        case mine, another, unknown
    }

    /// Asks for the lock without waiting: `unknown` where the file system has none.
    static func take(_ descriptor: Int32) -> Answer {
        switch csystem_claim(descriptor) {
        case 0: .mine
        case EAGAIN, EACCES: .another
        default: .unknown
        }
    }

    /// Whether the file is regular and has one name, no more and no less.
    static func hasOneName(_ descriptor: Int32) -> Bool {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return false }
        return status.st_mode & S_IFMT == S_IFREG && status.st_nlink == 1
    }
}
