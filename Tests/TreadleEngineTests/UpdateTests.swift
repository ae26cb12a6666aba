import CKernels
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleEngine
@testable import TreadleModel
import TestSupport

/// What an update does, against closed forms in Float64.
@Suite struct UpdateTests {
    private func step(
        _ network: Network, _ optimizer: OptimizerConfiguration, rows: Int, shards: Int = 1, accumulate: Int = 1,
        loss: LossType = .mse
    ) -> TrainingStep<Double> {
        let step = TrainingStep<Double>(
            network: network, loss: LossFunction(type: loss, outputs: network.outputs), optimizer: optimizer,
            batchSize: rows, shards: Shards(batchSize: 0, configured: shards), accumulate: accumulate, seed: 0,
            workers: Workers(count: 1))
        step.load(network.parameters(Double.self, seed: 1), optimizer: OptimizerState())
        return step
    }

    /// All numbers of all layers.
    private func numbers(_ parameters: [LayerParameters]) -> [Double] {
        parameters.flatMap { layer -> [Double] in
            Double.values(of: layer.weight) + (layer.bias.map { Double.values(of: $0) } ?? [])
        }
    }

    private func differences(_ a: [LayerParameters], _ b: [LayerParameters]) -> [Double] {
        zip(numbers(a), numbers(b)).map { $0 - $1 }
    }

    private func largestDifference(_ a: [LayerParameters], _ b: [LayerParameters]) -> Double {
        differences(a, b).map { abs($0) }.max() ?? 0
    }

    /// For y = xW + b and the squared error, dW = (2/(B·D)) xᵀ(y − t) and db its row for x = 1.
    @Test(arguments: [1, 3, 7], [1, 2, 5])
    func `one step of gradient descent on a linear model is the closed form`(rows: Int, outputs: Int) {
        let network = Network.dense([6, outputs])
        let batch = TestBatch<Double>(rows: rows, inputs: 6, outputs: outputs, seed: 5)
        let step = step(network, .plain(), rows: rows)
        let before = step.parameters()
        step.run(batch.batch, step: 0, rate: 0.25)
        guard case .values(let targets) = batch.batch.targets else {
            Issue.record("the batch has no values as targets")
            return
        }
        var w = Double.values(of: before[0].weight)
        var b = before[0].bias.map { Double.values(of: $0) } ?? []
        let errors = (0..<rows).map { r in
            (0..<outputs).map { d in
                (0..<6).reduce(b[d]) { $0 + batch.x[r][$1] * w[$1 * outputs + d] } - targets[r * outputs + d]
            }
        }
        let factor = 0.25 * 2 / Double(rows * outputs)
        for d in 0..<outputs {
            for r in 0..<rows {
                for i in 0..<6 { w[i * outputs + d] -= factor * batch.x[r][i] * errors[r][d] }
                b[d] -= factor * errors[r][d]
            }
        }
        let expected = [
            LayerParameters(
                name: "dense", weight: Double.tensor(w, shape: [6, outputs]), bias: Double.tensor(b, shape: [outputs]))
        ]
        // A few roundings of numbers near one.
        #expect(largestDifference(step.parameters(), expected) < 1e-15)
    }

