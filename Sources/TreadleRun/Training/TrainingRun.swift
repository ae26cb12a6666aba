internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel

/// One run under way: the loop over epochs and batches, and what it has to remember between them.
///
/// The weights after any number of steps depend on the configuration, the data and the seed alone: when processes
/// were started, stopped or killed in between leaves no trace in them.
final class TrainingRun<S: Scalar> {
    let configuration: Configuration
    let options: Trainer.Options
    let observer: any TrainingObserver
    let workers: Workers
    let ranks: Ranks
    /// Where the run is kept; only the first rank has a store there, and writes.
    let directory: String
    let store: CheckpointStore?
    let data: TrainingData
    let network: Network
    let loss: LossFunction
    let schedule: Schedule
    let watched: WatchedMetric
    let step: EnsembleStep<S>
    private let schedules: [Schedule]
    let clock = RunClock()

    var loader: BatchLoader<S>
    /// Where training stands; with `progress`, `history` and the weights it is all that resuming needs.
    var cursor = Cursor()
    var progress = TrainingProgress()
    var history: [EpochRecord] = []
    /// With folds, the weights of each member's own best epoch so far.
    var best: [LayerParameters]?
    /// The checkpoint that this process continues from, and the seconds of training before it.
    var resumedFrom: String?
    var secondsBefore = 0.0
    /// The numerics contracts behind the state that was taken up, and its step.
    private var origin = (numerics: [Treadle.numerics], step: 0)
    /// The state that was last handed to the store between batches.
    var saved: SavedState?

    /// Trains until the run ends by its rules, a signal, or its time limit.
    func train() throws -> RunSummary {
        observer.began(overview)
        do {
            return try keepingBeforeChange {
                while !isOver {
                    while !isOver, let batch = try unsafe loader.next() {
                        try unsafe run(batch)
                        // Rows whose pages had gone from their file were zeros: nothing learnt from them is kept.
                        try loader.confirm()
                        try saveIfDue()
                        try departIfAsked()
                    }
                    if cursor.batch == loader.batchesPerEpoch { try endEpoch() }
                }
                return try finish()
            }
        } catch let departure as Departure {
            return try keepingBeforeChange { try leave(departure) }
        }
    }

