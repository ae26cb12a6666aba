package import CMPIShims
internal import Foundation

/// The processes that train one run together: one, unless MPI's launcher started several.
///
/// Every rank makes the same calls in the same order, from one thread. The first failure stays: what is asked for
/// after it does nothing, and `check` throws it.
@safe package final class Ranks: @unchecked Sendable {
    /// This process's number, from 0 on, and how many there are.
    package let index: Int
    package let count: Int
    /// The hosts' names by rank.
    package private(set) var hosts: [String]
    /// How long to wait for a rank that is silent.
    package var timeout: Duration = .seconds(300)
    /// What this rank asks for, told to all with the next batch's sums; and what all have told with the last.
    package var wishes: RankWishes = []
    package var agreed: RankWishes = []

    private let hasJoined: Bool
    package let messages: RankMessages
    private var failure: TreadleError?
    /// When another rank called the roll: it will end the job.
    private var called: ContinuousClock.Instant?

    /// The one process of most runs.
    package static let alone = Ranks(index: 0, count: 1)

    /// Tests say what carries the messages.
    package init(index: Int, count: Int, hasJoined: Bool = false, messages: RankMessages = RankMessages()) {
        self.index = index
        self.count = count
        self.hasJoined = hasJoined
        self.messages = messages
        hosts = [ProcessInfo.processInfo.hostName]
    }

    /// Takes part in the job that a launcher started this process for; alone where none did.
    package static func join() throws -> Ranks {
        let environment = ProcessInfo.processInfo.environment
        let sizes = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"].compactMap { environment[$0].flatMap { Int($0) } }
        let isLaunched = !sizes.isEmpty || environment["PMIX_RANK"] != nil || environment["PMI_RANK"] != nil
        guard cmpi_is_built() != 0 else {
            guard let size = sizes.first, size > 1 else { return .alone }
            throw TreadleError(
                .usage,
                "started as one of \(size) ranks, but this treadle was built without MPI; build it with \"swift build -c "
                    + "release --traits MPI\", or start it without mpirun")
        }
        guard isLaunched else { return .alone }
        let number = ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"].lazy.compactMap { environment[$0] }.first
        unsafe cmpi_guard(number ?? "?", TreadleError.Kind.tryAgain.rawValue)
        var index: Int32 = 0
        var count: Int32 = 1
        let error = unsafe cmpi_start(&index, &count)
        guard error == 0 else { throw TreadleError(.tryAgain, "MPI did not start: \(text(error))") }
        let ranks = Ranks(index: Int(index), count: Int(count), hasJoined: true)
        if count > 1 { ranks.hosts = try ranks.collect(ranks.hosts[0]) }
        return ranks
    }

    package var isAlone: Bool { count == 1 }
    /// The first rank writes, logs and decides.
    package var isFirst: Bool { index == 0 }

    /// This rank as messages name it.
    package var name: String { name(of: index) }
    package func name(of rank: Int) -> String {
        "rank \(rank) on \(rank < hosts.count ? hosts[rank] : "an unknown host")"
    }

    // MARK: the end

    /// Throws the first failure, if there was one.
    package func check() throws {
        if let failure { throw failure }
    }

    /// Whether this rank failed for want of the others, in words that name them.
    package var hasLostOthers: Bool { failure != nil }

    /// Leaves the job together with the other ranks.
    package func leave() {
        if hasJoined { _ = cmpi_finish() }
    }

    /// After a failure: whether every rank has failed, as all do for what is wrong with the configuration.
    package func haveAllFailed(within grace: Duration = .seconds(3)) -> Bool {
        guard failure == nil else { return false }
        var request = cmpi_request()
        guard unsafe messages.meet(&request) == 0 else { return false }
        let end = ContinuousClock.now + grace
        while ContinuousClock.now < end {
            switch unsafe messages.test(&request) {
            case 0: usleep(1000)
            case 1: return true
            default: return false
            }
        }
        return false
    }

    /// Ends every rank of the job.
    package func abort(code: Int32) -> Never {
        cmpi_abort(code)
        exit(code)
    }

    // MARK: communication

    /// Waits until `start` has done what it starts; the failure of either stays.
    package func run(_ start: (inout cmpi_request) -> Int32) {
        var request = begin(start)
        finish(&request)
    }

    /// Starts a communication.
    package func begin(_ start: (inout cmpi_request) -> Int32) -> cmpi_request? {
        guard failure == nil else { return nil }
        var request = cmpi_request()
        let error = start(&request)
        if error != 0 {
            fail(error)
            return nil
        }
        return request
    }

    /// Lets communications that were begun go on, this one and all others.
    package func proceed(_ request: inout cmpi_request?) { _ = isDone(&request) }

    /// Waits for a communication, but not for a rank that has been silent for longer than `timeout`.
    package func finish(_ request: inout cmpi_request?) {
        var turns = 0
        var end = ContinuousClock.now + timeout
        while !isDone(&request) {
            turns += 1
            // Soon done, or the cores are wanted by other ranks: never spin without bound.
            if turns < 100 { continue }
            usleep(turns < 1000 ? 10 : 100)
            guard turns.isMultiple(of: 16) else { continue }
            listen { _ in }
            if let called { end = max(end, called + .seconds(20)) }
            if ContinuousClock.now > end { callRoll() }
        }
    }

    private func isDone(_ request: inout cmpi_request?) -> Bool {
        guard failure == nil, var handle = request else { return true }
        let state = unsafe messages.test(&handle)
        request = state == 0 ? handle : nil
        if state != 0 && state != 1 { fail(state) }
        return state != 0
    }

    private func fail(_ error: Int32) {
        failure = TreadleError(
            .tryAgain,
            "the ranks cannot reach each other: \(Ranks.text(error)); the last checkpoint is intact: start the same command again"
        )
    }

    private static func text(_ error: Int32) -> String {
        var text = [CChar](repeating: 0, count: 512)
        unsafe cmpi_error_text(error, &text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    // MARK: silent ranks

    private static let rollCall: Int32 = 1
    private static let present: Int32 = 2

    /// Hears what other ranks say: answers a roll call, and tells `isPresent` who answers this rank's own.
    private func listen(_ isPresent: (Int) -> Void) {
        var rank: Int32 = 0
        var word: Int32 = 0
        while unsafe messages.listen(&rank, &word) != 0 {
            isPresent(Int(rank))
            guard word == Ranks.rollCall else { continue }
            called = .now
            _ = messages.call(rank, Ranks.present)
        }
    }

    /// Asks who is there. Those who wait, as this rank does, answer at once; the others are why it waits.
    private func callRoll() {
        var silent = Set(0..<count).subtracting([index])
        for rank in silent { _ = messages.call(Int32(rank), Ranks.rollCall) }
        let end = ContinuousClock.now + min(timeout, .seconds(3))
        while ContinuousClock.now < end, !silent.isEmpty {
            listen { silent.remove($0) }
            usleep(10_000)
        }
        let seconds = timeout.seconds.formatted(.number.precision(.fractionLength(0...1)).grouping(.never))
        let names = silent.sorted().map(name(of:)).joined(separator: ", ")
        let subject =
            silent.isEmpty ? "the ranks answer, but an exchange between them has not ended" : "\(names): silent"
        failure = TreadleError(
            .tryAgain,
            "\(subject) for \(seconds) s (compute.rank_timeout); the last checkpoint is intact: start the same command again"
        )
    }
}

/// What carries the messages of one rank: MPI, or the memory between the threads of a test.
///
/// Each is what CMPIShims.h says of its function there.
@safe package struct RankMessages: Sendable {
    package typealias Request = UnsafeMutablePointer<cmpi_request>?
    package typealias Numbers = UnsafePointer<Int32>?

    package var broadcast: @Sendable (UnsafeMutableRawPointer?, Int32, Int32, Request) -> Int32 = unsafe cmpi_broadcast
    package var allGather: @Sendable (UnsafeMutableRawPointer?, Numbers, Numbers, Request) -> Int32 =
        unsafe cmpi_all_gather
    package var gather: @Sendable (UnsafeMutableRawPointer?, Numbers, Numbers, Request) -> Int32 = unsafe cmpi_gather
    package var allToAll:
        @Sendable (
            UnsafeRawPointer?, Numbers, Numbers, UnsafeMutableRawPointer?, Numbers, Numbers, Request
        ) -> Int32 = unsafe cmpi_all_to_all
    package var meet: @Sendable (Request) -> Int32 = unsafe cmpi_meet
    package var test: @Sendable (Request) -> Int32 = unsafe cmpi_test
    package var call: @Sendable (Int32, Int32) -> Int32 = cmpi_call
    package var listen: @Sendable (UnsafeMutablePointer<Int32>?, UnsafeMutablePointer<Int32>?) -> Int32 =
        unsafe cmpi_listen

    package init() {}
}

/// What a rank asks of all, between updates.
package struct RankWishes: OptionSet {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let wallTime = RankWishes(rawValue: 1)
    package static let saves = RankWishes(rawValue: 2)
    /// A stop for each reason; where several ranks have several reasons, the first in this list is told.
    private static let stops: [(reason: String, wish: RankWishes)] = [
        ("SIGTERM", RankWishes(rawValue: 4)), ("SIGINT", RankWishes(rawValue: 8)),
        ("SIGUSR2", RankWishes(rawValue: 16)), ("SIGXCPU", RankWishes(rawValue: 32)),
        (Stop.ownReason, RankWishes(rawValue: 64)),
    ]

    /// What `stop` asks of this process.
    package init(_ stop: Stop) {
        guard let reason = stop.reason else {
            self = []
            return
        }
        self = Self.stops.first { $0.reason == reason }?.wish ?? Self.stops[0].wish
    }

    /// Why some rank was stopped.
    package var stopReason: String? { Self.stops.first { contains($0.wish) }?.reason }
}
