internal import Foundation
internal import Glibc
internal import HDF5

/// Starts this program once more, with the signals that a fresh process has.
enum ChildProcess {
    /// What stands behind one of the child's descriptors.
    enum File {
        case descriptor(Int32)
        case null
    }

    /// Starts `executable` and returns its identifier. Descriptors that `files` does not name are this process's own;
    /// of the signals in `held` none comes before the child lets it.
    static func start(
        _ executable: String, _ arguments: [String], files: [(number: Int32, file: File)], held: sigset_t = sigset_t(),
        subject: String
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (number, file) in files {
            switch file {
            case .descriptor(let own): unsafe posix_spawn_file_actions_adddup2(&actions, own, number)
            case .null: unsafe posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
            }
        }
        // The parent's handlers and ignored signals are not for the child.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        signals = held
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        // A crash is an answer here; a backtrace of it would take longer than the work.
        let environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        let argv = CStrings(["treadle"] + arguments)
        let envp = CStrings(environment.map { "\($0)=\($1)" })
        var child: pid_t = 0
        let error = unsafe posix_spawn(&child, executable, &actions, &attributes, argv.pointers, envp.pointers)
        guard error == 0 else { throw failed(subject, "starting a process for it", error) }
        return child
    }

    static func failed(_ subject: String, _ call: String, _ number: Int32) -> TreadleError {
        TreadleError(.inputOutput, "\(subject.printable): \(call) failed: \(TreadleError.reason(number)); try again")
    }
}

/// Texts as C wants them for the time of a call.
@safe
private final class CStrings {
    private(set) var pointers: [UnsafeMutablePointer<CChar>?]

    init(_ texts: [String]) { unsafe pointers = unsafe texts.map { unsafe strdup($0) } + [nil] }

    deinit { unsafe pointers.forEach { unsafe free($0) } }
}
