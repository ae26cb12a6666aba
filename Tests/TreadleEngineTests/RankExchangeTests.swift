import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleEngine
@testable import TreadleModel

/// How ranks sum a gradient and share the weights, without MPI: each rank is a thread.
@Suite struct RankExchangeTests {
    /// What one rank has in the end.
    private struct Outcome: Sendable {
        var results: [StepResult] = []
        var parameters: [LayerParameters] = []
        var state = OptimizerState()
        /// What the ranks wished together, after each batch.
        var agreed: [UInt8] = []
    }

    /// A training of a few updates, its batches not of the same size: of a short one, some shards have no rows.
    private struct Job: Sendable {
        var network = Network.dense([33, 70, 5])
        var optimizer = OptimizerConfiguration.plain()
        var shards = 8
        var accumulate = 1
        var threads = 1
        /// Rows of each batch.
        var batches = [64, 64, 5, 61]

        /// Trains as one of `ranks`, or alone; `before` is called before each batch.
        func train<S: Scalar>(
            _: S.Type, as ranks: Ranks = .alone, before: (Int, TestBatch<S>) throws -> Void = { _, _ in }
        ) throws -> Outcome {
            let all = Shards(batchSize: 0, configured: shards)
            let own = try ranks.part(of: all)
            let step = TrainingStep<S>(
                network: network, loss: LossFunction(type: .mse, outputs: network.outputs), optimizer: optimizer,
                batchSize: 64, shards: own, accumulate: accumulate, seed: 9, workers: Workers(count: threads),
                ranks: ranks)
            step.load(network.parameters(S.self, seed: 3), optimizer: OptimizerState())
            var outcome = Outcome()
            for (index, rows) in batches.enumerated() {
                let batch = TestBatch<S>(
                    rows: rows, inputs: network.inputs, outputs: network.outputs, weighted: true, seed: UInt64(index))
                try before(index, batch)
                let part = batch.rankPart(own.ownPositions(of: 0..<rows), outputs: network.outputs)
                outcome.results.append(
                    step.run(
                        part, step: index / accumulate, rate: 0.05, endsGroup: (index + 1).isMultiple(of: accumulate)))
                try ranks.check()
                outcome.agreed.append(ranks.agreed.rawValue)
            }
            outcome.parameters = step.parameters()
            outcome.state = step.optimizerState()
            try ranks.check()
            return outcome
        }
    }

    private func expectSame(_ job: Job, ranks: Int) throws {
        for precision in [Precision.float32, .float64] {
            var job = job
            job.network.precision = precision
            func compare<S: Scalar>(_ type: S.Type) throws {
                let alone = try job.train(type)
                let outcomes = try ThreadRanks(ranks).run { [job] in try job.train(type, as: $0) }.map { try $0.get() }
                for (rank, outcome) in outcomes.enumerated() {
                    #expect(outcome.parameters == alone.parameters, "rank \(rank) of \(ranks), \(precision)")
                    #expect(outcome.results == alone.results, "rank \(rank) of \(ranks), \(precision)")
                }
                #expect(outcomes[0].state == alone.state, "\(ranks) ranks, \(precision)")
            }
            if precision == .float64 { try compare(Double.self) } else { try compare(Float.self) }
        }
    }

    @Test(arguments: [(2, 2), (2, 8), (3, 6), (3, 21), (4, 12), (5, 5)])
    func `ranks have the weights of plain loops, however uneven their shards`(ranks: Int, shards: Int) throws {
        let job = Job(shards: shards)
        let first = job.network.parameters(Float.self, seed: 3)
        var naive = NaiveStep<Float>(
            network: job.network, loss: LossFunction(type: .mse, outputs: job.network.outputs), parameters: first)
        for (index, rows) in job.batches.enumerated() {
            let batch = TestBatch<Float>(
                rows: rows, inputs: job.network.inputs, outputs: job.network.outputs, weighted: true,
                seed: UInt64(index))
            naive.descend(
                x: batch.x, batch: batch, shards: Shards(batchSize: 0, configured: shards), rate: 0.05, step: index)
        }
        let expected = naive.parameters
        for result in ThreadRanks(ranks).run({ try job.train(Float.self, as: $0) }) {
            #expect(try result.get().parameters == expected)
        }
    }

