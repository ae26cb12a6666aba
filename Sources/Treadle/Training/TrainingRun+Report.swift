extension TrainingRun {
    /// Writes `report.html` beside the final checkpoint. The model is done by then: what fails here is a warning.
    func writeReport(on checkpoint: Checkpoint, at path: String, test: Evaluation?) {
        let report = directory + "/report.html"
        do {
            var evaluated = test.map { HTMLReport.Evaluated(set: "test", evaluation: $0) }
            if evaluated == nil, configuration.task == .classification, let valid = data.valid {
                evaluated = HTMLReport.Evaluated(set: "valid", evaluation: try evaluate(valid))
            }
            // All ranks evaluate, for they agree on stops there; one writes.
            guard ranks.isFirst else { return }
            let note = "the run has neither test nor validation rows"
            let page = HTMLReport(
                try Inspection(checkpoint, path: path, workers: workers), evaluated: evaluated, note: note)
            try DurableFile.write(page.text, to: report)
        } catch {
            observer.note(
                .warning,
                "\(report): not written: \(error); the model is whole, \"treadle inspect --html\" makes a report of it")
        }
    }
}
