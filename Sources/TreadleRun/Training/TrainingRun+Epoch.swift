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
        var ofMembers: [Evaluation] = []
        if let valid = data.valid {
            let result = try judge(valid)
            metrics.merge(result.all.named("valid")) { $1 }
            ofMembers = result.members
        }
        let record = EpochRecord(
            epoch: cursor.epoch + 1, step: cursor.step, rate: rate, seconds: seconds, metrics: metrics)
        history.append(record)
        cursor = Cursor(epoch: cursor.epoch + 1, batch: 0, step: cursor.step)
        progress.lossSum = 0
        progress.weightSum = 0
        watch(record, ofMembers)
        observer.epochEnded(record)
        try saveIfDue(epoch: record)
    }

    /// What early stopping and the schedule learn from an epoch.
    private func watch(_ record: EpochRecord, _ ofMembers: [Evaluation]) {
        let value = record.metrics[watched.name] ?? .nan
        let margin = configuration.stop.early?.minDelta ?? 0
        watch(ofMembers, in: record, margin)
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

    /// What each member reaches on its own fold, and whether its weights are the best it has had.
    private func watch(_ members: [Evaluation], in record: EpochRecord, _ margin: Double) {
        guard !members.isEmpty else { return }
        if progress.members.isEmpty { progress.members = members.map { _ in MemberProgress() } }
        let present = step.parameters()
        var kept = best ?? present
        for (member, evaluation) in members.enumerated() {
            // The training loss, which may be watched too, is that of all.
            let value = evaluation.named("valid")[watched.name] ?? record.metrics[watched.name] ?? .nan
            guard watched.isBetter(value, than: progress.members[member].best, by: margin) else {
                progress.members[member].wait += 1
                continue
            }
            progress.members[member] = MemberProgress(best: value, epoch: record.epoch, wait: 0)
            let own = network.layers(of: member)
            kept.replaceSubrange(own, with: present[own])
        }
        best = kept
    }

    /// Loss and metrics of the present weights on the validation rows; with folds, every row is judged by members that
    /// have not learnt from it, and each member by its own fold as well.
    func judge(_ rows: RowSet) throws -> (all: Evaluation, members: [Evaluation]) {
        guard let folds = rows.folds else { return (try evaluate(rows), []) }
        return try evaluator().evaluate(
            rows, outOf: folds, parameters: step.parameters(), normalization: data.normalization, stop: options.stop)
    }

    /// Loss and metrics of the present weights, or of others, on `rows`, and which classes were taken for which; with folds
    /// of members that have not learnt from a row.
    func evaluate(
        _ rows: RowSet, by parameters: [LayerParameters]? = nil, metrics: [MetricName]? = nil
    ) throws -> Evaluation {
        let (evaluator, parameters) = (evaluator(metrics), parameters ?? step.parameters())
        if let folds = rows.folds {
            return try evaluator.evaluate(
                rows, outOf: folds, parameters: parameters, normalization: data.normalization, stop: options.stop
            ).all
        }
        return try evaluator.evaluate(
            rows, parameters: parameters, normalization: data.normalization, stop: options.stop)
    }

    /// The temperature that fits these weights' outputs to the validation rows.
    ///
    /// Of several members the probabilities are averaged, so that no outputs stand for all: their temperature is searched.
    func temperature(of model: SavedModel, on rows: RowSet) throws -> Double {
        guard network.members == 1 else {
            return try Temperature.searched { temperature in
                var warm = model
                warm.temperature = temperature
                return try evaluate(rows, by: warm.calibrated, metrics: [.logLoss]).metrics["log_loss"] ?? .nan
            }
        }
        var outputs = loss
        outputs.link = .identity
        let logits = try Evaluator<S>(
            network: network, loss: outputs, task: configuration.task, metrics: [], workers: workers, ranks: ranks
        ).score(rows, parameters: model.parameters, normalization: data.normalization, stop: options.stop)
        return Temperature.fitted(logits, workers: workers)
    }

    private func evaluator(_ metrics: [MetricName]? = nil) -> Evaluator<S> {
        let usual = configuration.metrics + configuration.task.reportMetrics(outputs: network.outputs)
        return Evaluator(
            network: network, loss: loss, task: configuration.task, metrics: metrics ?? usual, workers: workers,
            ranks: ranks)
    }
}
