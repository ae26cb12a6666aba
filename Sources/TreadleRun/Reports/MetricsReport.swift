internal import Foundation
internal import Synchronization
internal import TreadleBase
internal import TreadleData

/// Writes a run's `metrics.jsonl`: a line an interval, and a line with the metrics at the end of each epoch.
final class MetricsReport: TrainingObserver {
    private let log: MetricsLog
    private let report: @Sendable (String) -> Void
    private let state: Mutex<State>

    private struct State {
        var figures: SteadyFigures
        var last: SteadyFigures.Report?
        var hasFailed = false
    }

    init(_ log: MetricsLog, every interval: Duration, report: @escaping @Sendable (String) -> Void) {
        self.log = log
        self.report = report
        state = Mutex(State(figures: SteadyFigures(every: interval)))
    }

    func note(_ level: LogLevel, _ message: String) {}
    func began(_ overview: RunOverview) {}
    func checkpointed(_ path: String, at cursor: Cursor) {}
    func finished(_ summary: RunSummary) {}

    func stepped(_ report: StepReport) {
        let figures = state.withLock { state in
            let figures = state.figures.add(report)
            if let figures { state.last = figures }
            return figures
        }
        guard let figures else { return }
        append(
            [
                .init("step", .integer(figures.cursor.step)), .init("epoch", .integer(figures.cursor.epoch)), time,
                .init("seconds", .number(report.seconds)), .init("loss", .number(figures.loss)),
                .init("rate", .number(figures.rate)),
            ] + speed(figures))
    }

    func epochEnded(_ record: EpochRecord) {
        let last = state.withLock { $0.last }
        var members: [JSONValue.Member] = [
            .init("step", .integer(record.step)), .init("epoch", .integer(record.epoch)), time,
            .init("seconds", .number(record.seconds)), .init("loss", .number(record.metrics["loss"] ?? .nan)),
            .init("rate", .number(record.rate)),
        ]
        if let last { members += speed(last) }
        for name in record.metrics.keys.sorted() where name != "loss" {
            members.append(.init(name, .number(record.metrics[name] ?? .nan)))
        }
        append(members)
    }

    private var time: JSONValue.Member { .init("time", .number(Date().timeIntervalSince1970)) }

    private func speed(_ figures: SteadyFigures.Report) -> [JSONValue.Member] {
        [
            .init("samples_per_second", .number(figures.samplesPerSecond)),
            .init("input_wait", .number(figures.inputWait)),
        ]
    }

    /// A full disk must not end the training: the first failure is told, later lines are tried all the same.
    private func append(_ members: [JSONValue.Member]) {
        do {
            try log.append(.object(members))
            state.withLock { $0.hasFailed = false }
        } catch {
            let isFirst = state.withLock { state in
                defer { state.hasFailed = true }
                return !state.hasFailed
            }
            if isFirst { report("\(error); training goes on without this line") }
        }
    }
}
