internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

/// What is kept of a run: what a checkpoint says, when one is due, and that observers hear of it.
///
/// Every rank has one; only the first rank's writes files.
final class RunKeeper {
    private let run: OpenedRun
    /// By which numerics contracts the weights that were taken up had been computed, and after how many updates.
    private var origin = (numerics: [Treadle.numerics], step: 0)
    /// The state that was last handed to the store between batches.
    private var saved: SavedState?

    /// What tells one state of a run from another: an epoch's end has the step of its last batch.
    private struct SavedState: Equatable {
        var cursor: Cursor
        var epochs: Int

        init(_ course: RunCourse) {
            cursor = course.cursor
            epochs = course.history.count
        }
    }

    init(_ run: OpenedRun) {
        self.run = run
    }

    /// The run goes on from this state.
    func took(_ state: Checkpoint) {
        origin = (state.numerics, state.cursor.step)
    }

    /// The numerics contracts behind the weights after `step` updates.
    func numerics(at step: Int) -> [Int] {
        guard step != origin.step, origin.numerics.last != Treadle.numerics else { return origin.numerics }
        return origin.numerics + [Treadle.numerics]
    }

    /// Weights and a place in the run, with all that a reader of the file needs besides.
    func checkpoint(
        _ parameters: [LayerParameters], at course: RunCourse, optimizer: OptimizerState = OptimizerState()
    ) -> Checkpoint {
        let (configuration, data) = (run.configuration, run.data)
        var model = ModelDescription(
            task: configuration.task, network: run.network, loss: run.loss.type,
            precision: configuration.model.precision)
        model.normalization = data.normalization
        model.classes = data.classes
        model.columns = data.columns
        model.schema = data.inputs.schema
        model.classWeights = run.loss.classWeights
        model.imageShape = data.imageShape
        // Threads change no bit of a run, and none of its checkpoints either.
        var kept = configuration
        kept.compute.threads = .automatic
        return Checkpoint(
            model: SavedModel(model, parameters: parameters), state: RunState(course, optimizer: optimizer),
            origin: FileOrigin(
                configuration: kept.resolvedText, baseDirectory: configuration.baseDirectory,
                fingerprint: data.fingerprint, created: Date().timeIntervalSince1970,
                numerics: numerics(at: course.cursor.step)))
    }

    /// Whether an interval has passed or somebody asks for a checkpoint.
    func isSaveWanted(at cursor: Cursor, epoch record: EpochRecord? = nil) -> Bool {
        let isAsked = run.options.host.takeCheckpointRequest()
        return isAsked || run.store?.isDue(at: cursor, epoch: record) == true
    }

    /// Whether this very state is on the disk or on its way there.
    func isSaved(_ course: RunCourse) -> Bool { saved == SavedState(course) }

    /// Writes a checkpoint in the background.
    func save(_ checkpoint: Checkpoint) throws {
        try run.store?.save(checkpoint)
        saved = SavedState(checkpoint.state.course)
    }

    /// Writes a checkpoint, where this is the rank that does, and gives its path when it is durable.
    func write(_ checkpoint: Checkpoint, as name: CheckpointName? = nil) throws -> String {
        let path = try run.store?.saveAndWait(checkpoint, as: name)
        reportSaved()
        return path ?? run.directory + "/" + (name ?? .step(checkpoint.cursor.step)).fileName
    }

    /// Tells the observer what has become durable in the background.
    func reportSaved() {
        for saved in run.store?.takeSaved() ?? [] { run.observer.checkpointed(saved.path, at: saved.cursor) }
    }

    /// Does `body`. Where it fails after the data changed, the error says from where the run can go on.
    func keepingBeforeChange<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as TreadleError where run.data.hasChanged {
            // A checkpoint from before the change may still be on its way to the disk.
            try? run.store?.finishWriting()
            let last = (try? run.store?.names())?.last { if case .step = $0 { true } else { false } }
            let origin = last.flatMap { run.store?.path($0) } ?? "the beginning"
            throw TreadleError(
                error.kind,
                "\(error.description); nothing that was learnt since is kept: with the data as it was, the same command "
                    + "goes on from \(origin)")
        }
    }
}
