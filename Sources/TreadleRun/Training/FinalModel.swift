package import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

/// A run that has come to its end, for the page that tells of it.
package struct FinishedRun: Sendable {
    package let checkpoint: Checkpoint
    /// Where the checkpoint lies.
    package let path: String
    /// On the test set, or on the validation set of a classification without one.
    package let evaluated: EvaluatedSet?
    package let workers: Workers
}

/// Makes `final.h5` of the last state of a run: takes the best weights where asked, calibrates them, and measures them on the
/// test set.
///
/// Every part can be interrupted and is done again by the next process.
struct FinalModel<S: Scalar> {
    private let run: OpenedRun
    private let keeper: RunKeeper
    private let evaluator: RunEvaluator<S>
    private var model: Checkpoint
    /// The epoch whose weights these are, as a place in the history.
    private var record: Int?

    /// `last` is the run's last state, and `best` the weights of each member's own best epoch, where there are folds.
    init(
        _ last: Checkpoint, best: [LayerParameters]?, of run: OpenedRun, _ keeper: RunKeeper,
        _ evaluator: RunEvaluator<S>
    ) throws {
        self.run = run
        self.keeper = keeper
        self.evaluator = evaluator
        model = last
        model.progress.finished = true
        record = last.history.lastIndex { $0.step == last.cursor.step }
        // The final model is not continued from.
        model.optimizer.slots.removeAll { $0.name == RunCourse.bestSlot }
        if run.configuration.stop.early?.restoreBest == true { try restoreBest(best) }
    }

    /// Calibrates, measures and writes the model and the page about it. Gives the checkpoint and its path.
    mutating func complete() throws -> (checkpoint: Checkpoint, path: String) {
        if run.configuration.calibrate, let valid = run.data.valid { try calibrate(on: valid) }
        var tested: Evaluation?
        if let test = run.data.test, let record {
            let result = try evaluator.evaluate(test, by: model.model.calibrated)
            model.history[record].metrics.merge(result.named("test")) { $1 }
            tested = result
        }
        let path = try keeper.write(model, as: .final)
        writePage(at: path, test: tested)
        return (model, path)
    }

    private mutating func restoreBest(_ ofMembers: [LayerParameters]?) throws {
        if run.data.valid?.folds != nil {
            try restoreBestOfMembers(ofMembers)
        } else if let best = try bestCheckpoint() {
            model.parameters = best.parameters
            record = model.history.firstIndex { $0.step == best.cursor.step }
            run.observer.note(
                .info, "restored the weights of epoch \(best.cursor.epoch), the best by \(run.watched.name)")
        }
        model.progress.restoredEpoch = record.map { model.history[$0].epoch }
    }

    /// Takes every member's best weights, whichever epoch they are of, and what they reach together on rows that each has
    /// not learnt from in place of the last epoch's.
    private mutating func restoreBestOfMembers(_ best: [LayerParameters]?) throws {
        guard let best, let valid = run.data.valid else { return }
        model.parameters = best
        let result = try evaluator.judge(valid, by: best).all
        if let record { model.history[record].metrics.merge(result.named("valid")) { $1 } }
        let epochs = model.progress.members.map { $0.epoch.map(String.init) ?? "none" }.joined(separator: ", ")
        run.observer.note(
            .info, "restored each member's best weights by \(run.watched.name), of the epochs \(epochs)")
    }

    /// The checkpoint with the best weights, unless they are the present ones.
    private func bestCheckpoint() throws -> Checkpoint? {
        let cursor = model.cursor
        guard let bestEpoch = model.progress.bestEpoch, bestEpoch != cursor.epoch || cursor.batch > 0 else {
            return nil
        }
        let found = try run.store?.best()
        guard try run.ranks.decide({ found.map { $0.checkpoint.cursor.step <= cursor.step } ?? false }) else {
            run.observer.note(
                .warning, "the best weights, of epoch \(bestEpoch), are not on disk; keeping those of the last epoch")
            return nil
        }
        // Only the first rank has the file; the others pass their own weights for the shapes of what they are sent.
        return try run.ranks.share(found?.checkpoint ?? model)
    }

    private mutating func calibrate(on valid: RowSet) throws {
        let temperature = try evaluator.temperature(of: model.model, on: valid)
        model.temperature = temperature
        run.observer.note(.info, "calibrated on \(valid.count) validation rows: temperature \(temperature)")
        // What the run has measured so far were other probabilities.
        guard let record else { return }
        let result = try evaluator.evaluate(valid, by: model.model.calibrated)
        model.history[record].metrics.merge(result.named("valid")) { $1 }
    }

    /// Writes `report.html` beside the final checkpoint, where the caller makes pages. The model is done by then: what
    /// fails here is a warning.
    private func writePage(at path: String, test: Evaluation?) {
        guard let page = run.options.host.page else { return }
        let report = run.directory + "/report.html"
        do {
            var evaluated = test.map { EvaluatedSet(set: "test", evaluation: $0) }
            if evaluated == nil, run.configuration.task == .classification, let valid = run.data.valid {
                let own = try evaluator.evaluate(valid, by: model.model.calibrated)
                evaluated = EvaluatedSet(set: "valid", evaluation: own)
            }
            // All ranks evaluate, for they agree on stops there; one writes.
            guard run.ranks.isFirst else { return }
            let finished = FinishedRun(checkpoint: model, path: path, evaluated: evaluated, workers: run.workers)
            try DurableFile.write(try page(finished), to: report)
        } catch {
            run.observer.note(
                .warning,
                "\(report): not written: \(error); the model is whole, \"treadle inspect --html\" makes a report of it")
        }
    }
}
