import Foundation
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleEngine
@testable import TreadleModel

@Suite struct ForwardPassTests {
    @Test(arguments: [1, 2, 3, 5])
    func `predictions are the step's own outputs, for any number of workers`(threads: Int) {
        let network = Network.dense([13, 40, 3], .tanh, dropout: 0.5)
        let parameters = network.parameters(Float.self, seed: 4)
        let batch = TestBatch<Float>(rows: 101, inputs: 13, outputs: 3, weighted: true, seed: 6)
        let pass = ForwardPass<Float>(
            network: network, parameters: parameters, loss: LossFunction(type: .mse, outputs: 3), maxRows: 128,
            workers: Workers(count: threads))
        let outputs = pass.run(batch.batch)
        // Without dropout, a plain loop over the rows must give the same bits.
        var undropped = network
        undropped.layers[0].dropout = 0
        let naive = NaiveStep<Float>(
            network: undropped, loss: LossFunction(type: .mse, outputs: 3), parameters: parameters)
        let expected = naive.outputs(batch.x)
        #expect((0..<101).allSatisfy { row in (0..<3).allSatisfy { outputs[row * 3 + $0] == expected[row][$0] } })
        let total = (0..<101).reduce(0.0) { $0 + pass.rowLosses[$1] }
        #expect(abs(pass.sums.lossSum - total) < 1e-9 * total)
    }

    /// What a product is off, against the sum of its terms' sizes: the usual measure of how a sum of many terms is rounded.
    @Test func `products of bfloat16x3 are nearly as exact as Float32's, and those of bfloat16 are not`() {
        let (rows, size) = (64, 1024)
        var random = SplitMix(seed: 33)
        let x = (0..<rows * size).map { _ in Float.random(in: -1...1, using: &random) }
        let w = (0..<size * size).map { _ in Float.random(in: -1...1, using: &random) }

        func product<S: Scalar>(_: S.Type, _ precision: Precision, of change: (Float) -> Float = { $0 }) -> [Double] {
            var network = Network.dense([size, size], bias: false)
            network.precision = precision
            let weight = S.tensor(w.map { S(change($0)) }, shape: [size, size])
            let pass = ForwardPass<S>(
                network: network, parameters: [.init(name: network.layers[0].name, weight: weight, bias: nil)],
                loss: LossFunction(type: .mse, outputs: size), maxRows: rows, workers: Workers(count: 2))
            let numbers = Pinned(x.map { S(change($0)) })
            let places = Pinned((0..<rows).map { numbers[from: $0 * size] })
            return withExtendedLifetime((numbers, places)) {
                let outputs = pass.run(Batch(rows: rows, x: places[from: 0], targets: .absent, weights: nil))
                return (0..<rows * size).map { Double(outputs[$0]) }
            }
        }

        let exact = product(Double.self, .float64)
        let sizes = product(Double.self, .float64) { abs($0) }
        func error(_ precision: Precision) -> Double {
            zip(product(Float.self, precision), zip(exact, sizes)).map { abs($0 - $1.0) / $1.1 }.max() ?? .infinity
        }
        let (plain, split, rounded) = (error(.float32), error(.bfloat16x3), error(.bfloat16))
        #expect(split <= 1e-6, "\(split) of |A||B|; Float32 \(plain)")
        #expect(plain < split && rounded > 1e-5)
    }

    @Test func `probabilities of classes add up to one`() {
        var network = Network.dense([7, 12, 5])
        network.precision = .float64
        let batch = TestBatch<Double>(rows: 9, inputs: 7, outputs: 5, classes: true, seed: 6)
        let pass = ForwardPass<Double>(
            network: network, parameters: network.parameters(Double.self, seed: 4),
            loss: LossFunction(type: .crossEntropy, outputs: 5), maxRows: 9, workers: Workers(count: 1))
        let outputs = pass.run(batch.batch)
        for row in 0..<9 {
            let probabilities = (0..<5).map { outputs[row * 5 + $0] }
            #expect(abs(probabilities.reduce(0, +) - 1) < 1e-12)
            if case .classes(let classes) = batch.batch.targets {
                let loss = pass.rowLosses[row]
                let probability = probabilities[Int(classes[row])]
                // The row's loss is the logarithm of the probability it gave to its class.
                #expect(abs(exp(-loss) - probability) < 1e-12)
            }
        }
    }
}
