internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData

/// A run's directory: who may write there, its checkpoints, and the files that follow its progress.
struct RunDirectory {
    private let configuration: Configuration
    private let path: String

    init(_ configuration: Configuration) {
        self.configuration = configuration
        path = configuration.path(configuration.checkpoint.dir)
    }

    /// Locks the directory, unless the caller has it locked; throws with the holder's process number when another run has.
    func open(
        lock held: DirectoryLock?, examine: @escaping @Sendable (_ path: String) throws -> Void,
        note: @escaping @Sendable (LogLevel, String) -> Void
    ) throws -> CheckpointStore {
        guard let lock = try held ?? DirectoryLock.acquire(path, whenHeld: .fail) else {
            preconditionFailure("a lock that fails when held is never skipped")
        }
        var settings = configuration.checkpoint
        // The best weights come back from their file.
        if configuration.stop.early?.restoreBest == true { settings.keepBest = max(1, settings.keepBest) }
        return CheckpointStore(
            path, lock: lock, settings: settings, watched: WatchedMetric(of: configuration), examine: examine,
            note: note)
    }

    /// `caller`, and the files that the configuration asks for.
    func observers(
        _ caller: any TrainingObserver, store: CheckpointStore, continuingAt cursor: Cursor
    ) throws -> any TrainingObserver {
        let log = configuration.log
        let warn: @Sendable (String) -> Void = { caller.note(.warning, $0) }
        let metrics = try store.openMetrics(
            PathResolution.resolve(log.metrics, in: path), continuingAt: cursor)
        var members: [any TrainingObserver] = [caller, MetricsReport(metrics, every: log.every, report: warn)]
        if log.tensorboard { members.append(TensorBoardFile(directory: path, every: log.every, report: warn)) }
        if let file = log.prometheus {
            members.append(PrometheusFile(path: configuration.path(file), every: log.every, report: warn))
        }
        return ObserverGroup(members)
    }
}