    @Test(arguments: [
        OptimizerConfiguration.plain(momentum: 0.9, nesterov: true), .plain(.adam), .plain(.adamw, weightDecay: 0.1),
        .plain(clipNorm: 0.01), .plain(.adam, clipNorm: 0.5),
    ])
    func `what optimizers remember and clip is one process's, on every rank`(optimizer: OptimizerConfiguration) throws {
        try expectSame(Job(optimizer: optimizer), ranks: 4)
        // Groups of batches, dropout, and helpers beside the thread that speaks to the others.
        let network = Network.dense([33, 70, 5], .tanh, dropout: 0.25)
        try expectSame(Job(network: network, optimizer: optimizer, accumulate: 2, threads: 2), ranks: 2)
    }

    @Test func `layers of any width travel whole: narrow ones, without biases, and more tiles than a bucket has`()
        throws
    {
        for widths in [[1, 1], [3, 2, 1], [300, 520, 3], [17, 129, 31, 2]] {
            try expectSame(Job(network: .dense(widths, bias: widths.count != 4), optimizer: .plain(.adam)), ranks: 4)
        }
    }

    @Test func `what one rank wishes is known to all after the batch, and no longer after the next`() throws {
        let job = Job()
        let outcomes = ThreadRanks(4).run { ranks in
            try job.train(Float.self, as: ranks) { index, _ in
                ranks.wishes = index == 1 && ranks.index == 2 ? .saves : index == 2 && ranks.index == 0 ? .wallTime : []
            }
        }
        for outcome in outcomes {
            #expect(try outcome.get().agreed == [0, RankWishes.saves.rawValue, RankWishes.wallTime.rawValue, 0])
        }
    }

    @Test func `a loss that is no number on one rank's rows leaves the weights of all as they were`() throws {
        // The second batch's last row is the last rank's.
        @Sendable func spoil(_ index: Int, _ batch: TestBatch<Double>) {
            guard index == 1, case .values(let values) = batch.batch.targets else { return }
            UnsafeMutablePointer(mutating: values)[64 * 5 - 1] = .nan
        }
        var job = Job(optimizer: .plain(.adam))
        job.network.precision = .float64
        let alone = try job.train(Double.self, before: spoil)
        #expect(alone.results.map(\.isFinite) == [true, false, true, true])
        for result in ThreadRanks(4).run({ [job] in try job.train(Double.self, as: $0, before: spoil) }) {
            let outcome = try result.get()
            #expect(outcome.results.map(\.isFinite) == [true, false, true, true])
            #expect(outcome.parameters == alone.parameters)
        }
    }

    @Test func `a rank that is gone is named by one that waits for it, and no rank goes on`() throws {
        struct Gone: Error {}
        let job = Job()
        let threads = ThreadRanks(4)
        // Long enough for a busy machine: the other ranks must not be taken for silent.
        let outcomes = threads.run(timeout: .seconds(3)) { ranks in
            do {
                return try job.train(Float.self, as: ranks) { index, _ in
                    if ranks.index == 2, index == 2 { throw Gone() }
                }
            } catch let error as TreadleError {
                // As the program does: a rank that has lost others ends the job.
                #expect(ranks.hasLostOthers)
                threads.end()
                throw error
            }
        }
        var messages: [String] = []
        for (rank, outcome) in outcomes.enumerated() {
            do {
                _ = try outcome.get()
                Issue.record("rank \(rank) went on")
            } catch let error as TreadleError {
                #expect(error.kind == .tryAgain && rank != 2)
                messages.append(error.description)
            } catch {
                #expect(error is Gone && rank == 2)
            }
        }
        #expect(messages.count == 3)
        let named = messages.filter {
            $0.hasPrefix("rank 2 on an unknown host: silent for 3 s (compute.rank_timeout)")
        }
        #expect(!named.isEmpty, "\(messages)")
        #expect(
            messages.filter { !named.contains($0) }.allSatisfy { $0.hasPrefix("the ranks cannot reach each other") })
    }

    @Test func `after a failure nothing is sent, and the failure is the first one`() throws {
        let job = Job()
        let threads = ThreadRanks(2)
        let outcomes = threads.run { ranks in
            try #require(throws: TreadleError.self) {
                try job.train(Float.self, as: ranks) { index, _ in if index == 1, ranks.isFirst { threads.end() } }
            }
            // It returns at once, though nobody is there.
            _ = ranks.gather([1, 2])
            let failure = try #require(throws: TreadleError.self) { try ranks.check() }
            return failure.description
        }
        for outcome in outcomes { #expect(try outcome.get().hasPrefix("the ranks cannot reach each other")) }
    }
}