    @Test(arguments: OptimizerType.allCases)
    func `an update follows the published formula, decay and L1 included`(type: OptimizerType) {
        let network = Network.dense([5, 4], bias: false)
        let optimizer = OptimizerConfiguration.plain(type, lr: 0.01, momentum: 0.9, weightDecay: 0.1, l1: 0.01)
        let plain = step(network, .plain(lr: 1), rows: 8)
        let step = step(network, optimizer, rows: 8)
        var w = Double.values(of: step.parameters()[0].weight)
        var m = [Double](repeating: 0, count: w.count)
        var v = m
        for t in 1...5 {
            let batch = TestBatch<Double>(rows: 8, inputs: 5, outputs: 4, seed: UInt64(t))
            // The gradient is what a step of rate 1 takes away.
            plain.load(step.parameters(), optimizer: OptimizerState())
            plain.run(batch.batch, step: 0, rate: 1)
            let after = Double.values(of: plain.parameters()[0].weight)
            step.run(batch.batch, step: t - 1, rate: 0.01)
            for i in w.indices {
                var g = w[i] - after[i]
                g += w[i] > 0 ? 0.01 : w[i] < 0 ? -0.01 : 0
                if type == .adamw || type == .lion { w[i] *= 1 - 0.01 * 0.1 } else { g += 0.1 * w[i] }
                switch type {
                case .sgd:
                    m[i] = 0.9 * m[i] + g
                    w[i] -= 0.01 * m[i]
                case .adam, .adamw:
                    m[i] = 0.9 * m[i] + 0.1 * g
                    v[i] = 0.999 * v[i] + 0.001 * g * g
                    let corrected = (v[i] / (1 - pow(0.999, t))).squareRoot()
                    w[i] -= 0.01 * (m[i] / (1 - pow(0.9, t))) / (corrected + 1e-8)
                case .rmsprop:
                    v[i] = 0.99 * v[i] + 0.01 * g * g
                    w[i] -= 0.01 * g / (v[i].squareRoot() + 1e-8)
                case .adagrad:
                    v[i] += g * g
                    w[i] -= 0.01 * g / (v[i].squareRoot() + 1e-8)
                case .lion:
                    w[i] -= 0.9 * m[i] + 0.1 * g > 0 ? 0.01 : -0.01
                    m[i] = 0.999 * m[i] + 0.001 * g
                }
            }
        }
        let expected = [LayerParameters(name: "dense", weight: Double.tensor(w, shape: [5, 4]), bias: nil)]
        // The gradient recovered by subtraction is good to some 1e-16 of the weights; adaptive rates enlarge it.
        #expect(largestDifference(step.parameters(), expected) < 1e-10)
    }

    private func pow(_ x: Double, _ n: Int) -> Double { (0..<n).reduce(1) { power, _ in power * x } }

    @Test func `a batch in two halves gives the whole batch's update, bit for bit where shards agree`() {
        let network = Network.dense([9, 20, 3])
        let batch = TestBatch<Double>(rows: 32, inputs: 9, outputs: 3, weighted: true, seed: 2)
        let whole = step(network, .plain(.adam), rows: 32, shards: 4)
        let halves = step(network, .plain(.adam), rows: 16, shards: 2, accumulate: 2)
        for index in 0..<3 {
            whole.run(batch.batch, step: index, rate: 0.01)
            halves.run(batch.part(0..<16, outputs: 3), step: index, rate: 0.01, endsGroup: false)
            halves.run(batch.part(16..<32, outputs: 3), step: index, rate: 0.01, endsGroup: true)
        }
        #expect(whole.parameters() == halves.parameters())
    }

    @Test func `uneven parts of a batch give the whole batch's update up to rounding`() {
        let network = Network.dense([9, 20, 3])
        let batch = TestBatch<Double>(rows: 32, inputs: 9, outputs: 3, weighted: true, seed: 2)
        let whole = step(network, .plain(), rows: 32, shards: 4)
        let parts = step(network, .plain(), rows: 32, shards: 2, accumulate: 3)
        whole.run(batch.batch, step: 0, rate: 0.1)
        parts.run(batch.part(0..<3, outputs: 3), step: 0, rate: 0.1, endsGroup: false)
        parts.run(batch.part(3..<21, outputs: 3), step: 0, rate: 0.1, endsGroup: false)
        parts.run(batch.part(21..<32, outputs: 3), step: 0, rate: 0.1, endsGroup: true)
        #expect(largestDifference(whole.parameters(), parts.parameters()) < 1e-15)
    }

