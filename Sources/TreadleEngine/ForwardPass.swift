internal import CKernels
package import TreadleBase
package import TreadleData
package import TreadleModel

/// The network's answers for batches of rows, on all workers: for evaluation and prediction.
@safe package final class ForwardPass<S: Scalar> {
    package let network: Network
    private let loss: LossFunction
    private let workers: Workers
    private let step: StepPlan<S>
    private let packed: PackedParameters<S>
    private let predictions: AlignedMemory<S>

    /// A pass for batches of up to `maxRows` rows.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package init(
        network: Network, parameters: [LayerParameters], loss: LossFunction, maxRows: Int, workers: Workers
    ) {
        self.network = network
        self.loss = loss
        self.workers = workers
        packed = PackedParameters(PackedLayout(network, of: S.self))
        predictions = AlignedMemory(count: maxRows * network.outputs)
        step = StepPlan(
            network: network, loss: loss, parameters: packed, capacity: maxRows, shards: 1, trains: false)
        load(parameters)
    }

    /// A pass by the weights of `other`, which it shares, on one thread: what several threads do at once needs one each.
    init(beside other: ForwardPass, maxRows: Int) {
        network = other.network
        loss = other.loss
        workers = Workers(count: 1)
        packed = other.packed
        predictions = AlignedMemory(count: maxRows * network.outputs)
        step = StepPlan(
            network: network, loss: loss, parameters: packed, capacity: maxRows, shards: 1, trains: false)
        step.refreshOperands()
    }

    /// Takes other weights of the same shapes.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func load(_ parameters: [LayerParameters]) {
        packed.load(parameters)
        step.refreshOperands()
    }

    /// The outputs of a batch's rows after the loss's link (softmax, sigmoid, exp or nothing): B×D, row-major, valid
    /// until the next run.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func run(_ batch: Batch<S>) -> UnsafePointer<S> {
        unsafe step.bind(batch)
        let plan = unsafe step.plan
        let rows = unsafe batch.rows
        // Alone, a worker reads weights less often when it takes more rows at a time.
        let block = workers.count > 1 ? 32 : 96
        let (output, stride, width) = unsafe (step.output, step.outputStride, network.outputs)
        let predictions = unsafe self.predictions.start
        let isSmall = rows * packed.layout.count / packed.layout.panel < 40_000
        (isSmall ? Workers(count: 1) : workers).forEach((rows + block - 1) / block) { index, _ in
            let first = index * block
            let count = min(block, rows - first)
            unsafe ck_predict_rows(plan, first, count)
            for row in first..<first + count {
                unsafe (predictions + row * width).update(from: output + row * stride, count: width)
            }
        }
        return unsafe UnsafePointer(predictions)
    }

    /// After a run on rows with targets: each row's loss times its weight, and that weight.
    package var rowLosses: UnsafePointer<Double> { unsafe UnsafePointer(step.plan.pointee.row_losses) }
    package var rowWeights: UnsafePointer<Double> { unsafe UnsafePointer(step.plan.pointee.row_weights) }

    /// The sums of the last run's losses and weights, by a fixed tree.
    package var sums: StepResult {
        let rows = unsafe step.plan.pointee.rows
        return unsafe StepResult(lossSum: ck_sum(rows, rowLosses), weightSum: ck_sum(rows, rowWeights))
    }
}
