internal import Foundation
internal import Synchronization
internal import TreadleBase
internal import TreadleData
internal import TreadleModel
internal import TreadleRun
internal import TreadleTools

/// A run without a terminal: lines of `key=value`, one per interval and one per epoch.
final class LineProgress: TrainingObserver {
    private let log: Log
    private let state: Mutex<State>

    private struct State {
        var meter: ProgressMeter?
        var figures: SteadyFigures
    }

    init(log: Log, every interval: Duration) {
        self.log = log
        state = Mutex(State(meter: nil, figures: SteadyFigures(every: interval)))
    }

    func note(_ level: LogLevel, _ message: String) { log.write(level, message) }

    func began(_ run: RunOverview) {
        state.withLock { $0.meter = ProgressMeter(run) }
        var fields: [(String, String)] = [
            ("event", "began"), ("name", run.name), ("task", run.task.rawValue),
            ("layers", run.network.shape().filter { $0 != " " }), ("parameters", String(run.network.parameterCount)),
            ("train_rows", String(run.trainRows)), ("valid_rows", String(run.validRows)),
            ("test_rows", String(run.testRows)), ("batch_size", String(run.batchSize)),
            ("batches", String(run.batchesPerEpoch)), ("epochs", String(run.epochs)),
            ("threads", String(run.threads)), ("step", String(run.start.step)), ("dir", run.directory),
        ]
        if let checkpoint = run.resumedFrom { fields.append(("resumed_from", checkpoint)) }
        write(fields)
    }

    func stepped(_ report: StepReport) {
        let fields: [(String, String)]? = state.withLock { state in
            state.meter?.add(report)
            guard let figures = state.figures.add(report), let meter = state.meter else { return nil }
            var fields = [
                ("event", "step"), ("epoch", String(meter.epoch)), ("step", String(report.cursor.step)),
                ("loss", Figure.compact(meter.loss)), ("rate", Figure.compact(report.rate)),
                ("samples_per_second", Figure.compact(figures.samplesPerSecond.rounded())),
                ("input_wait", Self.share(figures.inputWait)),
            ]
            if let left = meter.secondsLeft { fields.append(("seconds_left", Figure.compact(left.rounded()))) }
            return fields
        }
        if let fields { write(fields) }
    }

    func epochEnded(_ record: EpochRecord) {
        state.withLock { $0.meter?.endEpoch() }
        var fields = [("event", "epoch"), ("epoch", String(record.epoch)), ("step", String(record.step))]
        fields += Self.fields(record.metrics)
        fields += [("rate", Figure.compact(record.rate)), ("seconds", Figure.compact(record.seconds))]
        write(fields)
    }

    func checkpointed(_ path: String, at cursor: Cursor) {
        write([("event", "checkpoint"), ("step", String(cursor.step)), ("path", path)])
    }

    func finished(_ summary: RunSummary) {
        var fields = [
            ("event", summary.ending.rawValue), ("epoch", String(summary.cursor.epoch)),
            ("step", String(summary.cursor.step)), ("seconds", Figure.compact(summary.seconds)),
        ]
        fields += Self.fields(summary.metrics)
        if let epoch = summary.epoch, let last = summary.history.last, last.epoch != epoch {
            // The metrics are those of the weights in the model, which are not the last epoch's.
            fields.append(("model_epoch", String(epoch)))
            fields += Self.fields(last.metrics).map { ("last.\($0)", $1) }
        }
        if let best = summary.best { fields.append(("best", Figure.compact(best))) }
        if let epoch = summary.bestEpoch { fields.append(("best_epoch", String(epoch))) }
        if let checkpoint = summary.checkpoint { fields.append(("model", checkpoint)) }
        if let digest = summary.digest { fields.append(("digest", digest)) }
        write(fields)
    }

    private static func fields(_ metrics: [String: Double]) -> [(String, String)] {
        EpochTable.ordered(metrics.keys).compactMap { name in
            metrics[name].map { (name, Figure.compact($0)) }
        }
    }

    private static func share(_ value: Double) -> String { String(format: "%.3f", value) }

    private func write(_ fields: [(String, String)]) {
        // The journal keeps the time itself.
        let time = log.isJournal ? [] : [("time", Date.now.formatted(.iso8601))]
        log.note((time + fields).map { "\($0.0)=\(Self.quoted($0.1))" }.joined(separator: " "))
    }

    /// The value as it is where that is one word, else in quotes.
    private static func quoted(_ value: String) -> String {
        let isWord = !value.isEmpty && !value.contains { $0.isWhitespace || "\"=\\".contains($0) }
        return isWord ? value : JSONValue.string(value).text()
    }
}
