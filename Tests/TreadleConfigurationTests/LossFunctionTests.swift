import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleModel

@Suite struct LossFunctionTests {
    static func resolved(
        _ task: LearningTask, type: Automatic<LossType> = .automatic, outputs: Int = 3, weight: ClassWeight? = nil,
        counts: [Int]? = nil
    ) throws -> LossFunction {
        try LossFunction(
            LossConfiguration(type: type, classWeight: weight, labelSmoothing: 0.1, delta: 2, quantile: 0.9),
            task: task, outputs: outputs, classCounts: counts)
    }

    @Test func `auto follows the task, and the link follows the loss`() throws {
        let classes = try Self.resolved(.classification)
        #expect(classes.type == .crossEntropy && classes.link == .softmax)
        #expect(classes.labelSmoothing == 0.1 && classes.delta == 2 && classes.quantile == 0.9)
        let labels = try Self.resolved(.multilabel)
        #expect(labels.type == .bce && labels.link == .sigmoid)
        let values = try Self.resolved(.regression)
        #expect(values.type == .mse && values.link == .identity)
        #expect(try Self.resolved(.classification, type: .value(.hinge)).link == .softmax)
        #expect(try Self.resolved(.multilabel, type: .value(.hinge)).link == .sigmoid)
        #expect(try Self.resolved(.regression, type: .value(.poisson)).link == .exp)
    }

    @Test func `balanced weights give each class the same share`() throws {
        let loss = try Self.resolved(.classification, weight: .balanced, counts: [10, 30, 0])
        let expected: [Double] = [40.0 / 30, 40.0 / 90, 1]
        #expect(loss.classWeights == expected)
    }

    @Test func `weights must be one for each class, and classes two or more`() throws {
        #expect(try Self.resolved(.classification, weight: .values([1, 2, 3])).classWeights == [1, 2, 3])
        #expect(
            throws: TreadleError(
                .configuration, "loss.class_weight has 2 values, but the data has 3 classes; give one each")
        ) { try Self.resolved(.classification, weight: .values([1, 2])) }
        #expect(throws: TreadleError.self) { try Self.resolved(.classification, outputs: 1) }
    }
}
