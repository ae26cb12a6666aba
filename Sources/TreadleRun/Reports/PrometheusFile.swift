internal import Foundation
internal import Synchronization
package import TreadleBase
package import TreadleData

/// Writes a run's state in Prometheus' text format, for the node exporter's textfile collector.
///
/// The file is replaced by rename, once per interval, after each epoch and at the end: whoever reads it never sees
/// half of it. A file that cannot be written is said once, and training goes on.
package final class PrometheusFile: TrainingObserver {
    private let path: String
    private let report: @Sendable (String) -> Void
    private let state: Mutex<State>

    private struct State {
        var figures: SteadyFigures
        var values = Values()
        var hasFailed = false
    }

    /// What the file shows; nil is left out.
    private struct Values {
        var run = ""
        var cursor = Cursor()
        var epochs = 0
        var report: SteadyFigures.Report?
        var metrics: [String: Double] = [:]
        var lastCheckpoint: Double?
        var isRunning = true
    }

    /// `report` is told where the file cannot be written.
    package init(path: String, every interval: Duration, report: @escaping @Sendable (String) -> Void) {
        self.path = path
        self.report = report
        state = Mutex(State(figures: SteadyFigures(every: interval)))
    }

    package func note(_ level: LogLevel, _ message: String) {}

    package func began(_ overview: RunOverview) {
        update { values in
            values.run = overview.name
            values.cursor = overview.start
            values.epochs = overview.epochs
            values.metrics = overview.history.last?.metrics ?? [:]
        }
    }

    package func stepped(_ step: StepReport) {
        guard let figures = state.withLock({ $0.figures.add(step) }) else { return }
        update { values in
            values.cursor = figures.cursor
            values.report = figures
        }
    }

    package func epochEnded(_ record: EpochRecord) {
        update { values in
            values.cursor = Cursor(epoch: record.epoch, batch: 0, step: record.step)
            values.metrics = record.metrics
        }
    }

    package func checkpointed(_ path: String, at cursor: Cursor) {
        let now = Date().timeIntervalSince1970
        update { $0.lastCheckpoint = now }
    }

    package func finished(_ summary: RunSummary) {
        update { values in
            values.cursor = summary.cursor
            values.metrics = summary.metrics
            values.isRunning = false
        }
    }

    private func update(_ change: (inout Values) -> Void) {
        let failure: (any Error)? = state.withLock { state in
            change(&state.values)
            guard !state.hasFailed else { return nil }
            do {
                try DurableFile.write(Self.text(state.values), to: path)
                return nil
            } catch {
                state.hasFailed = true
                return error
            }
        }
        if let failure { report("\(failure); training goes on without log.prometheus") }
    }

    private static func text(_ values: Values) -> String {
        var text = ""
        let run = "run=\"\(escaped(values.run))\""
        func add(_ name: String, _ kind: String, _ help: String, _ samples: [(labels: String, value: Double)]) {
            guard !samples.isEmpty else { return }
            text += "# HELP treadle_\(name) \(help)\n# TYPE treadle_\(name) \(kind)\n"
            for sample in samples { text += "treadle_\(name){\(sample.labels)} \(number(sample.value))\n" }
        }
        func add(_ name: String, _ kind: String, _ help: String, _ value: Double?) {
            add(name, kind, help, value.map { [(run, $0)] } ?? [])
        }
        add("running", "gauge", "1 while the run trains, 0 once it has ended.", values.isRunning ? 1 : 0)
        add("epochs_completed", "gauge", "Epochs completed, over all resumptions.", Double(values.cursor.epoch))
        add("epochs_planned", "gauge", "Epochs that the configuration asks for.", Double(values.epochs))
        add("steps_total", "counter", "Optimizer updates, over all resumptions.", Double(values.cursor.step))
        add("batch_loss", "gauge", "Mean training loss over the last interval.", values.report?.loss)
        add("learning_rate", "gauge", "Learning rate of the last step.", values.report?.rate)
        add("samples_per_second", "gauge", "Rows trained on per second.", values.report?.samplesPerSecond)
        add("input_wait_ratio", "gauge", "Share of time spent waiting for input.", values.report?.inputWait)
        add(
            "metric", "gauge", "Metrics of the last epoch by name.",
            values.metrics.sorted { $0.key < $1.key }.map { ("\(run),name=\"\(escaped($0.key))\"", $0.value) })
        add(
            "last_checkpoint_timestamp_seconds", "gauge", "When the last checkpoint was durable.",
            values.lastCheckpoint)
        return text
    }

    private static func number(_ value: Double) -> String {
        value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
    }

    private static func escaped(_ label: String) -> String {
        label.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            .replacingOccurrences(of: "\n", with: "\\n")
    }
}
