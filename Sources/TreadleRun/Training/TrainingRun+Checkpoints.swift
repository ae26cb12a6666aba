internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel

/// What tells one state of a run from another: an epoch's end has the step of its last batch.
struct SavedState: Equatable {
    private var cursor: Cursor
    private var epochs: Int

    init<S: Scalar>(of run: TrainingRun<S>) {
        cursor = run.cursor
        epochs = run.history.count
    }
}

extension TrainingRun {
    /// Saves in the background when an interval has passed or somebody asks for it.
    ///
    /// Between the batches of a group nothing is saved: their sums are not part of a checkpoint.
    func saveIfDue(epoch record: EpochRecord? = nil) throws {
        reportSaved()
        guard isBetweenUpdates else { return }
        // A rollback goes back to the end of an epoch: which ends are on disk must not depend on time.
        let isAnchor = record != nil && configuration.stop.onNaN == .rollback
        if ranks.isAlone || record != nil {
            guard try ranks.decide({ isSaveWanted(at: cursor, epoch: record) || isAnchor }) else { return }
        } else {
            guard ranks.agreed.contains(.saves) else { return }
        }
        let start = ContinuousClock.now
        let snapshot = try snapshot()
        try store?.save(snapshot)
        saved = SavedState(of: self)
        observer.note(.debug, "training stood still for \(ContinuousClock.now - start) while its state was copied")
    }

    private func isSaveWanted(at cursor: Cursor, epoch record: EpochRecord? = nil) -> Bool {
        let isAsked = options.takeCheckpointRequest()
        return isAsked || store?.isDue(at: cursor, epoch: record) == true
    }

    /// Before a batch: what is to be done after it, which every rank will then know.
    func tellWishes(endsGroup: Bool) {
        ranks.wishes = RankWishes(options.stop)
        guard ranks.isFirst, endsGroup else { return }
        let next = Cursor(epoch: cursor.epoch, batch: cursor.batch + 1, step: cursor.step + 1)
        if isSaveWanted(at: next) { ranks.wishes.insert(.saves) }
        if isOverTime { ranks.wishes.insert(.wallTime) }
    }

    /// Of this process: one that continues has as long again.
    private var isOverTime: Bool { configuration.stop.wallTime.map { clock.seconds >= $0.seconds } ?? false }

    /// Writes a checkpoint, where this is the rank that does, and gives its path when it is durable.
    func write(_ checkpoint: Checkpoint, as name: CheckpointName? = nil) throws -> String {
        let path = try store?.saveAndWait(checkpoint, as: name)
        reportSaved()
        return path ?? directory + "/" + (name ?? .step(checkpoint.cursor.step)).fileName
    }

    /// Ends this process's part of the run when a stop or the time limit asks for it.
    func departIfAsked() throws {
        guard isBetweenUpdates else { return }
        let reason = ranks.isAlone ? options.stop.reason : ranks.agreed.stopReason
        if let reason { throw Departure.stop(reason) }
        if ranks.isAlone ? isOverTime : ranks.agreed.contains(.wallTime) { throw Departure.wallTime }
    }

    private var isBetweenUpdates: Bool { cursor.batch == 0 || isGroupEnd(after: cursor.batch) }

    /// Where checkpoints keep each member's best weights, beside what the optimizer remembers of them.
    static var bestSlot: String { "best" }

    /// The run as it stands: a copy, so that training can go on while it is written.
    ///
    /// Every rank must ask; only the first gets what the optimizer remembers.
    func snapshot() throws -> Checkpoint {
        // Once its file has changed, a row may be another one: no weights that may come of it are kept.
        try loader.confirmFiles()
        var snapshot = stateWithoutOptimizer
        snapshot.optimizer = step.optimizerState()
        if let best { snapshot.optimizer.slots.append(.init(name: Self.bestSlot, layers: best)) }
        try ranks.check()
        return snapshot
    }

    /// The same without what the optimizer remembers, which several ranks hold: what one rank knows by itself.
    var stateWithoutOptimizer: Checkpoint {
        var progress = progress
        progress.seconds = seconds
        return checkpoint(
            parameters: step.parameters(), course: RunCourse(cursor: cursor, progress: progress, history: history))
    }

    func checkpoint(parameters: [LayerParameters], course: RunCourse) -> Checkpoint {
        var model = ModelDescription(
            task: configuration.task, network: network, loss: loss.type, precision: configuration.model.precision)
        model.normalization = data.normalization
        model.classes = data.classes
        model.columns = data.columns
        model.schema = data.inputs.schema
        model.classWeights = loss.classWeights
        model.imageShape = data.imageShape
        // Threads change no bit of a run, and none of its checkpoints either.
        var kept = configuration
        kept.compute.threads = .automatic
        return Checkpoint(
            model: SavedModel(model, parameters: parameters), state: RunState(course, optimizer: OptimizerState()),
            origin: FileOrigin(
                configuration: kept.resolvedText, baseDirectory: configuration.baseDirectory,
                fingerprint: data.fingerprint, created: Date().timeIntervalSince1970,
                numerics: numerics(at: course.cursor.step)))
    }

    /// Tells the observer what has become durable in the background.
    func reportSaved() {
        for saved in store?.takeSaved() ?? [] { observer.checkpointed(saved.path, at: saved.cursor) }
    }
}
