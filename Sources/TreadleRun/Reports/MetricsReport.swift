internal import Foundation
internal import Synchronization
internal import TreadleBase
internal import TreadleData

/// Writes a run's `metrics.jsonl`: a line an interval, and a line with the metrics at the end of each epoch.
final class MetricsReport: TrainingObserver {
    private let log: MetricsLog
    private let report: @Sendable (String) -> Void
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<State>

    private struct State {
        var figures: SteadyFigures
        var epoch: EpochPace
        var hasFailed = false
    }

    /// Tests say what time it is.
    init(
        _ log: MetricsLog, every interval: Duration, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        report: @escaping @Sendable (String) -> Void
    ) {
        self.log = log
        self.report = report
        self.now = now
        state = Mutex(State(figures: SteadyFigures(every: interval), epoch: EpochPace(at: now())))
    }

    func note(_ level: LogLevel, _ message: String) {}
    func began(_ overview: RunOverview) { state.withLock { $0.epoch = EpochPace(at: now()) } }
    func checkpointed(_ path: String, at cursor: Cursor) {}
    func finished(_ summary: RunSummary) {}

    func stepped(_ report: StepReport) {
        let figures = state.withLock { state in
            state.epoch.add(report, at: now())
            return state.figures.add(report)
        }
        guard let figures else { return }
        append(
            [
                .init("step", .integer(figures.cursor.step)), .init("epoch", .integer(figures.cursor.epoch)), time,
                .init("seconds", .number(report.runSeconds)), .init("loss", .number(figures.loss)),
                .init("rate", .number(figures.rate)),
            ] + speed(figures.samplesPerSecond, inputWait: figures.inputWait))
    }

    func epochEnded(_ record: EpochRecord) {
        let epoch = state.withLock { state in
            defer { state.epoch = EpochPace(at: now(), after: state.epoch) }
            return state.epoch
        }
        var members: [JSONValue.Member] = [
            .init("step", .integer(record.step)), .init("epoch", .integer(record.epoch)), time,
            .init("seconds", .number(record.seconds)), .init("loss", .number(record.metrics["loss"] ?? .nan)),
            .init("rate", .number(record.rate)),
        ]
        if let speed = epoch.samplesPerSecond { members += self.speed(speed, inputWait: epoch.inputWait) }
        for name in record.metrics.keys.sorted() where name != "loss" {
            members.append(.init(name, .number(record.metrics[name] ?? .nan)))
        }
        append(members)
    }

    private var time: JSONValue.Member { .init("time", .number(Date().timeIntervalSince1970)) }

    private func speed(_ samplesPerSecond: Double, inputWait: Double) -> [JSONValue.Member] {
        [.init("samples_per_second", .number(samplesPerSecond)), .init("input_wait", .number(inputWait))]
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

/// How fast an epoch's steps went by: from the end of the epoch before, or the run's beginning, to its last step, so that
/// evaluation does not count.
private struct EpochPace {
    private let start: ContinuousClock.Instant
    private let waitedBefore: Double
    private var end: ContinuousClock.Instant
    private var waited: Double
    private var rows = 0

    init(at start: ContinuousClock.Instant, after previous: EpochPace? = nil) {
        self.start = start
        end = start
        waitedBefore = previous?.waited ?? 0
        waited = waitedBefore
    }

    mutating func add(_ step: StepReport, at time: ContinuousClock.Instant) {
        rows += step.rows
        waited = step.waited
        end = time
    }

    private var seconds: Double { (end - start) / .seconds(1) }

    /// Nil where another process took the epoch's steps, and this one only ended it.
    var samplesPerSecond: Double? { rows > 0 && seconds > 0 ? Double(rows) / seconds : nil }
    var inputWait: Double { min(1, max(0, (waited - waitedBefore) / seconds)) }
}
