import TestSupport
import Testing
@testable import TreadleBase

/// What ranks tell each other, each rank a thread.
@Suite struct RanksTests {
    /// What every rank's `work` gives, which none may throw.
    private func every<Value: Sendable>(
        of count: Int, _ work: @escaping @Sendable (Ranks) throws -> Value
    ) throws -> [Value] {
        try ThreadRanks(count).run(work).map { try $0.get() }
    }

    @Test(arguments: 1...5) func `numbers of every rank reach all, in the order of the ranks`(count: Int) throws {
        let all = (0..<count).map { [Double($0), -0.5] }
        for gathered in try every(of: count, { $0.gather([Double($0.index), -0.5]) }) { #expect(gathered == all) }
    }

    @Test(arguments: 1...5) func `ranks may have any number of numbers each, none among them`(count: Int) throws {
        @Sendable func numbers(_ rank: Int) -> [Double] { (0..<rank * 7 % 4).map { Double(100 * rank + $0) } }
        for gathered in try every(of: count, { try $0.gatherMany(numbers($0.index)) }) {
            #expect(gathered == (0..<count).map(numbers))
        }
    }

    @Test func `values of any kind are collected, shared and decided`() throws {
        struct Value: Codable, Equatable, Sendable {
            var name: String
            var number: Double
        }
        // A sum that is no short decimal: not a bit of it is lost on the way.
        @Sendable func value(_ rank: Int) -> Value {
            Value(name: String(repeating: "ü", count: rank), number: 0.1 + 0.2 * Double(rank))
        }
        let told = try every(of: 4) { ranks in
            let collected = try ranks.collect(value(ranks.index))
            let shared = try ranks.share(value(ranks.index + 2))
            // Only the first is asked.
            let decided = try ranks.decide {
                #expect(ranks.isFirst)
                return true
            }
            return (collected, shared, decided)
        }
        for (collected, shared, decided) in told {
            #expect(collected == (0..<4).map(value) && shared == value(2) && decided)
        }
    }

    @Test func `any rank's bytes can be handed to all`() throws {
        let handed = try every(of: 3) { ranks in
            var bytes = [UInt8](repeating: UInt8(ranks.index), count: 1000)
            bytes.withUnsafeMutableBytes { ranks.broadcast($0, from: 1) }
            try ranks.check()
            return bytes
        }
        #expect(handed.allSatisfy { $0 == [UInt8](repeating: 1, count: 1000) })
    }

    /// Sums of numbers whose order matters to the last bit.
    private struct Total: TravellingSum {
        var numbers: [Double]
        mutating func add(_ right: Total) { numbers[0] += right.numbers[0] }
    }

    @Test(arguments: [2, 3, 4, 7]) func `sums over unequal parts have the bits of the sum over all`(count: Int) throws {
        var random = SplitMix(seed: 3)
        for terms in [1, 2, 5, 8, 29] {
            let values = (0..<terms).map { _ in Double.random(in: -1...1, using: &random) * 1e10 + 0.1 }
            @Sendable func tree(_ part: Range<Int>) -> SumTree<Total> {
                var tree = SumTree<Total>()
                for term in part { tree.append(Total(numbers: [values[term]]), of: term..<term + 1) }
                return tree
            }
            let joined = try every(of: count) { try $0.join(tree($0.part(of: terms))).total?.numbers }
            #expect(joined.allSatisfy { $0 == tree(0..<terms).total?.numbers }, "\(terms) terms")
        }
    }

    @Test func `a stop that one rank is asked for is every rank's`() throws {
        let reasons = try every(of: 3) { ranks in
            let stop = Stop()
            let before = try ranks.agree(on: stop)
            if ranks.index == 1 { stop.request() }
            return [before, try ranks.agree(on: stop)]
        }
        #expect(reasons.allSatisfy { $0 == [nil, Stop.ownReason] })
    }

    @Test func `shards that ranks cannot share alike are refused in words, and members are dealt out instead`() throws {
        let shards = Shards(batchSize: 0, configured: 8)
        let three = Ranks(index: 2, count: 3)
        let error = #expect(throws: TreadleError.self) { try three.part(of: shards) }
        #expect(
            error?.description
                == "compute.shards is 8, which 3 ranks cannot share: it must be a multiple of the number of ranks; start "
                + "1, 2, 4 or 8 ranks, or start over with compute.shards set to 9")
        #expect(try three.part(of: shards, members: 3) == shards)
        #expect(throws: TreadleError.self) { try three.part(of: shards, members: 2) }
        #expect(try Ranks(index: 3, count: 4).part(of: shards).own == 6..<8)
    }

    @Test func `all have failed only where every rank says so`() throws {
        #expect(try every(of: 3) { $0.haveAllFailed(within: .seconds(60)) } == [true, true, true])
        let some = try every(of: 3) { $0.index == 1 || $0.haveAllFailed(within: .milliseconds(20)) }
        #expect(some == [false, true, false])
    }

    @Test func `ranks that do not agree on sizes are told apart from those that are silent`() throws {
        let outcomes = ThreadRanks(2).run { ranks in
            _ = ranks.gather([Double](repeating: 1, count: 1 + ranks.index))
            try ranks.check()
        }
        for outcome in outcomes {
            let error = #expect(throws: TreadleError.self) { try outcome.get() }
            #expect(error?.description.hasPrefix("the ranks cannot reach each other") == true)
        }
    }
}
