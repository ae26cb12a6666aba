internal import TreadleRun

/// What a run tells of itself while it trains.
///
/// ```swift
/// let summary = try train(configuration) { event in
///     switch event {
///     case .note(let level, let text): print("\(level): \(text)")
///     case .began(let overview): print("\(overview.trainRows) rows")
///     case .step(let report): progress.update(report.loss)
///     case .epoch(let record): print(record.epoch, record.metrics)
///     case .saved(let path, let cursor): print("\(path) at step \(cursor.step)")
///     case .finished(let summary): print(summary.ending)
///     }
/// }
/// ```
public enum RunEvent: Sendable {
    /// Something that a person may want to know; from any thread.
    case note(LogLevel, String)
    /// Once, before the first step.
    case began(RunOverview)
    /// After every batch, which waits for the answer.
    case step(StepReport)
    /// After every epoch, with its metrics.
    case epoch(EpochRecord)
    /// A checkpoint is durable.
    case saved(path: String, Cursor)
    /// Once, when the run ends by its own rules or by a stop.
    case finished(RunSummary)
}

/// Passes a run's reports on as events.
final class EventObserver: TrainingObserver {
    private let observe: @Sendable (RunEvent) -> Void

    init(_ observe: @escaping @Sendable (RunEvent) -> Void) {
        self.observe = observe
    }

    func note(_ level: LogLevel, _ message: String) { observe(.note(level, message)) }
    func began(_ overview: RunOverview) { observe(.began(overview)) }
    func stepped(_ report: StepReport) { observe(.step(report)) }
    func epochEnded(_ record: EpochRecord) { observe(.epoch(record)) }
    func checkpointed(_ path: String, at cursor: Cursor) { observe(.saved(path: path, cursor)) }
    func finished(_ summary: RunSummary) { observe(.finished(summary)) }
}
