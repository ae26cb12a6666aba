internal import Foundation

extension TrainingRun {
    /// Saves in the background when an interval has passed or a signal asks for it.
    ///
    /// Between the batches of a group nothing is saved: their sums are not part of a checkpoint.
    func saveIfDue(epoch record: EpochRecord? = nil) throws {
        reportSaved()
        guard isBetweenUpdates else { return }
        // A rollback goes back to the end of an epoch: which ends are on disk must not depend on time.
        let isAnchor = record != nil && configuration.stop.onNaN == .rollback
        let isAsked = Interruption.takeCheckpointRequest()
        guard isAsked || isAnchor || store.isDue(at: cursor, epoch: record) else { return }
        try store.save(snapshot())
    }

    /// Ends this process's part of the run when a signal or the time limit asks for it.
    func departIfAsked() throws {
        guard isBetweenUpdates else { return }
        if let signal = Interruption.stopSignal { throw Departure.signal(signal) }
        if let limit = configuration.stop.wallTime, seconds >= limit.seconds { throw Departure.wallTime }
    }

    private var isBetweenUpdates: Bool { cursor.batch == 0 || isGroupEnd(after: cursor.batch) }

    /// The run as it stands: a copy, so that training can go on while it is written.
    func snapshot() -> Checkpoint {
        var progress = progress
        progress.seconds = seconds
        return checkpoint(
            parameters: step.parameters(), optimizer: step.optimizerState(), cursor: cursor, progress: progress,
            history: history)
    }

    func checkpoint(
        parameters: [LayerParameters], optimizer: OptimizerState, cursor: Cursor, progress: TrainingProgress,
        history: [EpochRecord]
    ) -> Checkpoint {
        Checkpoint(
            configuration: configuration.resolvedText, baseDirectory: configuration.baseDirectory,
            task: configuration.task, network: network, loss: loss.type, precision: S.precision,
            parameters: parameters, normalization: data.normalization, classes: data.classes, columns: data.columns,
            classWeights: loss.classWeights, imageShape: data.imageShape, optimizer: optimizer, cursor: cursor,
            progress: progress, history: history,
            fingerprint: data.fingerprint, created: Date().timeIntervalSince1970)
    }

    /// Tells the observer what has become durable in the background.
    func reportSaved() {
        for saved in store.takeSaved() { observer.checkpointed(saved.path, at: saved.cursor) }
    }
}
