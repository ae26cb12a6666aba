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
    options.stop = stop
    options.page = HTMLReport.page
    return try asTreadleError {
        try Trainer.run(configuration, options: options, observer: EventObserver(observe))
    }
}
