import CKernels
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleEngine
@testable import TreadleModel
import TestSupport

/// The promise in small: 200 steps give one set of weights, however they are computed.
@Suite(.serialized) struct SameBitsTests {
    struct Way: CustomStringConvertible {
        var threads = 1
        var path = GradientPath(rows: .byRows, isWhole: false)
        var isa = CK_ISA_AVX512
        var blockRows: Int?
        var description: String {
            "\(threads) threads, \(path), \(isa), blocks of \(blockRows.map(String.init) ?? "any")"
        }
    }

    static let ways: [Way] = [
        Way(threads: 2, isa: CK_ISA_AVX2),
        Way(threads: 3, blockRows: 7),
        Way(threads: 3, path: GradientPath(rows: .byColumns, isWhole: false)),
        Way(threads: 2, path: GradientPath(rows: .byColumns, isWhole: true), isa: CK_ISA_SCALAR, blockRows: 5),
        Way(threads: 5, path: GradientPath(rows: .inShards, isWhole: false)),
        Way(threads: 8, path: GradientPath(rows: .byRows, isWhole: true), isa: CK_ISA_AVX2, blockRows: 1),
        Way(threads: 1, path: GradientPath(rows: .inShards, isWhole: true), isa: CK_ISA_SCALAR, blockRows: 16),
    ]

    struct Case: CustomStringConvertible {
        var optimizer: OptimizerConfiguration
        var loss: LossType
        var activation: Activation
        var dropout = 0.0
        var classes = false
        var accumulate = 1
        var description: String { "\(optimizer.type) \(loss) \(activation) \(dropout) \(accumulate)" }
    }

    static let cases: [Case] = [
        Case(optimizer: .plain(), loss: .mse, activation: .relu, dropout: 0.3),
        Case(optimizer: .plain(momentum: 0.9), loss: .crossEntropy, activation: .tanh, classes: true),
        Case(optimizer: .plain(momentum: 0.9, nesterov: true), loss: .huber, activation: .gelu, dropout: 0.2),
        Case(optimizer: .plain(.adam, lr: 1e-3), loss: .hinge, activation: .silu, classes: true),
        Case(optimizer: .plain(.adamw, lr: 1e-3, weightDecay: 0.1), loss: .mae, activation: .elu, dropout: 0.1),
        Case(optimizer: .plain(.rmsprop, lr: 1e-3, l1: 1e-4), loss: .quantile, activation: .sigmoid),
        Case(optimizer: .plain(.adagrad, lr: 1e-2, weightDecay: 0.01), loss: .poisson, activation: .softplus),
        Case(optimizer: .plain(lr: 0.1, clipNorm: 0.5), loss: .bce, activation: .leakyRelu, classes: true),
        Case(optimizer: .plain(.adam, clipNorm: 1), loss: .mse, activation: .relu, accumulate: 3),
    ]

    @Test(arguments: cases)
    func `two hundred steps give the same weights whatever computes them`(testCase: Case) {
        compare(Float.self, testCase, ways: SameBitsTests.ways)
        compare(Double.self, testCase, ways: Array(SameBitsTests.ways.prefix(3)))
    }

    private func compare<S: Scalar>(_ type: S.Type, _ testCase: Case, ways: [Way]) {
        let expected = train(type, testCase, Way())
        let start = network(testCase).parameters(type, seed: 3)
        #expect(expected.parameters != start)
        for way in ways {
            let result = train(type, testCase, way)
            #expect(result.parameters == expected.parameters, "\(way)")
            #expect(result.optimizer == expected.optimizer, "\(way)")
        }
    }

    private func network(_ testCase: Case) -> Network {
        .dense([21, 35, 3, 18, testCase.classes ? 5 : 2], testCase.activation, dropout: testCase.dropout)
    }

    private func train<S: Scalar>(
        _ type: S.Type, _ testCase: Case, _ way: Way
    ) -> (parameters: [LayerParameters], optimizer: OptimizerState) {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        ck_use_isa(way.isa)
        let network = network(testCase)
        var path = way.path
        if testCase.optimizer.clipNorm != nil || testCase.accumulate > 1 { path.isWhole = true }
        let step = TrainingStep<S>(
            network: network, loss: LossFunction(type: testCase.loss, outputs: network.outputs),
            optimizer: testCase.optimizer, batchSize: 37, shards: Shards(batchSize: 64),
            accumulate: testCase.accumulate,
            seed: 11, workers: Workers(count: way.threads), path: path)
        step.sharing.fixedBlockRows = way.blockRows
        step.sharing.alwaysShares = true
        step.load(network.parameters(type, seed: 3), optimizer: OptimizerState())
        let batches = (0..<4).map { (index: Int) -> TestBatch<S> in
            TestBatch<S>(
                rows: index == 3 ? 5 : 37, inputs: network.inputs, outputs: network.outputs, classes: testCase.classes,
                weighted: index % 2 == 0, seed: UInt64(index))
        }
        for index in 0..<200 {
            let (group, place) = index.quotientAndRemainder(dividingBy: testCase.accumulate)
            step.run(
                batches[index % batches.count].batch, step: group, rate: testCase.optimizer.lr,
                endsGroup: place == testCase.accumulate - 1)
        }
        return (step.parameters(), step.optimizerState())
    }
}
