import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleEngine
@testable import TreadleModel

/// Members that go through several batches before they meet.
@Suite struct EnsembleStepTests {
    private static let members = 5
    private static let rows = 24
    private let network = Network(members: (0..<Self.members).map { _ in Network.dense([9, 20, 3], dropout: 0.2) })
    private let loss = LossFunction(type: .mse, outputs: 3)
    private let folds = Folds(count: Self.members, seed: 4)
    private let batches = (0..<19).map { TestBatch<Float>(rows: Self.rows, inputs: 9, outputs: 3, seed: UInt64($0)) }
    /// The rows' numbers over all files, batch after batch.
    private let numbers = Array<UInt64>(0..<19 * UInt64(Self.rows))

    /// Each member has an optimizer and a seed of its own.
    private var settings: [EnsembleStep<Float>.Settings] {
        (0..<Self.members).map { member in
            .init(seed: UInt64(member), optimizer: .plain(.adam, weightDecay: 0.01 * Double(member)))
        }
    }

    private func rate(_ member: Int, _ updates: Int) -> (rate: Double, decay: Double) {
        (0.01 + 0.001 * Double(member) + 0.0001 * Double(updates), 1)
    }

    private func step(threads: Int, folds: Folds?, accumulate: Int = 1) -> EnsembleStep<Float> {
        let step = EnsembleStep<Float>(
            network: network, loss: loss, settings: settings, folds: folds, batchSize: Self.rows,
            shards: Shards(batchSize: Self.rows), accumulate: accumulate, workers: Workers(count: threads))
        step.load(network.parameters(Float.self, seed: 3), optimizer: OptimizerState())
        return step
    }

    /// Trains on the batches of `range`, up to so many at once, and gives what each came to.
    private func train(
        _ step: EnsembleStep<Float>, _ range: Range<Int>, atOnce: Int, accumulate: Int = 1
    ) -> [StepResult] {
        numbers.withUnsafeBufferPointer { numbers in
            stride(from: range.lowerBound, to: range.upperBound, by: atOnce).flatMap { first in
                for index in first..<min(first + atOnce, range.upperBound) {
                    var batch = batches[index].batch
                    batch.numbers = numbers.baseAddress.map { $0 + index * Self.rows }
                    step.add(
                        batch, step: index / accumulate, endsGroup: (index + 1).isMultiple(of: accumulate)
                    ) { rate($0, index / accumulate) }
                }
                return step.run()
            }
        }
    }

    @Test(arguments: [1, 2, 3, 5, 8]) func `members that meet after several batches have the bits of members alone`(
        threads: Int
    ) {
        let together = step(threads: threads, folds: nil, accumulate: 3)
        let results = train(together, 0..<19, atOnce: together.mostBatches, accumulate: 3)
        var sums = [StepResult](repeating: StepResult(), count: 19)
        var expected: [LayerParameters] = []
        for member in 0..<Self.members {
            let alone = TrainingStep<Float>(
                network: network.member(member), loss: loss, optimizer: settings[member].optimizer,
                batchSize: Self.rows, shards: Shards(batchSize: Self.rows), accumulate: 3, seed: UInt64(member),
                workers: Workers(count: 1))
            let own = network.layers(of: member)
            alone.load(Array(network.parameters(Float.self, seed: 3)[own]), optimizer: OptimizerState())
            for index in 0..<19 {
                sums[index] += alone.run(
                    batches[index].batch, step: index / 3, rate: rate(member, index / 3).rate,
                    endsGroup: (index + 1).isMultiple(of: 3))
            }
            expected += zip(alone.parameters(), network.layers[own]).map { parameters, layer in
                LayerParameters(name: layer.name, weight: parameters.weight, bias: parameters.bias)
            }
        }
        #expect(together.parameters() == expected)
        #expect(results == sums)
    }

    @Test(arguments: [1, 2, 3, 8]) func `how many batches members go through before they meet changes no bit`(
        threads: Int
    ) {
        let one = step(threads: 1, folds: folds)
        let expected = train(one, 0..<19, atOnce: 1)
        for atOnce in 1...one.mostBatches {
            let step = step(threads: threads, folds: folds)
            #expect(train(step, 0..<19, atOnce: atOnce) == expected)
            #expect(step.parameters() == one.parameters())
            #expect(step.optimizerState() == one.optimizerState())
        }
    }

    @Test func `a member whose loss is no number waits there, while others go on`() throws {
        // The last row of the third batch: the member that leaves out its fold learns on.
        guard case .values(let values) = batches[2].batch.targets else {
            Issue.record("the targets are no values")
            return
        }
        UnsafeMutablePointer(mutating: values)[Self.rows * 3 - 1] = .nan
        let spared = folds.fold(of: 3 * Self.rows - 1)
        for threads in [1, 2] {
            let before = step(threads: 1, folds: folds)
            _ = train(before, 0..<2, atOnce: 1)
            let step = step(threads: threads, folds: folds)
            let results = train(step, 0..<6, atOnce: 6)
            #expect(results[0].isFinite && results[1].isFinite && !results[2].isFinite)
            let (stayed, now) = (before.parameters(), step.parameters())
            for member in 0..<Self.members {
                let own = network.layers(of: member)
                #expect((now[own] == stayed[own]) == (member != spared), "member \(member)")
            }
        }
    }
}
