internal import Foundation
internal import Glibc
internal import HDF5

/// Work on a file of unknown origin: libhdf5 may crash or hang on a hostile one, so it runs in a process of its own.
package protocol GuardedWork {
    associatedtype Request: Codable & Sendable
    associatedtype Response: Codable & Sendable
    /// What the child is asked for by.
    static var name: String { get }
    /// Runs in the child. What it throws, the parent throws.
    static func perform(_ request: Request) throws -> Response
}

/// The program that does guarded work when it is started with a line that `GuardedService` understands.
///
/// Only a program can name one: a library has no business to start its host once more.
package struct GuardedHelper: Sendable {
    package let executable: String

    package init(_ executable: String) {
        self.executable = executable
    }
}

/// Runs the program once more on files of unknown origin: libhdf5 may crash on a hostile one, or run in circles, and that shall
/// not be this process's end.
///
/// The child either answers one piece of work (`perform`) or does a whole command in this one's place (`run`). In both cases it
/// has limits, and how it ends is told in the same words.
package enum GuardedProcess {
    /// What a child may use. What is nil has no limit.
    package struct Limits: Sendable {
        /// Bytes of memory beyond what the program itself needs.
        package var memory: Int?
        /// Processor time in seconds. By the clock it may take five times that: what is slow on a busy machine is not
        /// hostile.
        package var seconds: Int
        /// Seconds by the clock.
        package var patience: Int { 5 * seconds }
        /// Whether each call of libhdf5 has a limit of time and memory: work that may take long as a whole needs it.
        package var areCallsLimited: Bool
        /// Bytes of the answer.
        package var response: Int

        package init(
            memory: Int? = 512 << 20, seconds: Int = 30, areCallsLimited: Bool = false, response: Int = 256 << 20
        ) {
            self.memory = memory
            self.seconds = seconds
            self.areCallsLimited = areCallsLimited
            self.response = response
        }
    }

    /// Does `work` in a child. A child that dies is an error that calls `subject` damaged or hostile.
    ///
    /// `input` is a descriptor that shall be the child's standard input. A request to `stop` ends the child.
    package static func perform<Work: GuardedWork>(
        _ work: Work.Type, _ request: Work.Request, on subject: String, limits: Limits = Limits(),
        input: Int32? = nil, stop: Stop = Stop(), helper: GuardedHelper
    ) throws -> Work.Response {
        let line = GuardedService.line(for: work, limits)
        let order = try GuardedService.encoder.encode(request)
        let child = try GuardedChild(helper.executable, line, input: input, subject: subject)
        let answer = child.collect(order, within: limits, stop: stop)
        switch answer.ending {
        case .finished:
            guard let reply = try? GuardedService.decoder.decode(Reply<Work.Response>.self, from: answer.bytes) else {
                throw hostile([subject], "the process that read it gave no answer")
            }
            return try reply.get()
        case .stopped:
            try stop.check()
            throw interrupted(subject)
        case .tooLate: throw tooSlow(subject, limits.patience)
        case .tooLong: throw hostile([subject], "it describes more than \(limits.response.asBytes)")
        case .signal(SIGXCPU), .signal(SIGALRM): throw tooSlow(subject, limits.seconds)
        case .signal(let signal): throw death(by: signal, on: [subject], memory: limits.memory) ?? interrupted(subject)
        }
    }

    /// Does the command `line` in a child, which has this process's files and terminal and no limits but on each call of
    /// libhdf5, and returns its exit code. Signals are passed on to it. A crash is an error that names `subjects`.
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
            helper.executable, GuardedService.line(forCommand: line), files: [], held: requests,
            subject: subjects.joined(separator: ", "))
        while true {
            var about = unsafe siginfo_t()
            let signal = unsafe sigwaitinfo(&waiting, &about)
            if signal == SIGCHLD {
                var status: Int32 = 0
                guard unsafe waitpid(child, &status, WNOHANG) == child else { continue }
                let signal = status & 0x7f
                guard signal != 0 else { return (status >> 8) & 0xff }
                if let error = death(by: signal, on: subjects, memory: nil) { throw error }
                // The exit code that a shell gives to a program which a signal has ended.
                return 128 + signal
            }
            // A signal from the terminal reaches the child by itself; what another process sent to this one alone is
            // passed on.
            if signal > 0, unsafe about.si_code <= 0 { kill(child, signal) }
        }
    }

    /// What a child's death by `signal` says of the files that it read; nil where somebody wanted it to end.
    private static func death(by signal: Int32, on subjects: [String], memory: Int?) -> TreadleError? {
        let files = subjects.map(\.printable).joined(separator: ", ")
        switch signal {
        case SIGVTALRM:
            return hostile(subjects, "a call of libhdf5 on it took more than \(GuardedService.secondsOfCall) s")
        case SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP:
            // Where memory has a limit, its end can look like any fault.
            if let memory {
                return hostile(
                    subjects, "reading it crashed libhdf5 or took over \(memory.asBytes) (signal \(signal))")
            }
            guard signal != SIGILL, signal != SIGTRAP else {
                return TreadleError(
                    .bug, "\(files): treadle ended with a fault of its own (signal \(signal)); please report it")
            }
            return hostile(subjects, "reading it crashed libhdf5 (signal \(signal))")
        case SIGKILL:
            return TreadleError(
                .tryAgain,
                "\(files): the process that read it was killed, perhaps for want of memory; run the command again")
        default: return nil
        }
    }

    private static func hostile(_ subjects: [String], _ what: String) -> TreadleError {
        let files = subjects.map(\.printable).joined(separator: ", ")
        return TreadleError(
            .badData,
            "\(subjects.count > 1 ? "one of " : "")\(files): damaged or hostile: \(what); do not use it, get it again from its "
                + "source")
    }

    private static func interrupted(_ subject: String) -> TreadleError {
        TreadleError(.tryAgain, "\(subject.printable): reading it was interrupted; run the command again")
    }

    private static func tooSlow(_ subject: String, _ seconds: Int) -> TreadleError {
        TreadleError(
            .badData,
            "\(subject.printable): damaged, hostile or very large: reading it took more than \(seconds) s; if you trust "
                + "it, \"treadle inspect --limit SECONDS FILE\" looks at it for longer; other commands take no longer")
    }
}
