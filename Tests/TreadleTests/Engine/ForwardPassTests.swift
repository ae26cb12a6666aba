import Foundation
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
