import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleEngine
@testable import TreadleModel

/// What fades away becomes zero before it becomes subnormal: Intel's arithmetic takes some 150 cycles for such a number.
/// Tests/Steps looks at activations and errors in the same way.
@Suite struct SubnormalTests {
    static let optimizers: [OptimizerConfiguration] = [
        fading(.plain(lr: 1)), fading(.plain(lr: 1, momentum: 0.5)),
        fading(.plain(lr: 1, momentum: 0.5, nesterov: true)), fading(.plain(lr: 1, weightDecay: 0.5)),
        fading(.plain(.adam, lr: 1)), fading(.plain(.adamw, lr: 1, weightDecay: 0.5)),
        fading(.plain(.rmsprop, lr: 0.1)), fading(.plain(.adagrad, lr: 0.1)),
    ]

    /// With moments that halve, so that they cross all scales within a short run.
    private static func fading(_ optimizer: OptimizerConfiguration) -> OptimizerConfiguration {
        var optimizer = optimizer
        optimizer.beta1 = 0.5
        optimizer.beta2 = 0.5
        optimizer.rho = 0.5
        return optimizer
    }

    @Test(arguments: optimizers, Precision.allCases)
    func `weights and moments that fade away are never subnormal`(
        optimizer: OptimizerConfiguration, precision: Precision
    ) {
        switch precision.number {
        case .float32: train(Float.self, optimizer, precision, steps: 300)
        case .float64: train(Double.self, optimizer, precision, steps: 1200)
        }
    }

    private func train<S: Scalar>(
        _ type: S.Type, _ optimizer: OptimizerConfiguration, _ precision: Precision, steps: Int
    ) {
        var network = Network.dense([6, 12, 9, 5], .sigmoid)
        network.precision = precision
        let step = TrainingStep<S>(
            network: network, loss: LossFunction(type: .crossEntropy, outputs: 5), optimizer: optimizer, batchSize: 16,
            shards: Shards(batchSize: 16, unit: precision.shardUnit), accumulate: 1, seed: 0,
            workers: Workers(count: 1))
        step.load(network.parameters(type, seed: 3), optimizer: OptimizerState())
        var random = SplitMix(seed: 9)
        var early: [Double] = []
        for index in 0..<steps {
            let fading = index < 5 ? 1.0 : 0
            let x = (0..<16).map { row -> Pinned<S> in
                let values = (0..<6).map { _ in Double.random(in: -1...1, using: &random) }
                // Always zero; zero from the sixth step on; halving to the end of all numbers; saturating the units in every
                // other row; and two as they are.
                let inputs = [
                    0, values[1] * fading, scaled(values[2], by: -index),
                    values[3] * (row % 2 == 0 ? 1 : 1e6), values[4], values[5],
                ]
                return Pinned(inputs.map { S($0) })
            }
            let rows = Pinned(x.map { $0[from: 0] })
            let classes = Pinned((0..<16).map { _ in Int32.random(in: 0..<5, using: &random) })
            withExtendedLifetime((x, rows, classes)) {
                _ = step.run(
                    Batch(rows: 16, x: rows[from: 0], targets: .classes(classes[from: 0]), weights: nil), step: index,
                    rate: optimizer.lr)
            }
            guard index == 4 || index % 10 == 9 else { continue }
            let state = step.optimizerState()
            let all = [("weights", step.parameters())] + state.slots.map { ($0.name, $0.layers) }
            for (name, layers) in all {
                let values = layers.flatMap { S.values(of: $0.weight) + ($0.bias.map { S.values(of: $0) } ?? []) }
                #expect(values.allSatisfy { $0.isFinite && !$0.isSubnormal }, "\(name) after \(index + 1) steps")
            }
            // Of the inputs that become zero, as the first layer's moments have them.
            let fadingMoments = state.slots.flatMap { slot in
                S.values(of: slot.layers[0].weight)[12..<24].map { Double($0) }
            }
            if index == 4 { early = fadingMoments }
            if index == steps - 1, optimizer.type != .adagrad, !early.isEmpty, optimizer.weightDecay == 0 {
                #expect(early.contains { $0 != 0 } && fadingMoments.allSatisfy { $0 == 0 })
            }
        }
    }

    private func scaled(_ value: Double, by exponent: Int) -> Double {
        value * Double(sign: .plus, exponent: exponent, significand: 1)
    }
}
