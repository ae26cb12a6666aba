import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleEngine
@testable import TreadleModel
import TestSupport

/// 30 steps of a network with a stem, groups of rates and weights divided by √inputs, against PyTorch's: from
/// Scripts/fixtures/recipe.py, where the division stands in the forward pass.
@Suite struct RecipeFixtureTests {
    struct Case: Decodable, CustomTestStringConvertible, Sendable {
        struct Optimizer: Decodable, Sendable {
            var type: String
            var lr, momentum, beta1, beta2, rho, eps, weight_decay, l1: Double
            var clip_norm: Double?
        }

        var ntk: Bool
        var optimizer: Optimizer
        /// Of the first step and the last.
        var losses: [Double]
        var final: [[[Double]]]

        var testDescription: String { "\(optimizer.type), \(ntk ? "ntk" : "standard"), eps \(optimizer.eps)" }
    }

    static let cases: [Case] = Fixture.decoded("recipe.json")

    @Test(arguments: cases)
    func `30 steps of the recipe end where PyTorch's do, to ten digits`(run: Case) throws {
        let network = Network.stemmed(inputs: 5, embedded: [0, 2, 3], hidden: [7, 6], units: 2)
        let o = run.optimizer
        let optimizer = OptimizerConfiguration(
            type: try #require(OptimizerType(rawValue: o.type)), lr: o.lr, momentum: o.momentum, nesterov: false,
            beta1: o.beta1, beta2: o.beta2, rho: o.rho, eps: o.eps, weightDecay: o.weight_decay, l1: o.l1,
            clipNorm: o.clip_norm, biasRate: 0.1, scaleRate: 6, embeddingRate: 0.5)
        let step = TrainingStep<Double>(
            network: network, loss: LossFunction(type: .mse, outputs: 2), optimizer: optimizer,
            parameterization: run.ntk ? .ntk : .standard, batchSize: 12, shards: Shards(batchSize: 12), seed: 1,
            workers: Workers(count: 2))
        step.load(Fixture.start(network, Double.self), optimizer: OptimizerState())
        var losses: [Double] = []
        for t in 0..<30 {
            let x = Pinned<Double>(Fixture.numbers(1000 + t, 60))
            let rows = Pinned((0..<12).map { x[from: $0 * 5] })
            let values = Pinned<Double>(Fixture.numbers(2000 + t, 24))
            let result = step.run(
                Batch(rows: 12, x: rows[from: 0], targets: .values(values[from: 0]), weights: nil), step: t, rate: o.lr)
            losses.append(result.lossSum / result.weightSum)
        }
        for (layer, expected) in zip(step.parameters(), run.final) {
            let tensors = [layer.weight, layer.bias].compactMap { $0 }
            #expect(tensors.count == expected.count)
            for (tensor, numbers) in zip(tensors, expected) {
                let largest = numbers.map { abs($0) }.max() ?? 0
                for (got, number) in zip(Double.values(of: tensor), numbers) {
                    #expect(abs(got - number) <= 1e-10 * largest, "\(layer.name)")
                }
            }
        }
        for (got, expected) in zip([losses[0], losses[29]], run.losses) {
            #expect(abs(got - expected) <= 1e-10 * abs(expected))
        }
    }
}
