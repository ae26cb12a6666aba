import Testing
@testable import TreadleBase
@testable import TreadleEngine
@testable import TreadleModel
import TestSupport

@Suite struct GradientCheckTests {
    static func check(
        _ network: Network, _ loss: LossFunction, rows: Int = 12, classes: Bool = false
    ) -> (GradientCheck, TestBatch<Double>) {
        let batch = TestBatch<Double>(
            rows: rows, inputs: network.inputs, outputs: network.outputs, classes: classes, weighted: true, seed: 11)
        let check = GradientCheck(
            network: network, loss: loss, parameters: network.parameters(Double.self, seed: 5), batchSize: rows,
            seed: 9, workers: Workers(count: 2))
        return (check, batch)
    }

    @Test(arguments: Activation.allCases)
    func `the gradients of every activation agree with differences`(activation: Activation) {
        let (check, batch) = Self.check(
            .dense([9, 17, 5, 3], activation, dropout: 0.3), LossFunction(type: .crossEntropy, outputs: 3),
            classes: true)
        let findings = check.findings(claimed: check.gradients(batch.batch), on: batch.batch)
        #expect(findings.count == 6)
        for finding in findings {
            #expect(finding.error <= 1e-6 && finding.checked > 0, "\(finding)")
            if ![.relu, .leakyRelu].contains(activation) { #expect(finding.kinks == 0) }
        }
    }

    @Test(arguments: LossType.allCases)
    func `the gradients of every loss agree with differences`(type: LossType) {
        for classes in type == .crossEntropy || type == .hinge ? [true, false] : [false] {
            let loss = LossFunction(
                type: type, outputs: 4, classWeights: type == .crossEntropy ? [1, 2, 0.5, 3] : nil,
                labelSmoothing: type == .crossEntropy || type == .bce ? 0.1 : 0, delta: 0.4, quantile: 0.8)
            let (check, batch) = Self.check(.dense([7, 18, 4], .tanh), loss, rows: 33, classes: classes)
            for finding in check.findings(claimed: check.gradients(batch.batch), on: batch.batch, samples: 1000) {
                #expect(finding.error <= 1e-6, "\(finding)")
                // Where the loss has kinks, few parameters meet one.
                #expect(finding.kinks <= finding.checked / 4)
            }
        }
    }

    @Test func `a wrong derivative is caught, and named`() throws {
        let loss = LossFunction(type: .mse, outputs: 2)
        let right = Network.dense([6, 8, 8, 2], .gelu)
        var wrong = right
        wrong.layers[1].activation = .silu
        let (check, batch) = Self.check(right, loss)
        // The claims of a network whose second activation is another: right behind it, wrong from it on.
        let (other, _) = Self.check(wrong, loss)
        let findings = check.findings(claimed: other.gradients(batch.batch), on: batch.batch)
        #expect(findings.contains { $0.layer == "dense" && $0.error > 1e-2 })

        // And one number that is off by a hundred-thousandth.
        var claimed = check.gradients(batch.batch)
        var values = Double.values(of: claimed[1].weight)
        let largest = try #require(values.indices.max { abs(values[$0]) < abs(values[$1]) })
        values[largest] *= 1 + 1e-5
        claimed[1].weight = Double.tensor(values, shape: claimed[1].weight.shape)
        let found = check.findings(claimed: claimed, on: batch.batch, samples: 64)
        let finding = try #require(found.first { $0.layer == "dense_1" && $0.parameter == "weight" })
        #expect(abs(finding.error - 1e-5) < 1e-6)
        #expect(finding.place == [largest / 8, largest % 8])
        #expect(found.filter { $0 != finding }.allSatisfy { $0.error <= 1e-6 })
    }

    @Test func `a gradient that is not a number is the largest error`() {
        let (check, batch) = Self.check(.dense([3, 2]), LossFunction(type: .mse, outputs: 2))
        var claimed = check.gradients(batch.batch)
        claimed[0].bias = Double.tensor([Double.nan, 0], shape: [2])
        let findings = check.findings(claimed: claimed, on: batch.batch)
        #expect(findings.last?.error == .infinity)
    }
}