    @Test func `clipping shortens a long gradient to its norm and leaves a short one`() {
        let network = Network.dense([9, 20, 3])
        let batch = TestBatch<Double>(rows: 16, inputs: 9, outputs: 3, seed: 2)
        let free = step(network, .plain(lr: 1), rows: 16)
        let start = free.parameters()
        free.run(batch.batch, step: 0, rate: 1)
        func length(_ parameters: [LayerParameters]) -> Double {
            differences(start, parameters).reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
        let norm = length(free.parameters())
        let clipped = step(network, .plain(lr: 1, clipNorm: norm / 3), rows: 16)
        clipped.run(batch.batch, step: 0, rate: 1)
        // PyTorch divides by the norm plus 1e-6.
        #expect(abs(length(clipped.parameters()) - norm / 3 * norm / (norm + 1e-6)) < 1e-12)
        let unclipped = step(network, .plain(lr: 1, clipNorm: norm * 2), rows: 16)
        unclipped.run(batch.batch, step: 0, rate: 1)
        #expect(unclipped.parameters() == free.parameters())
    }

    @Test func `a loss that is not finite leaves the weights as they were`() {
        let network = Network.dense([4, 5, 2])
        let batch = TestBatch<Double>(rows: 8, inputs: 4, outputs: 2, seed: 2)
        let step = step(network, .plain(.adam), rows: 8)
        step.run(batch.batch, step: 0, rate: 0.1)
        let before = (step.parameters(), step.optimizerState())
        if case .values(let values) = batch.batch.targets {
            UnsafeMutablePointer(mutating: values)[3] = .nan
        }
        let result = step.run(batch.batch, step: 1, rate: 0.1)
        #expect(!result.isFinite)
        #expect(step.parameters() == before.0 && step.optimizerState() == before.1)
    }

    @Test func `training goes on from stored weights and optimizer as if it had not stopped`() {
        let network = Network.dense([9, 20, 3], .tanh, dropout: 0.25)
        let batches = (0..<6).map { TestBatch<Double>(rows: 16, inputs: 9, outputs: 3, seed: $0) }
        for type in OptimizerType.allCases {
            let optimizer = OptimizerConfiguration.plain(type, momentum: 0.9)
            let through = step(network, optimizer, rows: 16)
            for index in 0..<6 { through.run(batches[index].batch, step: index, rate: 0.01) }
            let first = step(network, optimizer, rows: 16)
            for index in 0..<3 { first.run(batches[index].batch, step: index, rate: 0.01) }
            let second = step(network, optimizer, rows: 16)
            second.load(first.parameters(), optimizer: first.optimizerState())
            for index in 3..<6 { second.run(batches[index].batch, step: index, rate: 0.01) }
            #expect(second.parameters() == through.parameters())
            #expect(second.optimizerState() == through.optimizerState())
        }
    }

    @Test func `shards of several ranks, reduced in order, give one process's update`() {
        let network = Network.dense([9, 20, 3])
        let batch = TestBatch<Double>(rows: 21, inputs: 9, outputs: 3, weighted: true, seed: 2)
        let all = Shards(batchSize: 0, configured: 4)
        let whole = step(network, .plain(clipNorm: 100), rows: 21, shards: 4)
        whole.run(batch.batch, step: 0, rate: 0.1)
        // The first rank's sums are kept; the second adds its own to them, as neighbours in the tree.
        var kept: ([Double], StepResult) = ([], StepResult(lossSum: 0, weightSum: 0))
        func rank(_ own: Range<Int>, reduce: @escaping TrainingStep<Double>.Reduction) -> TrainingStep<Double> {
            let step = TrainingStep<Double>(
                network: network, loss: LossFunction(type: .mse, outputs: 3), optimizer: .plain(clipNorm: 100),
                batchSize: 21, shards: Shards(own, of: all), seed: 0, workers: Workers(count: 1), reduce: reduce)
            step.load(network.parameters(Double.self, seed: 1), optimizer: OptimizerState())
            return step
        }
        let first = rank(0..<2) { gradient, sums in kept = (Array(gradient), sums) }
        let second = rank(2..<4) { gradient, sums in
            for index in gradient.indices { gradient[index] = kept.0[index] + gradient[index] }
            sums.lossSum += kept.1.lossSum
            sums.weightSum = kept.1.weightSum + sums.weightSum
        }
        let middle = all.start(of: 2, rows: 21)
        first.run(batch.rankPart(0..<middle, outputs: 3), step: 0, rate: 0.1)
        let result = second.run(batch.rankPart(middle..<21, outputs: 3), step: 0, rate: 0.1)
        #expect(result.weightSum > kept.1.weightSum)
        #expect(second.parameters() == whole.parameters())
    }
}
