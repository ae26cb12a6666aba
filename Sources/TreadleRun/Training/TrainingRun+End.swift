internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel

extension TrainingRun {
    /// The run has come to its end: writes its last state, takes the best weights where asked, measures them on the
    /// test set, and writes `final.h5`.
    ///
    /// Every part can be interrupted and is done again by the next process.
    func finish() throws -> RunSummary {
        let done = options.until == nil ? try store?.final() : nil
        if try ranks.decide({ done?.checkpoint.cursor == cursor }) {
            let done = done?.checkpoint ?? stateWithoutOptimizer
            return summary(.alreadyComplete, of: done, at: store?.path(.final) ?? directory)
        }
        try recordPartOfEpoch()
        var last = try snapshot()
        if saved == SavedState(of: self) {
            // It is on its way to the disk already.
            try store?.finishWriting()
        } else {
            _ = try write(last)
        }
        last.progress.finished = true
        var record = last.history.lastIndex { $0.step == cursor.step }
        // The final model is not continued from.
        last.optimizer.slots.removeAll { $0.name == Self.bestSlot }
        if configuration.stop.early?.restoreBest == true, data.valid?.folds != nil {
            try restoreBestOfMembers(in: &last, record)
        } else if configuration.stop.early?.restoreBest == true, let best = try bestCheckpoint() {
            step.load(best.parameters, optimizer: last.optimizer)
            last.parameters = best.parameters
            record = last.history.firstIndex { $0.step == best.cursor.step }
            observer.note(.info, "restored the weights of epoch \(best.cursor.epoch), the best by \(watched.name)")
        }
        if configuration.stop.early?.restoreBest == true {
            last.progress.restoredEpoch = record.map { last.history[$0].epoch }
        }
        if configuration.calibrate, let valid = data.valid {
            let temperature = try temperature(of: last.model, on: valid)
            last.temperature = temperature
            observer.note(.info, "calibrated on \(valid.count) validation rows: temperature \(temperature)")
            // What the run has measured so far were other probabilities.
            if let record {
                last.history[record].metrics.merge(try evaluate(valid, by: last.model.calibrated).named("valid")) { $1 }
            }
        }
        var tested: Evaluation?
        if let test = data.test, let record {
            let result = try evaluate(test, by: last.model.calibrated)
            last.history[record].metrics.merge(result.named("test")) { $1 }
            tested = result
        }
        let path = try write(last, as: .final)
        writeReport(on: last, at: path, test: tested)
        return summary(ending, of: last, at: path)
    }

    /// Takes every member's best weights, whichever epoch they are of, and what they reach together on rows that each has
    /// not learnt from in place of the last epoch's.
    private func restoreBestOfMembers(in last: inout Checkpoint, _ record: Int?) throws {
        guard let best, let valid = data.valid else { return }
        step.load(best, optimizer: last.optimizer)
        last.parameters = best
        let result = try judge(valid).all
        if let record { last.history[record].metrics.merge(result.named("valid")) { $1 } }
        let epochs = progress.members.map { $0.epoch.map(String.init) ?? "none" }.joined(separator: ", ")
        observer.note(.info, "restored each member's best weights by \(watched.name), of the epochs \(epochs)")
    }

    /// Leaves a checkpoint that the next process continues from.
    func leave(_ departure: Departure) throws -> RunSummary {
        let snapshot = try snapshot()
        let path = try write(snapshot)
        switch departure {
        case .stop(let reason):
            observer.note(.info, "stopped by \(reason); the same command continues from \(path)")
            return summary(.interrupted, of: snapshot, at: path)
        case .wallTime:
            observer.note(.info, "stop.wall_time is over; the same command continues from \(path)")
            return summary(.wallTime, of: snapshot, at: path)
        }
    }

    /// A run that ends by its number of steps in the middle of an epoch has metrics of that part.
    private func recordPartOfEpoch() throws {
        guard cursor.batch > 0, history.last?.step != cursor.step else { return }
        var metrics = ["loss": progress.lossSum / progress.weightSum]
        if let valid = data.valid { metrics.merge(try judge(valid).all.named("valid")) { $1 } }
        let record = EpochRecord(
            epoch: cursor.epoch + 1, step: cursor.step, rate: rate, seconds: seconds, metrics: metrics)
        history.append(record)
        observer.epochEnded(record)
    }

    /// The checkpoint with the best weights, unless they are the present ones.
    private func bestCheckpoint() throws -> Checkpoint? {
        guard let bestEpoch = progress.bestEpoch, bestEpoch != cursor.epoch || cursor.batch > 0 else { return nil }
        let found = try store?.best()
        guard try ranks.decide({ found.map { $0.checkpoint.cursor.step <= cursor.step } ?? false }) else {
            observer.note(
                .warning, "the best weights, of epoch \(bestEpoch), are not on disk; keeping those of the last epoch")
            return nil
        }
        return try ranks.share(found?.checkpoint ?? stateWithoutOptimizer)
    }

    private var ending: RunSummary.Ending {
        hasStoppedEarly ? .stoppedEarly : reachedStepLimit ? .stepLimit : .completed
    }

    private func summary(
        _ ending: RunSummary.Ending, of checkpoint: Checkpoint, at path: String
    ) -> RunSummary {
        let record = checkpoint.head.weightsRecord ?? checkpoint.history.last
        let summary = RunSummary(
            ending: ending, directory: directory, cursor: checkpoint.cursor, seconds: checkpoint.progress.seconds,
            metrics: record?.metrics ?? [:], epoch: record?.epoch,
            best: progress.best, bestEpoch: progress.bestEpoch, checkpoint: path,
            digest: checkpoint.parameterDigest, history: checkpoint.history)
        observer.finished(summary)
        return summary
    }
}

/// Why a process leaves a run before the run's end; the next process continues.
enum Departure: Error, Equatable {
    /// The end was asked for: by what.
    case stop(String)
    case wallTime
}
