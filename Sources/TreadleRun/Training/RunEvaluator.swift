internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel

/// Measures a run's weights on rows, as its configuration asks.
struct RunEvaluator<S: Scalar> {
    private let run: OpenedRun

    init(_ run: OpenedRun) {
        self.run = run
    }

    /// Loss and metrics of `parameters` on the validation rows; with folds, every row is judged by members that have not
    /// learnt from it, and each member by its own fold as well.
    func judge(
        _ rows: RowSet, by parameters: [LayerParameters]
    ) throws -> (all: Evaluation, members: [Evaluation]) {
        guard let folds = rows.folds else { return (try evaluate(rows, by: parameters), []) }
        return try evaluator().evaluate(
            rows, outOf: folds, parameters: parameters, normalization: run.data.normalization,
            stop: run.options.host.stop)
    }

    /// Loss and metrics of `parameters` on `rows`, and which classes were taken for which; with folds of members that have
    /// not learnt from a row.
    func evaluate(
        _ rows: RowSet, by parameters: [LayerParameters], metrics: [MetricName]? = nil
    ) throws -> Evaluation {
        let (evaluator, normalization, stop) = (evaluator(metrics), run.data.normalization, run.options.host.stop)
        if let folds = rows.folds {
            return try evaluator.evaluate(
                rows, outOf: folds, parameters: parameters, normalization: normalization, stop: stop
            ).all
        }
        return try evaluator.evaluate(rows, parameters: parameters, normalization: normalization, stop: stop)
    }

    /// The temperature that fits a model's outputs to the validation rows.
    ///
    /// Of several members the probabilities are averaged, so that no outputs stand for all: their temperature is searched.
    func temperature(of model: SavedModel, on rows: RowSet) throws -> Double {
        guard run.network.members == 1 else {
            return try Temperature.searched { temperature in
                var warm = model
                warm.temperature = temperature
                return try evaluate(rows, by: warm.calibrated, metrics: [.logLoss]).metrics["log_loss"] ?? .nan
            }
        }
        var outputs = run.loss
        outputs.link = .identity
        let logits = try Evaluator<S>(
            network: run.network, loss: outputs, task: run.configuration.task, metrics: [], workers: run.workers,
            ranks: run.ranks, stopped: Departure.stop
        ).score(
            rows, parameters: model.parameters, normalization: run.data.normalization, stop: run.options.host.stop)
        return Temperature.fitted(logits, workers: run.workers)
    }

    private func evaluator(_ metrics: [MetricName]? = nil) -> Evaluator<S> {
        let task = run.configuration.task
        let usual = run.configuration.metrics + task.reportMetrics(outputs: run.network.outputs)
        return Evaluator(
            network: run.network, loss: run.loss, task: task, metrics: metrics ?? usual, workers: run.workers,
            ranks: run.ranks, stopped: Departure.stop)
    }
}
