import CKernels
import Testing
@testable import TreadleModel

/// What losses say of themselves: the tasks they fit, what they make of outputs, and what can be set.
@Suite struct LossTests {
    @Test func `each task has its losses, the usual one first`() {
        #expect(LearningTask.classification.losses == [.crossEntropy, .hinge])
        #expect(LearningTask.multilabel.losses == [.bce, .hinge])
        #expect(LearningTask.regression.losses == [.mse, .mae, .huber, .poisson, .quantile])
    }

    @Test(arguments: LossType.allCases) func `a loss that fits a task makes of outputs what that task predicts`(
        type: LossType
    ) {
        for task in LearningTask.allCases {
            let expected: LossFunction.Link? =
                switch (task, type) {
                case (.classification, .crossEntropy), (.classification, .hinge): .softmax
                case (.multilabel, .bce), (.multilabel, .hinge): .sigmoid
                // The mean of counts is the exponential of the output.
                case (.regression, .poisson): .exp
                case (.regression, .mse), (.regression, .mae), (.regression, .huber), (.regression, .quantile):
                    .identity
                default: nil
                }
            #expect(type.traits.link(for: task) == expected, "\(task)")
        }
        #expect(LossFunction(type: type, outputs: 3).link == type.traits.links.first?.value)
        #expect(LossFunction(type: type, outputs: 3, link: .exp).link == .exp)
    }

    @Test func `every setting has a loss that uses it, and only losses of classes and labels weigh them`() {
        let used = LossType.allCases.flatMap(\.traits.settings)
        #expect(Set(used) == Set(LossTraits.Setting.allCases))
        for type in LossType.allCases {
            let traits = type.traits
            #expect(traits.weighs.allSatisfy { traits.link(for: $0) != nil && $0 != .regression }, "\(type)")
            // Counts that are shifted or scaled are none.
            #expect(traits.takesScaledTargets == (type != .poisson))
        }
    }

    @Test func `judging leaves out the smoothing and nothing else`() {
        let loss = LossFunction(
            type: .crossEntropy, outputs: 3, classWeights: [1, 2, 3], labelSmoothing: 0.1, delta: 2, quantile: 0.9)
        #expect(
            loss.forJudging
                == LossFunction(type: .crossEntropy, outputs: 3, classWeights: [1, 2, 3], delta: 2, quantile: 0.9))
        #expect(loss.forJudging.forJudging == loss.forJudging)
    }

    @Test func `each is another one to the kernels`() {
        #expect(Set(LossType.allCases.map(\.traits.kernel.rawValue)).count == LossType.allCases.count)
        #expect(Set(LossFunction.Link.allCases.map(\.kernel.rawValue)).count == LossFunction.Link.allCases.count)
    }
}
