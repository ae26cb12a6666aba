internal import CMPIShims
internal import Foundation
internal import Synchronization
package import TreadleBase

/// The ranks of a job as threads of this process: what MPI does between processes, done in memory.
///
/// It refuses what MPI would not forgive: ranks that begin different things, and sizes on which sender and receiver do
/// not agree.
package final class ThreadRanks: Sendable {
    package let count: Int
    private let state: Mutex<State>

    /// The error that ranks are told of once `end` was called.
    private static let ended: Int32 = 77
    /// Of calls that do not go together.
    private static let disagreement: Int32 = 78

    package init(_ count: Int) {
        self.count = count
        state = Mutex(State(ranks: count))
    }

    /// Runs `work` as every rank, each on a thread of its own, to the end; returns by rank what it gave or threw.
    package func run<Value: Sendable>(
        timeout: Duration = .seconds(60), _ work: @escaping @Sendable (Ranks) throws -> Value
    ) -> [Result<Value, any Error>] {
        let results = Mutex([Result<Value, any Error>?](repeating: nil, count: count))
        let isDone = DispatchSemaphore(value: 0)
        withExtendedLifetime(results) {
            for index in 0..<count {
                let thread = Thread { [self] in
                    let ranks = Ranks(index: index, count: count, messages: messages(of: index))
                    ranks.timeout = timeout
                    let result = Result { try work(ranks) }
                    results.withLock { $0[index] = result }
                    isDone.signal()
                }
                thread.stackSize = 8 << 20
                thread.start()
            }
            for _ in 0..<count { isDone.wait() }
        }
        return results.withLock { $0.compactMap(\.self) }
    }

    /// Ends the job for every rank, as a rank that calls MPI's abort does.
    package func end() { state.withLock { $0.failure = ThreadRanks.ended } }

    // MARK: messages

    private struct State {
        /// What the ranks have begun together, by number.
        var calls: [[Contribution?]] = []
        /// What each rank waits for and has not received, by number.
        var receipts: [[Int: Receipt]]
        var begun: [Int]
        var meetings: [Int]
        /// What was said to each rank and not heard yet.
        var words: [[(from: Int, word: Int32)]]
        var failure: Int32 = 0

        init(ranks: Int) {
            receipts = Array(repeating: [:], count: ranks)
            begun = Array(repeating: 0, count: ranks)
            meetings = Array(repeating: 0, count: ranks)
            words = Array(repeating: [], count: ranks)
        }
    }

    private enum Kind: Equatable {
        case broadcast(from: Int)
        case allGather, gather, allToAll
    }

    /// What one rank brings to a call of all: bytes of its own, for the rank may be gone when they are received.
    private struct Contribution {
        var kind: Kind
        /// By receiver.
        var bytes: [[UInt8]]
    }

    /// Where one rank wants what the others bring. No other rank's thread writes there.
    private struct Receipt: @unchecked Sendable {
        var place: UnsafeMutableRawPointer?
        /// In bytes, by sender; nil from whom nothing comes.
        var parts: [Range<Int>?]
    }

    private func messages(of rank: Int) -> RankMessages {
        var messages = RankMessages()
        messages.broadcast = { [self] bytes, length, from, request in
            let whole = 0..<Int(length)
            let isSender = rank == Int(from)
            return begin(
                Contribution(
                    kind: .broadcast(from: Int(from)),
                    bytes: Array(repeating: isSender ? copy(whole, of: bytes) : [], count: count)),
                Receipt(place: bytes, parts: (0..<count).map { $0 == Int(from) && !isSender ? whole : nil }),
                as: rank, request)
        }
        messages.allGather = { [self] bytes, counts, starts, request in
            let parts = parts(counts, starts)
            return begin(
                Contribution(kind: .allGather, bytes: Array(repeating: copy(parts[rank], of: bytes), count: count)),
                Receipt(place: bytes, parts: (0..<count).map { $0 == rank ? nil : parts[$0] }), as: rank, request)
        }
        messages.gather = { [self] bytes, counts, starts, request in
            let parts = parts(counts, starts)
            return begin(
                Contribution(kind: .gather, bytes: Array(repeating: copy(parts[rank], of: bytes), count: count)),
                Receipt(place: bytes, parts: (0..<count).map { rank == 0 && $0 != 0 ? parts[$0] : nil }), as: rank,
                request)
        }
        messages.allToAll = { [self] sent, counts, starts, received, receivedCounts, receivedStarts, request in
            begin(
                Contribution(kind: .allToAll, bytes: parts(counts, starts).map { copy($0, of: sent) }),
                Receipt(place: received, parts: parts(receivedCounts, receivedStarts)), as: rank, request)
        }
        messages.meet = { [self] request in
            state.withLock { state in
                state.meetings[rank] += 1
                // Negative, to be told from the others.
                request?.pointee.handle = UInt64(bitPattern: Int64(-state.meetings[rank]))
            }
            return 0
        }
        messages.test = { [self] request in
            guard let handle = request?.pointee.handle else { return ThreadRanks.disagreement }
            return state.withLock { receive(Int(Int64(bitPattern: handle)), as: rank, &$0) }
        }
        messages.call = { [self] other, word in
            state.withLock { $0.words[Int(other)].append((rank, word)) }
            return 0
        }
        messages.listen = { [self] from, word in
            state.withLock { state in
                guard !state.words[rank].isEmpty else { return 0 }
                let said = state.words[rank].removeFirst()
                from?.pointee = Int32(said.from)
                word?.pointee = said.word
                return 1
            }
        }
        return messages
    }

    private func parts(_ counts: UnsafePointer<Int32>?, _ starts: UnsafePointer<Int32>?) -> [Range<Int>] {
        guard let counts, let starts else { return Array(repeating: 0..<0, count: count) }
        return (0..<count).map { Int(starts[$0])..<Int(starts[$0]) + Int(counts[$0]) }
    }

    private func copy(_ part: Range<Int>, of bytes: UnsafeRawPointer?) -> [UInt8] {
        guard let bytes else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: bytes + part.lowerBound, count: part.count))
    }

    private func begin(
        _ contribution: Contribution, _ receipt: Receipt, as rank: Int, _ request: UnsafeMutablePointer<cmpi_request>?
    ) -> Int32 {
        state.withLock { state in
            let number = state.begun[rank]
            state.begun[rank] += 1
            request?.pointee.handle = UInt64(number)
            if state.calls.count == number { state.calls.append(Array(repeating: nil, count: count)) }
            state.calls[number][rank] = contribution
            state.receipts[rank][number] = receipt
            return 0
        }
    }

    /// What MPI's test of a communication gives: 1 once all ranks have begun it, and its bytes are in their place.
    private func receive(_ number: Int, as rank: Int, _ state: inout State) -> Int32 {
        guard state.failure == 0 else { return state.failure }
        guard number >= 0 else { return state.meetings.allSatisfy { $0 >= -number } ? 1 : 0 }
        let contributions = state.calls[number].compactMap(\.self)
        guard contributions.count == count else { return 0 }
        guard let receipt = state.receipts[rank].removeValue(forKey: number) else { return ThreadRanks.disagreement }
        if contributions.contains(where: { $0.kind != contributions[0].kind }) {
            state.failure = ThreadRanks.disagreement
        }
        for (part, contribution) in zip(receipt.parts, contributions) {
            guard let part else { continue }
            let bytes = contribution.bytes[rank]
            if bytes.count != part.count { state.failure = ThreadRanks.disagreement }
            guard state.failure == 0, let place = receipt.place else { continue }
            UnsafeMutableRawBufferPointer(start: place + part.lowerBound, count: part.count).copyBytes(from: bytes)
        }
        // The last to receive it takes it away.
        if state.receipts.allSatisfy({ $0[number] == nil }) { state.calls[number] = [] }
        return state.failure == 0 ? 1 : state.failure
    }
}
