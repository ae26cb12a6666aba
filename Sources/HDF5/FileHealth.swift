internal import CHDF5Shims
internal import Glibc

/// What has gone wrong with a file on disk since it was created. libhdf5 is not told: it crashes on a full disk.
///
/// All inside the lock.
@safe
final class FileHealth: Sendable {
    private nonisolated(unsafe) let health: OpaquePointer

    /// Makes `access` write through the driver that notes failures here.
    init(_ access: hid_t) throws(H5Error) {
        guard let health = unsafe chdf5_health_new(access) else { throw H5Error.fromStack(subject: "libhdf5") }
        unsafe self.health = health
    }

    /// The `errno` value of the first failure, or 0.
    var error: Int32 { unsafe chdf5_health_error(health) }

    /// Throws the first failure.
    func check(_ path: String) throws(H5Error) {
        if error != 0 { throw FileDiagnosis.writingError(path, error) }
    }

    deinit {
        let health = unsafe health
        H5Library.locked { unsafe chdf5_health_release(health) }
    }
}
