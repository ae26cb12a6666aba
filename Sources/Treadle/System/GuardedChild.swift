internal import Foundation
internal import Glibc
internal import HDF5

/// A running child and the pipe that its answer comes through.
struct GuardedChild {
    enum Ending { case finished, tooLate, tooLong, signal(Int32) }

    private let identifier: pid_t
    private let pipe: Int32

    init(_ executable: String, _ arguments: [String], input: Int32?, subject: String) throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe Glibc.pipe(&ends) == 0 else { throw Self.failed(subject, "pipe", errno) }
        defer { close(ends[1]) }
        // The child's end is a copy without this.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let input {
            unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        // The parent's handlers and ignored signals are not for the child.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        // A crash is an answer here; a backtrace of it would take longer than the work.
        let environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        let argv = CStrings(["treadle"] + arguments)
        let envp = CStrings(environment.map { "\($0)=\($1)" })
        var child: pid_t = 0
        let error = unsafe posix_spawn(&child, executable, &actions, &attributes, argv.pointers, envp.pointers)
        guard error == 0 else {
            close(ends[0])
            throw Self.failed(subject, "starting a process for it", error)
        }
        identifier = child
        pipe = ends[0]
    }

    private static func failed(_ subject: String, _ call: String, _ number: Int32) -> TreadleError {
        TreadleError(.inputOutput, "\(subject.printable): \(call) failed: \(TreadleError.reason(number)); try again")
    }

    /// Reads to the end of the answer or of the limits, and waits for the child, which does not outlive this.
    func collect(within limits: GuardedProcess.Limits) -> (bytes: Data, ending: Ending) {
        let deadline = ContinuousClock.now + .seconds(limits.patience)
        var answer = Data()
        var ending = Ending.finished
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        reading: while true {
            var waiting = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            let left = (deadline - .now) / .milliseconds(1)
            let ready = unsafe poll(&waiting, 1, Int32(max(0, min(left, 1e6))))
            if ready < 0, errno == EINTR { continue }
            if ready <= 0 {
                ending = .tooLate
                break
            }
            let count = unsafe read(pipe, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            answer.append(contentsOf: chunk[..<count])
            if answer.count > limits.response {
                ending = .tooLong
                break reading
            }
        }
        close(pipe)
        if case .finished = ending {} else { kill(identifier, SIGKILL) }
        var status: Int32 = 0
        while unsafe waitpid(identifier, &status, 0) < 0, errno == EINTR {}
        if case .finished = ending, status & 0x7f != 0 { ending = .signal(status & 0x7f) }
        return (answer, ending)
    }
}

/// Texts as C wants them for the time of a call.
@safe
private final class CStrings {
    private(set) var pointers: [UnsafeMutablePointer<CChar>?]

    init(_ texts: [String]) { unsafe pointers = unsafe texts.map { unsafe strdup($0) } + [nil] }

    deinit { unsafe pointers.forEach { unsafe free($0) } }
}
