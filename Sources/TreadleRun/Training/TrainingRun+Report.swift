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

extension TrainingRun {
    /// Writes `report.html` beside the final checkpoint, where the caller makes pages. The model is done by then: what
    /// fails here is a warning.
    func writeReport(on checkpoint: Checkpoint, at path: String, test: Evaluation?) {
        guard let page = options.page else { return }
        let report = directory + "/report.html"
        do {
            var evaluated = test.map { EvaluatedSet(set: "test", evaluation: $0) }
            if evaluated == nil, configuration.task == .classification, let valid = data.valid {
                let own = try evaluate(valid, by: checkpoint.model.calibrated)
                evaluated = EvaluatedSet(set: "valid", evaluation: own)
            }
            // All ranks evaluate, for they agree on stops there; one writes.
            guard ranks.isFirst else { return }
            let run = FinishedRun(checkpoint: checkpoint, path: path, evaluated: evaluated, workers: workers)
            try DurableFile.write(try page(run), to: report)
        } catch {
            observer.note(
                .warning,
                "\(report): not written: \(error); the model is whole, \"treadle inspect --html\" makes a report of it")
        }
    }
}
