internal import CSystem
internal import Foundation
internal import Glibc
internal import HDF5

/// A whole command in a process of its own, because it reads rows from files of unknown origin: libhdf5 may crash on a
/// hostile one, and that shall not be the program's end.
///
/// The child has this process's files and terminal, and no limits but on each call of libhdf5; signals are passed on
/// to it.
package enum SupervisedProcess {
    /// The hidden first argument that makes the program such a child.
    package static let argument = "--supervised"

    /// Processor time that one call of libhdf5 may take, in seconds. Rows are read in pieces that take a small part of
    /// it.
    package static let secondsOfCall = 4
    /// Bytes that one call may take. Decoding takes several times a chunk's size: chunks of a quarter of this can be
    /// read.
    private static let bytesOfCall = 3 << 28

    /// What the child does first: it does not outlive its parent, and no call of libhdf5 runs in circles or fills the memory.
    package static func begin() {
        csystem_end_with_parent()
        limitCalls()
    }

    static func limitCalls() { H5Library.limitCalls(seconds: secondsOfCall, bytes: bytesOfCall) }

    /// Runs `helper`, which is the program once more, with `line`, and returns its exit code. A crash is an error that names `subjects`.
    package static func run(_ line: [String], on subjects: [String], helper: GuardedHelper) throws -> Int32 {
        // Signals wait until they are asked for: none is lost between the start and the wait.
        var waiting = sigset_t()
        unsafe sigemptyset(&waiting)
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2] { unsafe sigaddset(&waiting, signal) }
        let requests = waiting
        unsafe sigaddset(&waiting, SIGCHLD)
        unsafe pthread_sigmask(SIG_BLOCK, &waiting, nil)
        // The child begins with these signals held back, so that one that is passed on early waits for its handlers.
        let child = try ChildProcess.start(
            helper.executable, [argument] + line, files: [], held: requests, subject: subjects.joined(separator: ", "))
        while true {
            var about = unsafe siginfo_t()
            let signal = unsafe sigwaitinfo(&waiting, &about)
            if signal == SIGCHLD {
                var status: Int32 = 0
                guard unsafe waitpid(child, &status, WNOHANG) == child else { continue }
                return try code(status, on: subjects)
            }
            // A signal from the terminal reaches the child by itself; what another process sent to this one alone is
            // passed on.
            if signal > 0, unsafe about.si_code <= 0 { kill(child, signal) }
        }
    }

    private static func code(_ status: Int32, on subjects: [String]) throws -> Int32 {
        let signal = status & 0x7f
        guard signal != 0 else { return (status >> 8) & 0xff }
        let files = subjects.map(\.printable).joined(separator: ", ")
        switch signal {
        case SIGSEGV, SIGBUS, SIGABRT, SIGFPE:
            throw TreadleError.hostile(subjects, "reading it crashed libhdf5 (signal \(signal))")
        case SIGVTALRM:
            throw TreadleError.hostile(subjects, "a call of libhdf5 on it took more than \(secondsOfCall) s")
        case SIGILL, SIGTRAP:
            throw TreadleError(
                .bug, "\(files): the command ended with a fault of its own (signal \(signal)); please report it")
        case SIGKILL:
            throw TreadleError(.tryAgain, "\(files): the command was killed, perhaps for want of memory; try again")
        // The exit code that a shell gives to a program which a signal has ended.
        default: return 128 + signal
        }
    }
}
