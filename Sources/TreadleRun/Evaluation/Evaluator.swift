package import TreadleBase
package import TreadleConfiguration
package import TreadleData
internal import TreadleEngine
package import TreadleModel

/// Measures a network on sets of rows: in their order, on all cores, always the same bits.
package struct Evaluator<S: Scalar> {
    /// Rows in a batch: enough to keep every core busy, few enough to stay in cache.
    static var batchRows: Int { 1024 }

    private let network: Network
    private let loss: LossFunction
    private let task: LearningTask
    private let metrics: [MetricName]
    private let workers: Workers
    private let ranks: Ranks
    private let stopped: (_ reason: String) -> any Error

    /// With several `ranks`, each measures a part of the rows, and all get what the whole comes to. Asked for the end between
    /// batches, it throws what `stopped` makes of the reason.
    package init(
        network: Network, loss: LossFunction, task: LearningTask, metrics: [MetricName], workers: Workers,
        ranks: Ranks = .alone, stopped: @escaping (_ reason: String) -> any Error = Stop.error
    ) {
        self.network = network
        self.loss = loss.forJudging
        self.task = task
        self.metrics = metrics
        self.workers = workers
        self.ranks = ranks
        self.stopped = stopped
    }

    /// The loss and the metrics over all rows.
    package func evaluate(
        _ rows: RowSet, parameters: [LayerParameters], normalization: Normalization,
        stop: Stop = Stop()
    ) throws -> Evaluation {
        let own = ranks.part(of: batches(of: rows))
        var tally = Metrics(
            metrics, task: task, outputs: network.outputs, normalization: normalization,
            firstBatch: own.lowerBound, workers: workers)
        try unsafe pass(over: rows, parameters, normalization, stop) { predicted, forward in
            unsafe tally.add(
                predicted.predictions, stride: predicted.stride, rows: predicted.rows, targets: predicted.targets,
                weights: predicted.weights, loss: forward.rowSums)
        }
        try tally.join(ranks)
        return Evaluation(rows: rows.count, loss: tally.loss, metrics: tally.results(), confusion: tally.confusion)
    }

    /// What the network says of every row, kept in memory.
    package func score(
        _ rows: RowSet, parameters: [LayerParameters], normalization: Normalization,
        stop: Stop = Stop()
    ) throws -> ScoredRows {
        var scored = ScoredRows(task: task, outputs: network.outputs, margin: Double(S.ulpOfOne))
        try unsafe pass(over: rows, parameters, normalization, stop) { predicted, forward in
            unsafe scored.add(
                predicted, losses: forward.rowLosses, lossWeights: forward.rowWeights,
                normalization: normalization)
        }
        try scored.join(ranks)
        return scored
    }

    private func batches(of rows: RowSet) -> Int { (rows.count + Self.batchRows - 1) / Self.batchRows }

    /// Takes this rank's part of the rows through the network, and `body` through what comes out of each batch.
    private func pass(
        over rows: RowSet, _ parameters: [LayerParameters], _ normalization: Normalization, _ stop: Stop,
        _ body: (PredictedRows<S>, EnsemblePass<S>) -> Void
    ) throws {
        let forward = EnsemblePass<S>(
            network: network, parameters: parameters, loss: loss, bounds: normalization.outputBounds,
            maxRows: Self.batchRows, workers: workers)
        let batches = batches(of: rows)
        let own = ranks.part(of: batches)
        let loader = try own.isEmpty ? nil : loader(of: own, rows, normalization)
        var read = 0
        // All ranks take as many turns, whoever has a batch more: they agree on stops after each.
        for _ in 0..<(batches + ranks.count - 1) / ranks.count {
            if let batch = try unsafe loader?.next() {
                let predictions =
                    if let folds = rows.folds, network.members > 1 {
                        unsafe forward.run(batch, outOf: folds) { _, _, _, _ in }
                    } else {
                        unsafe forward.run(batch)
                    }
                unsafe read += batch.rows
                unsafe body(
                    PredictedRows(
                        predictions: predictions, stride: network.outputs, rows: batch.rows, targets: batch.targets,
                        weights: batch.weights),
                    forward)
            }
            if let reason = try ranks.agree(on: stop) { throw stopped(reason) }
        }
        // Where a mapped file was cut short meanwhile, zeros stood in place of its rows: then nothing of this counts.
        try loader?.confirmFiles()
        try ranks.note("evaluated", rows: read, rows.dataset.settings.note)
    }

    /// Every row by the mean of those members that have not learnt from it, and each member by its own fold's rows. Every
    /// rank measures all of it.
    func evaluate(
        _ rows: RowSet, outOf folds: Folds, parameters: [LayerParameters], normalization: Normalization, stop: Stop
    ) throws -> (all: Evaluation, members: [Evaluation]) {
        let forward = EnsemblePass<S>(
            network: network, parameters: parameters, loss: loss, bounds: normalization.outputBounds,
            maxRows: Self.batchRows, workers: workers)
        func tally() -> Metrics {
            Metrics(metrics, task: task, outputs: network.outputs, normalization: normalization, workers: workers)
        }
        var all = tally()
        var ofMembers = (0..<network.members).map { _ in (rows: 0, tally: tally()) }
        let batches = (rows.count + Self.batchRows - 1) / Self.batchRows
        let loader = try loader(of: 0..<batches, rows, normalization)
        while let batch = try unsafe loader.next() {
            let predictions = unsafe forward.run(batch, outOf: folds) { member, part, predictions, sums in
                unsafe ofMembers[member].rows += part.rows
                unsafe ofMembers[member].tally.add(
                    predictions, stride: network.outputs, rows: part.rows, targets: part.targets,
                    weights: part.weights, loss: sums)
            }
            unsafe all.add(
                predictions, stride: network.outputs, rows: batch.rows, targets: batch.targets, weights: batch.weights,
                loss: forward.rowSums)
            if let reason = try ranks.agree(on: stop) { throw stopped(reason) }
        }
        try loader.confirmFiles()
        func evaluation(_ rows: Int, _ tally: Metrics) -> Evaluation {
            Evaluation(rows: rows, loss: tally.loss, metrics: tally.results(), confusion: tally.confusion)
        }
        return (evaluation(rows.count, all), ofMembers.map { evaluation($0.rows, $0.tally) })
    }

    private func loader(
        of batches: Range<Int>, _ rows: RowSet, _ normalization: Normalization
    ) throws -> BatchLoader<S> {
        let first = batches.lowerBound * Self.batchRows
        let last = min(batches.upperBound * Self.batchRows, rows.count)
        return try BatchLoader<S>(
            batches.count * Self.batchRows >= rows.count ? rows : rows.part(first..<last), normalization: normalization,
            order: .sequential, batchSize: Self.batchRows, workers: workers)
    }
}
