internal import TreadleRun
internal import TreadleTools

/// Trains, or continues where an earlier run of the same configuration stopped; returns when the run has ended.
///
/// It blocks the calling thread and works on as many as `compute.threads` says. `fresh` starts over and deletes the
/// run's checkpoints. Once `stop` is requested it finishes the batch, writes a checkpoint, and returns with the ending
/// `interrupted`; the same call later continues, and the weights are those of a run that was never stopped, bit for bit.
///
/// `observe` hears of everything in order, from the training thread; notes come from any thread. Two runs may train at
/// once in one process, in directories of their own.
///
/// ```swift
/// let configuration = try Configuration(contentsOf: "churn.json5")
/// let summary = try train(configuration) { event in
///     if case .epoch(let record) = event { print(record.epoch, record.metrics) }
/// }
/// print(summary.ending, summary.checkpoint ?? "")
/// ```
public func train(
    _ configuration: Configuration, fresh: Bool = false, stop: Stop = Stop(),
    observe: @escaping @Sendable (RunEvent) -> Void = { _ in }
) throws(TreadleError) -> RunSummary {
    var options = Trainer.Options()
    options.fresh = fresh
    options.host.stop = stop
    options.host.page = HTMLReport.page
    return try asTreadleError {
        try Trainer.run(configuration, options: options, observer: EventObserver(observe))
    }
}

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
