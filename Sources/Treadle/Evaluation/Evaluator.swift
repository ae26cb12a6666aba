/// Measures a network on sets of rows: in their order, on all cores, always the same bits.
package struct Evaluator<S: Scalar> {
    /// Rows in a batch: enough to keep every core busy, few enough to stay in cache.
    static var batchRows: Int { 1024 }

    private let network: Network
    private let loss: LossFunction
    private let task: LearningTask
    private let metrics: [MetricName]
    private let workers: Workers

    package init(
        network: Network, loss: LossFunction, task: LearningTask, metrics: [MetricName], workers: Workers
    ) {
        self.network = network
        self.loss = loss
        self.task = task
        self.metrics = metrics
        self.workers = workers
    }

    /// Throws `Departure.signal` when `stopSignal`, asked between batches, gives one.
    package func evaluate(
        _ rows: RowSet, parameters: [LayerParameters], normalization: Normalization,
        stopSignal: () throws -> String? = { Interruption.stopSignal }
    ) throws -> Evaluation {
        let forward = ForwardPass<S>(
            network: network, parameters: parameters, loss: loss, maxRows: Self.batchRows, workers: workers)
        let loader = try BatchLoader<S>(
            rows, normalization: normalization, order: .sequential, batchSize: Self.batchRows, workers: workers)
        var tally = Metrics(
            metrics, task: task, outputs: network.outputs, targetFactor: normalization.targetFactor, workers: workers)
        var sums = StepResult(lossSum: 0, weightSum: 0)
        while let batch = try unsafe loader.next() {
            let predictions = unsafe forward.run(batch)
            sums.lossSum += forward.sums.lossSum
            sums.weightSum += forward.sums.weightSum
            unsafe tally.add(
                predictions, stride: network.outputs, rows: batch.rows, targets: batch.targets, weights: batch.weights)
            if let signal = try stopSignal() { throw Departure.signal(signal) }
        }
        return Evaluation(
            rows: rows.count, loss: sums.lossSum / sums.weightSum, metrics: tally.results(), confusion: tally.confusion)
    }
}
