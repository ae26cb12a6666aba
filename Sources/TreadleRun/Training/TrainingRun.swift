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
    private let run: OpenedRun
    private let step: EnsembleStep<S>
    private let loader: BatchLoader<S>
    private let pace: RunPace
    private let evaluator: RunEvaluator<S>
    private let keeper: RunKeeper
    private let requests: RunRequests
    private let audit: RunAudit<S>?
    private let clock = RunClock()
    /// How many batches there is room for at once, on every rank.
    private let mostBatches: Int
    /// The rows of each of the batches that members go through before they meet.
    private var batchRows: [Int] = []
    /// Seconds that a batch took last, and when that was.
    private var batchSeconds = Double.infinity
    private var trainedUntil = 0.0

    /// Where training stands and how it went; with the weights it is all that resuming needs.
    private var course = RunCourse()
    /// With folds, the weights of each member's own best epoch so far.
    private var best: [LayerParameters]?
    /// Seconds of training before this process.
    private var secondsBefore = 0.0

    private var configuration: Configuration { run.configuration }
    private var ranks: Ranks { run.ranks }
    private var cursor: Cursor { course.cursor }

    /// Opens the data and the run's directory, and takes up what an earlier process left there.
    init(_ configuration: Configuration, options: Trainer.Options, observer: any TrainingObserver) throws {
        let (run, found) = try OpenedRun.open(configuration, options: options, observer: observer)
        self.run = run
        step = EnsembleStep(
            configuration, network: run.network, loss: run.loss, folds: run.data.valid?.folds, shards: run.shards,
            workers: run.workers, ranks: run.ranks)
        loader = try run.loader(atOnce: step.mostBatches)
        mostBatches = try run.ranks.gatherMany([Double(loader.mostAtOnce)]).map { Int($0[0]) }.min() ?? 1
        pace = RunPace(configuration, batchesPerEpoch: loader.batchesPerEpoch)
        evaluator = RunEvaluator(run)
        keeper = RunKeeper(run)
        requests = RunRequests(run, keeper, clock)
        audit = RunAudit(run, pace: pace, keeper: keeper, clock: clock)

        let start = try found?.checkpoint ?? beginning()
        try take(start)
        // A run with nothing left to do is what it is: only further steps would mix two contracts.
        if !isOver {
            try Resumption.checkNumerics(
                of: start.numerics, from: found?.path ?? run.directory, acceptsChanges: options.acceptsChangedNumerics,
                note: run.observer.note)
        }
        try run.store?.checkSpace(for: checkpointBytes)
    }

    /// Trains until the run ends by its rules, a signal, or its time limit.
    func train() throws -> RunSummary {
        run.observer.began(run.overview(from: course, batchesPerEpoch: loader.batchesPerEpoch))
        do {
            return try keeper.keepingBeforeChange {
                while !isOver {
                    while !isOver, try takeBatches() {
                        if isBetweenUpdates { try audit?.beginIfDue(snapshot) }
                        try trainOnBatches()
                        // Where a mapped file is cut short, zeros stand in place of its rows: nothing learnt from them
                        // is kept.
                        try loader.confirm()
                        if isBetweenUpdates { try audit?.updated(at: cursor, step.parameters) }
                        try saveIfDue()
                        if isBetweenUpdates { try requests.checkDeparture() }
                    }
                    if cursor.batch == loader.batchesPerEpoch { try endEpoch() }
                }
                return try finish()
            }
        } catch let departure as Departure {
            return try keeper.keepingBeforeChange { try leave(departure) }
        }
    }

    // MARK: The state

    /// The run as a checkpoint has it, or as it begins. Every rank takes the first one's state.
    private func take(_ own: Checkpoint) throws {
        let state = try ranks.share(own)
        audit?.forget()
        step.load(state.parameters, optimizer: state.optimizer)
        keeper.took(state)
        course = state.state.course
        best = state.optimizer.slots.first { $0.name == RunCourse.bestSlot }?.layers
        secondsBefore = state.progress.seconds - clock.seconds
        loader.seek(to: cursor)
    }

    /// The run before its first step.
    private func beginning() throws -> Checkpoint {
        keeper.checkpoint(try run.firstWeights(as: S.self), at: RunCourse())
    }

    /// The run as it stands: a copy, so that training can go on while it is written.
    ///
    /// Every rank must ask; only the first gets what the optimizer remembers.
    private func snapshot() throws -> Checkpoint {
        // Once its file has changed, a row may be another one: no weights that may come of it are kept.
        try loader.confirmFiles()
        var optimizer = step.optimizerState()
        if let best { optimizer.slots.append(.init(name: RunCourse.bestSlot, layers: best)) }
        try ranks.check()
        return snapshot(optimizer)
    }

    private func snapshot(_ optimizer: OptimizerState) -> Checkpoint {
        var course = course
        course.progress.seconds = seconds
        return keeper.checkpoint(step.parameters(), at: course, optimizer: optimizer)
    }

    /// Seconds of training so far, over all resumptions.
    private var seconds: Double { secondsBefore + clock.seconds }

    /// About what a checkpoint takes on disk.
    private var checkpointBytes: Int {
        let copies = 1 + step.slotCount + (run.data.valid?.folds == nil ? 0 : 1)
        return run.network.parameterCount * copies * MemoryLayout<S>.size + 1 << 16
    }

    // MARK: Batches

    /// How many batches members may go through before they meet: not past the place where somebody looks at the weights,
    /// and no longer than somebody who asks for the run's end would notice.
    private var batchesAtOnce: Int {
        guard mostBatches > 1, configuration.compute.audit == nil, run.options.trace == nil else { return 1 }
        let step = cursor.step
        let places = [
            configuration.checkpoint.every.steps.map { (step / $0 + 1) * $0 }, configuration.stop.steps,
            run.options.until?.step,
        ]
        // A batch makes one update at most.
        let updates = places.compactMap { $0.map { $0 - step } }.min() ?? mostBatches
        // Ranks do the same, and their clocks differ.
        let affordable = ranks.isAlone ? Int(min(0.1 / batchSeconds, 1e6)) : mostBatches
        return max(1, min(mostBatches, updates, affordable, loader.batchesPerEpoch - cursor.batch))
    }

    /// Hands the next batches to the step; false at an epoch's end, where there are none.
    private func takeBatches() throws -> Bool {
        let count = batchesAtOnce
        batchRows.removeAll(keepingCapacity: true)
        var place = cursor
        while batchRows.count < count, let batch = try unsafe loader.next(holding: batchRows.count) {
            let endsGroup = pace.isGroupEnd(after: place.batch + 1)
            unsafe step.add(batch, step: place.step, endsGroup: endsGroup) {
                pace.pace(of: $0, step: place.step, at: course)
            }
            batchRows.append(unsafe batch.wholeRows)
            // What is asked of the run is done after the last of these batches.
            if batchRows.count == count { requests.tell(from: place, endsGroup: endsGroup) }
            place.batch += 1
            if endsGroup { place.step += 1 }
        }
        return !batchRows.isEmpty
    }

    /// The batches through the step: forward, backward, and, at the end of a group of batches, the update.
    private func trainOnBatches() throws {
        let results = step.run()
        try ranks.check()
        let now = clock.seconds
        batchSeconds = (now - trainedUntil) / Double(results.count)
        trainedUntil = now
        for (index, result) in results.enumerated() {
            // What comes after such a batch was computed by weights that have not learnt from it.
            guard result.isFinite else {
                return try unsafe returnOrStop(step.batch(index), rate: pace.rate(at: course))
            }
            goOn(past: batchRows[index], result, at: now)
        }
    }

    /// Goes on past a batch of so many rows, which came to `result`.
    private func goOn(past rows: Int, _ result: StepResult, at now: Double) {
        let rate = pace.rate(at: course)
        course.progress.lossSum += result.lossSum
        course.progress.weightSum += result.weightSum
        course.cursor.batch += 1
        if isBetweenUpdates {
            course.cursor.step += 1
            run.options.trace?(cursor.step, step.parameters())
        }
        run.observer.stepped(
            StepReport(
                cursor: cursor, rows: rows, loss: result.weightSum > 0 ? result.lossSum / result.weightSum : 0,
                rate: rate, seconds: now, waited: loader.waited.seconds, runSeconds: secondsBefore + now))
    }

    private var isBetweenUpdates: Bool { pace.isBetweenUpdates(cursor) }

    // MARK: An epoch's end

    /// Evaluates, records the epoch, and makes everything ready for the next.
    ///
    /// Nothing changes before the evaluation is over: a signal in it leaves the epoch to be ended by the next process.
    private func endEpoch() throws {
        let (record, members) = try measured()
        course.close(record)
        let watched = run.watched
        let better = course.watch(
            watched, in: record, members: members, by: configuration.stop.early?.minDelta ?? 0)
        if !members.isEmpty { keepBest(of: better) }
        pace.finishEpoch(
            metric: record.metrics[watched.name] ?? .nan, higherIsBetter: watched.higherIsBetter,
            progress: &course.progress)
        course.progress.stoppedEarly = hasStoppedEarly
        run.observer.epochEnded(record)
        try saveIfDue(epoch: record)
    }

    /// What the epoch, or the part of it that is done, has come to; with folds also what each member has.
    private func measured() throws -> (record: EpochRecord, members: [Evaluation]) {
        var metrics = ["loss": course.progress.lossSum / course.progress.weightSum]
        var members: [Evaluation] = []
        if let valid = run.data.valid {
            let result = try evaluator.judge(valid, by: step.parameters())
            metrics.merge(result.all.named("valid")) { $1 }
            members = result.members
        }
        let record = EpochRecord(
            epoch: cursor.epoch + 1, step: cursor.step, rate: pace.rate(at: course), seconds: seconds, metrics: metrics)
        return (record, members)
    }

    private func keepBest(of members: [Int]) {
        let present = step.parameters()
        var kept = best ?? present
        for member in members {
            let own = run.network.layers(of: member)
            kept.replaceSubrange(own, with: present[own])
        }
        best = kept
    }

    // MARK: Saving and leaving

    /// Saves in the background when an interval has passed or somebody asks for it.
    ///
    /// Between the batches of a group nothing is saved: their sums are not part of a checkpoint.
    private func saveIfDue(epoch record: EpochRecord? = nil) throws {
        keeper.reportSaved()
        guard isBetweenUpdates, try requests.isSaveDue(at: cursor, epoch: record) else { return }
        let start = ContinuousClock.now
        try keeper.save(try snapshot())
        run.observer.note(
            .debug, "training stood still for \(ContinuousClock.now - start) while its state was copied")
    }

    /// Leaves a checkpoint that the next process continues from.
    private func leave(_ departure: Departure) throws -> RunSummary {
        let snapshot = try snapshot()
        let path = try keeper.write(snapshot)
        let (ending, why): (RunSummary.Ending, String) =
            switch departure {
            case .stop(let reason): (.interrupted, "stopped by \(reason)")
            case .wallTime: (.wallTime, "stop.wall_time is over")
            }
        run.observer.note(.info, "\(why); the same command continues from \(path)")
        return summary(ending, of: snapshot, at: path)
    }

    // MARK: A loss that is no number

    /// The batch gave a loss that is no number; the weights are those from before it.
    ///
    /// Stops the run, or returns to the last epoch's end with a smaller rate, as `stop.on_nan` says.
    private func returnOrStop(_ batch: Batch<S>, rate: Double) throws {
        let search = NonFiniteSearch<S>(
            network: run.network, parameters: step.parameters(), workers: run.workers, ranks: ranks)
        let cause = try unsafe search.cause(in: batch)
        let first = cursor.batch * configuration.data.batchSize
        let last = min(first + configuration.data.batchSize, run.data.train.count)
        let found =
            "the loss is not finite at step \(cursor.step + 1) (epoch \(cursor.epoch + 1), rows \(first + 1) to "
            + "\(last) of its order, rate \(rate)): \(cause)"
        let policy = configuration.stop
        guard policy.onNaN == .rollback else {
            throw TreadleError(
                .diverged,
                "\(found); lower optimizer.lr, set optimizer.clip_norm, or set stop.on_nan to \"rollback\"; the "
                    + "checkpoints up to here are intact in \(run.directory)")
        }
        guard course.progress.rollbacks < policy.maxRollbacks else {
            throw TreadleError(
                .diverged,
                "\(found), after \(course.progress.rollbacks) returns to an earlier checkpoint (stop.max_rollbacks); "
                    + "lower optimizer.lr or set optimizer.clip_norm")
        }
        try rollBack(found)
    }

    /// Returns to the end of the last epoch, with the rate multiplied by `stop.rollback_factor`.
    ///
    /// Only ends of epochs are returned to: which other checkpoints there are depends on time.
    private func rollBack(_ reason: String) throws {
        let policy = configuration.stop
        let rollbacks = course.progress.rollbacks + 1
        var state = try run.store?.newest { $0.cursor.batch == 0 }?.checkpoint ?? beginning()
        for _ in state.progress.rollbacks..<rollbacks { state.progress.rateScale *= policy.rollbackFactor }
        state.progress.rollbacks = rollbacks
        try take(state)
        // What was written since then leads back here; what is written now says that it has happened.
        try run.store?.removeSteps(after: cursor.step)
        let snapshot = try snapshot()
        try run.store?.saveAndWait(snapshot)
        run.observer.note(
            .warning,
            "\(reason); returned to the end of epoch \(cursor.epoch) with the rate multiplied by "
                + "\(course.progress.rateScale) (return \(rollbacks) of \(policy.maxRollbacks))")
    }

    // MARK: The end

    private var isOver: Bool {
        cursor.epoch >= configuration.stop.epochs || reachedStepLimit || hasStoppedEarly || cursor == run.options.until
    }

    private var reachedStepLimit: Bool { configuration.stop.steps.map { cursor.step >= $0 } ?? false }

    private var hasStoppedEarly: Bool { course.hasStopped(by: configuration.stop.early) }

    /// The run has come to its end: writes its last state, and the final model that is made of it.
    ///
    /// Every part can be interrupted and is done again by the next process.
    private func finish() throws -> RunSummary {
        let done = run.options.until == nil ? try run.store?.final() : nil
        if try ranks.decide({ done?.checkpoint.cursor == cursor }) {
            // Every rank asks for the weights, which several may hold.
            let present = snapshot(OptimizerState())
            let done = done?.checkpoint ?? present
            return summary(.alreadyComplete, of: done, at: run.store?.path(.final) ?? run.directory)
        }
        try recordPartOfEpoch()
        let last = try snapshot()
        if keeper.isSaved(course) {
            // It is on its way to the disk already.
            try run.store?.finishWriting()
        } else {
            _ = try keeper.write(last)
        }
        var model = try FinalModel(last, best: best, of: run, keeper, evaluator)
        let result = try model.complete()
        let ending: RunSummary.Ending =
            hasStoppedEarly ? .stoppedEarly : reachedStepLimit ? .stepLimit : .completed
        return summary(ending, of: result.checkpoint, at: result.path)
    }

    /// A run that ends by its number of steps in the middle of an epoch has metrics of that part.
    private func recordPartOfEpoch() throws {
        guard cursor.batch > 0, course.history.last?.step != cursor.step else { return }
        let record = try measured().record
        course.history.append(record)
        run.observer.epochEnded(record)
    }

    private func summary(_ ending: RunSummary.Ending, of checkpoint: Checkpoint, at path: String) -> RunSummary {
        let summary = RunSummary(ending, of: checkpoint, at: path, in: run.directory, progress: course.progress)
        run.observer.finished(summary)
        return summary
    }
}