    /// Does `body`. Where it fails after the data changed, the error says from where the run can go on.
    private func keepingBeforeChange<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as TreadleError where data.hasChanged {
            let last = (try? store?.names())?.last { if case .step = $0 { true } else { false } }
            let origin = last.flatMap { store?.path($0) } ?? "the beginning"
            throw TreadleError(
                error.kind,
                "\(error.description); nothing that was learnt since is kept: with the data as it was, the same command "
                    + "goes on from \(origin)")
        }
    }

    /// One batch through the step: forward, backward, and, at the end of a group of batches, the update.
    private func run(_ batch: Batch<S>) throws {
        let rate = self.rate
        let endsGroup = isGroupEnd(after: cursor.batch + 1)
        let rows = unsafe batch.wholeRows
        if !ranks.isAlone { tellWishes(endsGroup: endsGroup) }
        let result = unsafe step.run(batch, step: cursor.step, pace: pace, endsGroup: endsGroup)
        try ranks.check()
        guard result.isFinite else { return try unsafe returnOrStop(batch, rate: rate) }
        progress.lossSum += result.lossSum
        progress.weightSum += result.weightSum
        cursor.batch += 1
        if endsGroup {
            cursor.step += 1
            options.audit?(cursor.step, step.parameters())
        }
        observer.stepped(
            StepReport(
                cursor: cursor, rows: rows,
                loss: result.weightSum > 0 ? result.lossSum / result.weightSum : 0, rate: rate,
                seconds: clock.seconds, waited: loader.waited.seconds))
    }

    /// The rate of the update that the next batch belongs to.
    var rate: Double {
        schedule.rate(step: cursor.step, epoch: cursor.epoch, totalSteps: length.updates, progress: progress)
    }

    /// A member's rate in that update, and what its weight decay is multiplied by.
    private func pace(_ member: Int) -> (rate: Double, decay: Double) {
        let (schedule, updates) = (schedules[member], length.updates)
        let rate = schedule.rate(step: cursor.step, epoch: cursor.epoch, totalSteps: updates, progress: progress)
        return (rate, schedule.decay(step: cursor.step, totalSteps: updates, rate: rate))
    }

    /// Whether an update follows so many batches of an epoch: after every `accumulate`, and after the last.
    func isGroupEnd(after batches: Int) -> Bool {
        batches.isMultiple(of: configuration.compute.accumulate) || batches == loader.batchesPerEpoch
    }

    private var length: RunLength { RunLength(configuration, batchesPerEpoch: loader.batchesPerEpoch) }

    private var isOver: Bool {
        cursor.epoch >= configuration.stop.epochs || reachedStepLimit || hasStoppedEarly || cursor == options.until
    }

    var reachedStepLimit: Bool { configuration.stop.steps.map { cursor.step >= $0 } ?? false }

    /// Decided anew from what is remembered, so that a run continues when its patience is raised.
    var hasStoppedEarly: Bool {
        guard let early = configuration.stop.early, cursor.batch == 0 else { return false }
        let waits = progress.members.isEmpty ? [progress.epochsWithoutProgress] : progress.members.map(\.wait)
        return waits.allSatisfy { $0 >= max(1, early.patience) }
    }

    /// Seconds of training so far, over all resumptions.
    var seconds: Double { secondsBefore + clock.seconds }

    private var overview: RunOverview {
        RunOverview(
            name: configuration.name, directory: directory, task: configuration.task, network: network,
            trainRows: data.train.count, validRows: data.valid?.count ?? 0, testRows: data.test?.count ?? 0,
            batchSize: configuration.data.batchSize, batchesPerEpoch: loader.batchesPerEpoch,
            epochs: configuration.stop.epochs, threads: workers.count, start: cursor, resumedFrom: resumedFrom,
            history: history)
    }

    /// Opens the data and the run's directory, and takes up what an earlier process left there.
    init(_ configuration: Configuration, options: Trainer.Options, observer caller: any TrainingObserver) throws {
        let ranks = options.ranks
        let caller = ranks.isFirst ? caller : SilentObserver()
        let runDirectory = RunDirectory(configuration)
        let note: @Sendable (LogLevel, String) -> Void = { caller.note($0, $1) }
        store = ranks.isFirst ? try runDirectory.open(lock: options.lock, examine: options.examine, note: note) : nil
        var found = options.fresh ? nil : try Resumption.find(in: store, for: configuration, options, note: note)
        let shards = try ranks.part(of: configuration.shards)
        guard ranks.isAlone || configuration.model.members == 1 else {
            throw TreadleError(
                .configuration,
                "model.members is \(configuration.model.members), and several ranks train one network only; start one "
                    + "process, which shares its cores among the members, or set model.members to 1")
        }
        if configuration.model.precision == .bfloat16 { MatrixUnit.check(note: note) }

        let workers = Workers(count: configuration.threadCount)
        let data = try TrainingData(
            configuration, workers: workers, cacheDirectory: store?.directory, ranks: ranks,
            stop: options.stop, note: note)
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
        network = data.network(configuration)
        loss = try data.loss(configuration)
        // A run that begins owns no best and no final model yet: what lies there is another's. Not before it is known that
        // there is something to begin.
        if found == nil {
            try store?.removeAll()
            try options.begins()
        }
        if configuration.stop.onNaN == .rollback { try store?.keepEpochEnd(before: found) }
        let members = configuration.members
        schedule = Schedule(configuration.schedule, rate: configuration.optimizer.lr)
        schedules = members.map {
            Schedule(configuration.schedule, rate: $0.optimizer.lr, decay: $0.optimizer.decaySchedule)
        }
        watched = WatchedMetric(of: configuration)
        step = EnsembleStep(
            network: network, loss: loss, settings: members.map { .init(seed: $0.seed, optimizer: $0.optimizer) },
            parameterization: configuration.model.parameterization, folds: data.valid?.folds,
            batchSize: configuration.data.batchSize, shards: shards,
            accumulate: configuration.compute.accumulate, workers: workers, ranks: ranks)
        loader = try data.train.trainingLoader(
            configuration, data.normalization, workers: workers, part: shards, from: Cursor())
        observer =
            try store.map { store in
                try runDirectory.observers(
                    caller, store: store, continuingAt: found?.checkpoint.state.course.recorded ?? Cursor())
            } ?? caller
        directory = configuration.path(configuration.checkpoint.dir)
        self.data = data
        self.ranks = ranks
        self.configuration = configuration
        self.options = options
        self.workers = workers

        try take(try found?.checkpoint ?? beginning())
        // A run with nothing left to do is what it is: only further steps would mix two contracts.
        if !isOver {
            try Resumption.checkNumerics(
                of: origin.numerics, from: found?.path ?? directory, acceptsChanges: options.acceptsChangedNumerics,
                note: note)
        }
        resumedFrom = found?.path
        try store?.checkSpace(for: checkpointBytes)
    }

    /// The run as a checkpoint has it, or as it begins.
    ///
    /// Every rank takes the first one's state.
    func take(_ own: Checkpoint) throws {
        let state = try ranks.share(own)
        step.load(state.parameters, optimizer: state.optimizer)
        origin = (state.numerics, state.cursor.step)
        cursor = state.cursor
        progress = state.progress
        history = state.history
        best = state.optimizer.slots.first { $0.name == Self.bestSlot }?.layers
        secondsBefore = state.progress.seconds - clock.seconds
        loader = try data.train.trainingLoader(
            configuration, data.normalization, workers: workers, part: step.shards, from: cursor)
    }

    /// The numerics contracts behind the weights after `step` updates.
    func numerics(at step: Int) -> [Int] {
        guard step != origin.step, origin.numerics.last != Treadle.numerics else { return origin.numerics }
        return origin.numerics + [Treadle.numerics]
    }

    /// The run before its first step.
    func beginning() throws -> Checkpoint {
        let fresh = configuration.members.enumerated().flatMap { number, member in
            Initialization.parameters(
                of: network.member(number), initializer: configuration.model.start, as: S.self, seed: member.seed,
                frequencySpread: configuration.model.embedding?.sigma ?? 0.1, workers: workers)
        }
        let parameters =
            try options.warmStart?.parameters(
                for: network, data: data.identity, normalization: data.normalization, fresh: fresh) ?? fresh
        return checkpoint(parameters: parameters, course: RunCourse())
    }

    /// About what a checkpoint takes on disk.
    private var checkpointBytes: Int {
        let copies = 1 + step.slotCount + (data.valid?.folds == nil ? 0 : 1)
        return network.parameterCount * copies * MemoryLayout<S>.size + 1 << 16
    }
}

/// Seconds since a process began to train.
struct RunClock {
    private let start = ContinuousClock.now

    var seconds: Double { (ContinuousClock.now - start).seconds }
}
