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

/// The program that does guarded work when it is started with `GuardedProcess.argument` first.
///
/// Only a program can name one: a library has no business to start its host once more.
package struct GuardedHelper: Sendable {
    package let executable: String

    package init(_ executable: String) {
        self.executable = executable
    }
}

/// Runs guarded work in a child, which is a helper with limits on memory and time.
package enum GuardedProcess {
    package struct Limits: Sendable {
        /// Bytes of memory beyond what the program itself needs.
        package var memory: Int
        /// Processor time in seconds. By the clock it may take five times that: what is slow on a busy machine is not
        /// hostile.
        package var seconds: Int
        /// Seconds by the clock.
        package var patience: Int { 5 * seconds }
        /// Processor time of any one call of libhdf5, in seconds; 0 is no limit.
        package var secondsOfCall: Int
        /// Bytes of the answer.
        package var response: Int

        package init(
            memory: Int = 512 << 20, seconds: Int = 30, secondsOfCall: Int = 0, response: Int = 256 << 20
        ) {
            self.memory = memory
            self.seconds = seconds
            self.secondsOfCall = secondsOfCall
            self.response = response
        }
    }

    /// The hidden first argument that makes the program a child.
    package static let argument = "--guarded-work"

    /// Does `work` in a child. A child that dies is an error that calls `subject` damaged or hostile.
    ///
    /// `input` is a descriptor that shall be the child's standard input. A request to `stop` ends the child.
    package static func perform<Work: GuardedWork>(
        _ work: Work.Type, _ request: Work.Request, on subject: String, limits: Limits = Limits(),
        input: Int32? = nil, stop: Stop = Stop(), helper: GuardedHelper
    ) throws -> Work.Response {
        let line = [argument, Work.name, String(limits.memory), String(limits.seconds), String(limits.secondsOfCall)]
        let order = try encoder.encode(request)
        let child = try GuardedChild(helper.executable, line, input: input, subject: subject)
        let answer = child.collect(order, within: limits, stop: stop)
        switch answer.ending {
        case .finished:
            guard let reply = try? decoder.decode(Reply<Work.Response>.self, from: answer.bytes) else {
                throw TreadleError.hostile([subject], "the process that read it gave no answer")
            }
            return try reply.get()
        case .stopped:
            try stop.check()
            throw TreadleError(.tryAgain, "\(subject.printable): reading it was interrupted; run the command again")
        case .tooLate: throw tooSlow(subject, limits.patience)
        case .signal(SIGVTALRM):
            throw TreadleError.hostile([subject], "a call of libhdf5 on it took more than \(limits.secondsOfCall) s")
        case .tooLong: throw TreadleError.hostile([subject], "it describes more than \(limits.response >> 20) MB")
        case .signal(SIGXCPU), .signal(SIGALRM):
            throw tooSlow(subject, limits.seconds)
        case .signal(let signal) where [SIGINT, SIGTERM, SIGHUP].contains(signal):
            throw TreadleError(.tryAgain, "\(subject.printable): reading it was interrupted; run the command again")
        case .signal(let signal) where limits.secondsOfCall > 0:
            throw TreadleError.hostile([subject], "reading it crashed libhdf5 (signal \(signal))")
        case .signal(let signal):
            throw TreadleError.hostile(
                [subject], "reading it crashed libhdf5 or took over \(limits.memory >> 20) MB (signal \(signal))")
        }
    }

    /// The child's life: answers one request, for one of `works`, and ends the process.
    package static func serve(_ arguments: [String], works: [any GuardedWork.Type]) -> Never {
        guard arguments.count == 5, let memory = Int(arguments[2]), let seconds = Int(arguments[3]),
            let secondsOfCall = Int(arguments[4]), let work = works.first(where: { $0.name == arguments[1] })
        else { exit(TreadleError.Kind.usage.rawValue) }
        limit(memory: memory, seconds: seconds)
        if secondsOfCall > 0 { SupervisedProcess.limitCalls() }
        guard let reply = request().map({ answer(work, $0) }) ?? unreadable(), write(reply) != nil
        else { exit(TreadleError.Kind.bug.rawValue) }
        exit(0)
    }

    private static func tooSlow(_ subject: String, _ seconds: Int) -> TreadleError {
        TreadleError(
            .badData,
            "\(subject.printable): damaged, hostile or very large: reading it took more than \(seconds) s; if you trust "
                + "it, \"treadle inspect --limit SECONDS FILE\" looks at it for longer; other commands take no longer")
    }

    private static func request() -> Data? {
        try? FileHandle(fileDescriptor: GuardedChild.socket).readToEnd() ?? Data()
    }

    /// What is answered where the request does not arrive: that is no fault of the file.
    private static func unreadable() -> Data? {
        try? encoder.encode(
            Reply<Bool> {
                throw TreadleError(
                    .inputOutput, "a process that was to open a file could not read what was asked of it; try again")
            })
    }

    private static func answer<Work: GuardedWork>(_ work: Work.Type, _ request: Data) -> Data? {
        guard let request = try? decoder.decode(Work.Request.self, from: request) else { return nil }
        return try? encoder.encode(Reply { try work.perform(request) })
    }

    private static func write(_ answer: Data) -> Int? {
        var rest = answer[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(GuardedChild.socket, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return nil }
            rest = rest.dropFirst(count)
        }
        return answer.count
    }

    /// Limits this process for good.
    private static func limit(memory: Int, seconds: Int) {
        // The program's own address space is large and empty: what counts is what comes on top of it.
        let status = (try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii)) ?? ""
        let present = (status.split(separator: " ").first.flatMap { Int($0) } ?? 0) * sysconf(Int32(_SC_PAGESIZE))
        func set(_ resource: __rlimit_resource, _ value: Int) {
            var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
            _ = unsafe setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        }
        set(RLIMIT_AS, present + memory)
        set(RLIMIT_CPU, seconds)
        set(RLIMIT_CORE, 0)
        // It writes to its pipe and to nothing else.
        set(RLIMIT_FSIZE, 0)
        // The parent ends a child that takes too long; should it die first, this does.
        alarm(UInt32(Limits(seconds: seconds).patience) + 1)
    }

    private static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }
}

/// A value or an error, on its way through a pipe.
private struct Reply<Response: Codable>: Codable {
    private var value: Response?
    private var kind: Int32?
    private var messages: [String]?

    init(_ work: () throws -> Response) {
        do {
            value = try work()
        } catch {
            let known = error as? TreadleError ?? (error as? H5Error).map { TreadleError($0) }
            kind = (known?.kind ?? .badData).rawValue
            messages = known?.messages ?? ["\(error)"]
        }
    }

    func get() throws -> Response {
        if let value { return value }
        throw TreadleError(kind.flatMap { TreadleError.Kind(rawValue: $0) } ?? .badData, messages: messages ?? [])
    }
}
