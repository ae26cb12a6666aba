internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel

/// All of a run that stays as it is while weights change: its settings, its data, its directory, and who is told.
struct OpenedRun {
    let configuration: Configuration
    let options: Trainer.Options
    let observer: any TrainingObserver
    let workers: Workers
    let ranks: Ranks
    /// The rows of every batch that this process computes.
    let shards: Shards
    /// Where the run is kept; only the first rank has a store there, and writes.
    let directory: String
    let store: CheckpointStore?
    let data: TrainingData
    let network: Network
    let loss: LossFunction
    let watched: WatchedMetric
    /// The checkpoint that the run continues from; nil where it begins.
    let resumedFrom: String?

    /// Opens the data and the run's directory, and gives the state to continue from, if there is one. A run that begins
    /// empties the directory; one that continues is checked to be the same training on the same data.
    static func open(
        _ configuration: Configuration, options: Trainer.Options, observer caller: any TrainingObserver
    ) throws -> (run: OpenedRun, found: CheckpointStore.Found?) {
        let ranks = options.ranks
        let caller = ranks.isFirst ? caller : SilentObserver()
        let directory = RunDirectory(configuration)
        let note: @Sendable (LogLevel, String) -> Void = { caller.note($0, $1) }
        let store =
            ranks.isFirst ? try directory.open(lock: options.lock, examine: options.host.examine, note: note) : nil
        var found = options.fresh ? nil : try Resumption.find(in: store, for: configuration, options, note: note)
        let shards = try ranks.part(of: configuration.shards, members: configuration.model.members)
        guard ranks.isAlone || configuration.compute.audit == nil else {
            throw TreadleError(
                .configuration,
                "compute.audit computes steps again in one process, and there are \(ranks.count) ranks; start one, or set it "
                    + "to null")
        }
        if configuration.model.precision.roundsOperands { BFloat16Unit.check(note: note) }

        let workers = Workers(count: configuration.threadCount)
        let data = try TrainingData(
            configuration, workers: workers, cacheDirectory: store?.directory, ranks: ranks, like: options.columns,
            stop: options.host.stop, note: note)
        if let earlier = found {
            found = try Resumption.continued(options, note: note) {
                try Resumption.checkData(
                    of: earlier, against: data, acceptsChanges: options.acceptsChangedData, note: note)
                return earlier
            }
        }
        if let expected = options.expectedFingerprint, expected != data.fingerprint {
            throw TreadleError(
                .badData,
                "the data is not what the checkpoint was trained on (fingerprint \(expected.prefix(12)) then, "
                    + "\(data.fingerprint.prefix(12)) now); put it back to reproduce the weights")
        }
        let (network, loss) = (data.network(configuration), try data.loss(configuration))
        // A run that begins owns no best and no final model yet: what lies there is another's. Not before it is known that
        // there is something to begin.
        if found == nil {
            try store?.removeAll()
            try options.begins()
        }
        if configuration.stop.onNaN == .rollback { try store?.keepEpochEnd(before: found) }
        let observer = try store.map { store in
            try directory.observers(
                caller, store: store, continuingAt: found?.checkpoint.state.course.recorded ?? Cursor())
        }
        let run = OpenedRun(
            configuration: configuration, options: options, observer: observer ?? caller, workers: workers,
            ranks: ranks, shards: shards, directory: configuration.directory, store: store, data: data,
            network: network, loss: loss, watched: WatchedMetric(of: configuration), resumedFrom: found?.path)
        return (run, found)
    }

    /// The rows in the order of training, from the first batch on, up to so many batches at once.
    func loader<S: Scalar>(atOnce: Int = 1) throws -> BatchLoader<S> {
        let settings = configuration.data
        return try BatchLoader(
            data.train, normalization: data.normalization,
            order: .shuffled(
                settings.shuffle, seed: configuration.seed, block: settings.shuffleBlock,
                window: settings.shuffleWindow),
            batchSize: settings.batchSize, dropLast: settings.dropLast, prefetch: settings.prefetch,
            atOnce: atOnce, workers: workers, part: shards)
    }

    /// The weights of every member before the first step.
    func firstWeights<S: Scalar>(as: S.Type) throws -> [LayerParameters] {
        let fresh = configuration.members.enumerated().flatMap { number, member in
            Initialization.parameters(
                of: network.member(number), initializer: configuration.model.start, as: S.self, seed: member.seed,
                frequencySpread: configuration.model.embedding?.sigma ?? 0.1, bins: data.bins, workers: workers)
        }
        return try options.warmStart?.parameters(
            for: network, data: DataIdentity(of: data), normalization: data.normalization, fresh: fresh,
            note: { observer.note(.info, $0) }) ?? fresh
    }

    /// What observers are told before the first step.
    func overview(from course: RunCourse, batchesPerEpoch: Int) -> RunOverview {
        RunOverview(
            name: configuration.name, directory: directory, task: configuration.task, network: network,
            trainRows: data.train.count, validRows: data.valid?.count ?? 0, testRows: data.test?.count ?? 0,
            batchSize: configuration.data.batchSize, batchesPerEpoch: batchesPerEpoch,
            epochs: configuration.stop.epochs, threads: workers.count, start: course.cursor,
            resumedFrom: resumedFrom, history: course.history)
    }
}
