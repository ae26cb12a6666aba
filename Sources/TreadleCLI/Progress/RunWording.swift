internal import TreadleData
internal import TreadleModel
internal import TreadleRun
internal import TreadleTools

/// What is said to a person when a run begins and when it ends.
enum RunWording {
    static func opening(_ run: RunOverview, unicode: Bool) -> [String] {
        let shape = run.network.shape(joint: unicode ? "–" : "-", times: unicode ? "×" : "x")
        var rows = ["\(Figure.count(run.trainRows, "row")) to train on"]
        if run.validRows > 0 { rows.append("\(Figure.grouped(run.validRows)) to validate") }
        if run.testRows > 0 { rows.append("\(Figure.grouped(run.testRows)) to test") }
        let batches = "batches of \(Figure.grouped(run.batchSize)), \(Figure.grouped(run.batchesPerEpoch)) an epoch"
        var lines = [
            "\(run.name): \(run.task.rawValue), \(shape), \(Figure.count(run.network.parameterCount, "parameter"))",
            "\(rows.joined(separator: ", ")); \(batches); \(Figure.count(run.threads, "thread"))",
        ]
        if let checkpoint = run.resumedFrom {
            lines.append("continues from \(checkpoint): \(place(run.start, perEpoch: run.batchesPerEpoch))")
        }
        return lines
    }

    static func closing(_ summary: RunSummary) -> [String] {
        var lines: [String] = []
        let time = Figure.duration(summary.seconds)
        let epochs = Figure.count(summary.cursor.epoch, "epoch")
        switch summary.ending {
        case .completed: lines.append("done: \(epochs) in \(time)")
        case .stoppedEarly: lines.append("stopped early after \(epochs) in \(time): no progress any more")
        case .stepLimit:
            lines.append("done: \(Figure.count(summary.cursor.step, "step")) in \(time), as stop.steps says")
        // The run itself has said why it stopped, and how it continues: there is no outcome yet.
        case .wallTime, .interrupted: return []
        case .alreadyComplete: lines.append("nothing to do: this run is complete after \(epochs)")
        }
        if let best = summary.best, let epoch = summary.bestEpoch {
            lines.append("best: \(Figure.steady(best)) in epoch \(epoch)")
        }
        func text(_ metrics: [String: Double]) -> String {
            EpochTable.ordered(metrics.keys).compactMap { name in
                metrics[name].map { "\(name) \(Figure.steady($0))" }
            }.joined(separator: ", ")
        }
        if !summary.metrics.isEmpty {
            if let epoch = summary.epoch, let last = summary.history.last, last.epoch != epoch {
                lines.append("the model, of epoch \(epoch): \(text(summary.metrics))")
                lines.append("the last epoch, \(last.epoch): \(text(last.metrics))")
            } else {
                lines.append(text(summary.metrics))
            }
        }
        if let checkpoint = summary.checkpoint { lines.append("model: \(checkpoint)") }
        return lines
    }

    private static func place(_ cursor: Cursor, perEpoch: Int) -> String {
        "epoch \(cursor.epoch + 1), batch \(Figure.grouped(cursor.batch + 1)) of \(Figure.grouped(perEpoch))"
    }
}
