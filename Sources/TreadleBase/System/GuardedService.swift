internal import CSystem
internal import Foundation
internal import Glibc
internal import HDF5

/// The life of a child that `GuardedProcess` has started: the program learns from its first argument that it is one.
package enum GuardedService {
    /// The hidden first argument of a child that answers one piece of work.
    private static let workArgument = "--guarded-work"
    /// The hidden first argument of a child that does a whole command.
    private static let commandArgument = "--guarded-command"

    /// Processor time that one call of libhdf5 may take, in seconds. Rows are read in pieces that take a small part of
    /// it.
    static let secondsOfCall = 4
    /// Bytes that one call may take. Decoding takes several times a chunk's size: chunks of a quarter of this can be
    /// read.
    private static let bytesOfCall = 3 << 28

    static func line<Work: GuardedWork>(for work: Work.Type, _ limits: GuardedProcess.Limits) -> [String] {
        [
            workArgument, Work.name, String(limits.memory ?? 0), String(limits.seconds),
            limits.areCallsLimited ? "limited" : "free",
        ]
    }

    static func line(forCommand line: [String]) -> [String] { [commandArgument] + line }

    /// Whether the program was started with `line` to answer one piece of work; then `serve` is all that it does.
    package static func isWork(_ line: [String]) -> Bool { line.first == workArgument }

    /// Answers one request, for one of `works`, and ends the process.
    package static func serve(_ line: [String], works: [any GuardedWork.Type]) -> Never {
        guard line.count == 5, let memory = Int(line[2]), let seconds = Int(line[3]),
            let work = works.first(where: { $0.name == line[1] })
        else { exit(TreadleError.Kind.usage.rawValue) }
        limitProcess(memory: memory, seconds: seconds)
        if line[4] == "limited" { limitCalls() }
        guard let reply = request().map({ answer(work, $0) }) ?? unreadable(), write(reply)
        else { exit(TreadleError.Kind.bug.rawValue) }
        exit(0)
    }

    /// The command in `line` that this process shall do as a child, with the limits in force from here on; nil where it is none.
    package static func command(in line: [String]) -> [String]? {
        guard line.first == commandArgument else { return nil }
        csystem_end_with_parent()
        limitCalls()
        return Array(line.dropFirst())
    }

    /// No call of libhdf5 runs in circles or fills the memory from here on.
    private static func limitCalls() { H5Library.limitCalls(seconds: secondsOfCall, bytes: bytesOfCall) }

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

    /// Whether all of `answer` could be written.
    private static func write(_ answer: Data) -> Bool {
        var rest = answer[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(GuardedChild.socket, $0.baseAddress, $0.count)
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Limits this process irrevocably. A `memory` of 0 sets no limit on memory.
    private static func limitProcess(memory: Int, seconds: Int) {
        func set(_ resource: __rlimit_resource, _ value: Int) {
            var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
            _ = unsafe setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        }
        if memory > 0 {
            // The program's own address space is large and empty: what counts is what comes on top of it.
            let status = (try? String(contentsOfFile: "/proc/self/statm", encoding: .ascii)) ?? ""
            let pages = status.split(separator: " ").first.flatMap { Int($0) } ?? 0
            set(RLIMIT_AS, pages * sysconf(Int32(_SC_PAGESIZE)) + memory)
        }
        set(RLIMIT_CPU, seconds)
        set(RLIMIT_CORE, 0)
        // It writes to its socket and to nothing else.
        set(RLIMIT_FSIZE, 0)
        // The parent kills a child that takes too long. If the parent itself has died, this alarm ends the child.
        alarm(UInt32(GuardedProcess.Limits(seconds: seconds).patience) + 1)
    }

    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }
}

/// A value or an error, on its way through a pipe.
struct Reply<Response: Codable>: Codable {
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
