internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel

extension TrainingRun {
    /// Evaluates, records the epoch, and makes everything ready for the next.
    ///
    /// Nothing changes before the evaluation is over: a signal in it leaves the epoch to be ended by the next process.
    func endEpoch() throws {
        var metrics = ["loss": progress.lossSum / progress.weightSum]
        if let valid = data.valid {
            let result = try evaluate(valid)
            metrics.merge(result.named("valid")) { $1 }
        }
        let record = EpochRecord(
            epoch: cursor.epoch + 1, step: cursor.step, rate: rate, seconds: seconds, metrics: metrics)
        history.append(record)
        cursor = Cursor(epoch: cursor.epoch + 1, batch: 0, step: cursor.step)
        progress.lossSum = 0
        progress.weightSum = 0
        watch(record)
        observer.epochEnded(record)
        try saveIfDue(epoch: record)
    }

    /// What early stopping and the schedule learn from an epoch.
    private func watch(_ record: EpochRecord) {
        let value = record.metrics[watched.name] ?? .nan
        let margin = configuration.stop.early?.minDelta ?? 0
        if watched.isBetter(value, than: progress.best, by: margin) {
            progress.best = value
            progress.bestEpoch = record.epoch
            progress.epochsWithoutProgress = 0
        } else {
            progress.epochsWithoutProgress += 1
        }
        schedule.finishEpoch(metric: value, higherIsBetter: watched.higherIsBetter, progress: &progress)
        progress.stoppedEarly = hasStoppedEarly
    }

    /// Loss and metrics of the present weights on `rows`, and which classes were taken for which.
    func evaluate(_ rows: RowSet) throws -> Evaluation {
        let metrics = configuration.metrics + configuration.task.reportMetrics(outputs: network.outputs)
        return try Evaluator<S>(
            network: network, loss: loss, task: configuration.task, metrics: metrics, workers: workers, ranks: ranks
        ).evaluate(
            rows, parameters: step.parameters(), normalization: data.normalization,
            stop: options.stop)
    }
}
