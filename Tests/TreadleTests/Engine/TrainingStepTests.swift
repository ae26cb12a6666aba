import CKernels
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleEngine
@testable import TreadleModel

@Suite(.serialized) struct TrainingStepTests {
    /// Trains three steps with the kernels and with plain loops and expects the same bits.
    private func compare<S: Scalar & EngineScalar>(
        _ type: S.Type, widths: [Int], rows: Int, shards: Shards, path: GradientPath, threads: Int = 1,
        blockRows: Int? = nil, activation: Activation = .relu, bias: Bool = true
    ) {
        let network = Network.dense(widths, activation, bias: bias)
        let loss = LossFunction(type: .mse, outputs: network.outputs)
        let parameters = network.parameters(type, seed: 3)
        let step = TrainingStep<S>(
            network: network, loss: loss, optimizer: .plain(), batchSize: rows, shards: shards, accumulate: 1, seed: 0,
            workers: Workers(count: threads), path: path)
        step.sharing.fixedBlockRows = blockRows
        step.sharing.alwaysShares = true
        step.load(parameters, optimizer: OptimizerState())
        var naive = NaiveStep<S>(network: network, loss: loss, parameters: parameters)
        for index in 0..<3 {
            let batch = TestBatch<S>(
                rows: rows, inputs: network.inputs, outputs: network.outputs, weighted: true, seed: UInt64(index))
            let result = step.run(batch.batch, step: index, rate: 0.05)
            naive.descend(x: batch.x, batch: batch, shards: shards, rate: 0.05, step: index)
            #expect(result.lossSum == naive.lossSum && result.weightSum == naive.weightSum)
        }
        #expect(step.parameters() == naive.parameters, "widths \(widths), \(rows) rows, \(shards), \(path)")
    }

    private static let tiles = GradientPath(rows: .byRows, isWhole: false)
    private static let paths = [
        tiles, GradientPath(rows: .inShards, isWhole: false), GradientPath(rows: .byRows, isWhole: true),
        GradientPath(rows: .inShards, isWhole: true), GradientPath(rows: .byColumns, isWhole: false),
        GradientPath(rows: .byColumns, isWhole: true),
    ]

    @Test(arguments: [CK_ISA_SCALAR, CK_ISA_AVX2, CK_ISA_AVX512])
    func `small shapes give the bits of plain loops`(isa: ck_isa) {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        ck_use_isa(isa)
        for inputs in [1, 2, 15, 16, 17, 31, 33] {
            for units in [1, 2, 3, 4, 5, 15, 16, 17, 33] {
                for rows in [1, 3, 17] {
                    compare(
                        Float.self, widths: [inputs, units], rows: rows, shards: Shards(batchSize: 0, configured: 4),
                        path: Self.tiles)
                    compare(
                        Double.self, widths: [inputs, units, 3], rows: rows, shards: Shards(batchSize: 64),
                        path: Self.tiles)
                }
            }
        }
    }

    @Test func `any cut into blocks gives the bits of plain loops`() {
        for blockRows in [1, 2, 5, 8, 9, 64] {
            compare(
                Float.self, widths: [17, 40, 5], rows: 43, shards: Shards(batchSize: 64), path: Self.tiles, threads: 2,
                blockRows: blockRows, activation: .tanh)
        }
    }

    @Test(arguments: Activation.allCases)
    func `each activation gives the bits of plain loops`(activation: Activation) {
        compare(
            Float.self, widths: [9, 37, 3, 20, 4], rows: 18, shards: Shards(batchSize: 32), path: Self.tiles,
            activation: activation)
        compare(
            Double.self, widths: [9, 37, 3, 20, 4], rows: 18, shards: Shards(batchSize: 32), path: Self.tiles,
            activation: activation, bias: false)
    }

    @Test(arguments: paths)
    func `each way of bringing gradients together gives the bits of plain loops`(path: GradientPath) {
        for shards in [1, 2, 3, 4, 7, 8] {
            compare(
                Float.self, widths: [33, 129, 31, 2, 17, 1], rows: 21, shards: Shards(batchSize: 0, configured: shards),
                path: path, threads: 3)
            compare(
                Double.self, widths: [70, 33, 3], rows: 37, shards: Shards(batchSize: 0, configured: shards),
                path: path,
                threads: 2)
        }
    }
}

extension GradientPath: CustomStringConvertible {
    public var description: String { "\(rows)" + (isWhole ? ", whole" : "") }
}
