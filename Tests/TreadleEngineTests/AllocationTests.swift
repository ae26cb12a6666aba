import CAllocations
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleEngine
@testable import TreadleModel
import TestSupport

@Suite(.enabled(if: callocations_counts() != 0, "a sanitizer has taken malloc's place")) struct AllocationTests {
    /// Each way through a step.
    @Test(arguments: [false, true], [1, 2])
    func `a hundred steps allocate nothing`(isWhole: Bool, threads: Int) {
        for rows in [GradientPath.Rows.byRows, .byColumns, .inShards] {
            let network = Network.dense([300, 300, 3], .tanh, dropout: 0.1)
            let step = TrainingStep<Float>(
                network: network, loss: LossFunction(type: .crossEntropy, outputs: 3), optimizer: .plain(.adam),
                batchSize: 16, shards: Shards(batchSize: 64), accumulate: 1, seed: 0,
                workers: Workers(count: threads),
                path: GradientPath(rows: rows, isWhole: isWhole))
            step.sharing.alwaysShares = true
            step.load(network.parameters(Float.self, seed: 1), optimizer: OptimizerState())
            let batch = TestBatch<Float>(rows: 16, inputs: 300, outputs: 3, classes: true, seed: 1)
            // The first steps may fill Dispatch's caches and the runtime's.
            for index in 0..<20 { step.run(batch.batch, step: index, rate: 1e-3) }
            let before = callocations_of_this_thread()
            for index in 20..<120 { step.run(batch.batch, step: index, rate: 1e-3) }
            let made = callocations_of_this_thread() - before
            #expect(made == 0, "\(made) allocations, \(rows)")
        }
    }

    @Test func `an array is an allocation, so the counter counts`() {
        let before = callocations_of_this_thread()
        let array = [Int](repeating: Int.random(in: 0..<9), count: 1000)
        #expect(callocations_of_this_thread() > before && array.count == 1000)
    }
}
