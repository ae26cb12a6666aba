internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel

/// Computes some of a run's updates a second time, every `compute.audit`, in a way that must give the same bits.
///
/// What differs is the machine's fault, and ends the run: weights that a broken CPU computed must not be served. The run's
/// own weights, and its place in the data, are not touched.
final class RunAudit<S: Scalar> {
    private let run: OpenedRun
    private let pace: RunPace
    private let keeper: RunKeeper
    private let clock: RunClock
    private let interval: Double
    /// What the stretch that is to be computed again began with; nil between stretches.
    private var start: Checkpoint?
    /// By update of the stretch, the digest of every layer.
    private var digests: [[String]] = []
    /// When the last stretch was compared, by the clock.
    private var comparedAt = 0.0

    /// Updates in a stretch, unless an epoch ends before.
    private static var longest: Int { 100 }

    /// Nil where the configuration asks for no audit.
    init?(_ run: OpenedRun, pace: RunPace, keeper: RunKeeper, clock: RunClock) {
        guard let interval = run.configuration.compute.audit else { return nil }
        self.run = run
        self.pace = pace
        self.keeper = keeper
        self.clock = clock
        self.interval = interval.seconds
    }

    /// The run goes on from elsewhere: what was computed until here leads to nothing.
    func forget() { start = nil }

    /// Before an update: begins a stretch when it is time.
    func beginIfDue(_ snapshot: () throws -> Checkpoint) throws {
        guard start == nil, clock.seconds - comparedAt >= interval else { return }
        start = try snapshot()
        digests = []
    }

    /// After an update: goes on with a stretch that has begun, and compares it when it is long enough.
    func updated(at cursor: Cursor, _ weights: () -> [LayerParameters]) throws {
        guard let start else { return }
        digests.append(weights().map { [$0].digest })
        // The next epoch's rates may depend on this one's metrics, which the second computation does not have.
        guard cursor.batch == pace.batchesPerEpoch || digests.count >= Self.longest else { return }
        self.start = nil
        try compare(from: start)
        comparedAt = clock.seconds
    }

    private func compare(from start: Checkpoint) throws {
        let ways = ComputingWay.two(threads: run.workers.count, precision: run.configuration.model.precision)
        let last = try Treadle.with(instructionSet: ways.second.set) { try computeAgain(from: start, ways) }
        guard let last else { return }
        let first = start.cursor.step + 1
        let steps = first == last ? "step \(first)" : "steps \(first) to \(last)"
        run.observer.note(
            .info,
            "compute.audit: \(steps) gave the same bits with \(ways.first.text) and \(ways.second.text)")
    }

    /// Computes the stretch in the second way, and throws where a bit is another. Gives its last step, or nil where somebody
    /// stopped the run, who shall not wait for its audit.
    private func computeAgain(
        from start: Checkpoint, _ ways: (first: ComputingWay, second: ComputingWay)
    ) throws -> Int? {
        let step = EnsembleStep<S>(
            run.configuration, network: run.network, loss: run.loss, folds: run.data.valid?.folds, shards: run.shards,
            workers: Workers(count: ways.second.threads))
        step.load(start.parameters, optimizer: start.optimizer)
        let rows: BatchLoader<S> = try run.loader()
        var course = start.state.course
        let first = course.cursor.step
        rows.seek(to: course.cursor)
        while course.cursor.step - first < digests.count, let batch = try unsafe rows.next() {
            guard run.options.host.stop.reason == nil else { return nil }
            let endsGroup = pace.isGroupEnd(after: course.cursor.batch + 1)
            _ = unsafe step.run(
                batch, step: course.cursor.step, pace: { pace.pace(of: $0, step: course.cursor.step, at: course) },
                endsGroup: endsGroup)
            course.cursor.batch += 1
            guard endsGroup else { continue }
            course.cursor.step += 1
            var again = step.parameters()
            run.options.disturb?(course.cursor.step, &again)
            let difference = StepDifference(
                digests[course.cursor.step - first - 1], again.map { [$0].digest }, after: course.cursor.step,
                of: run.network)
            if let difference { throw try error(of: difference, [ways.first, ways.second], start) }
        }
        try rows.confirmFiles()
        return course.cursor.step
    }

    /// Leaves the state from before the stretch as the newest checkpoint, since what came after it may be wrong.
    private func error(
        of difference: StepDifference, _ ways: [ComputingWay], _ start: Checkpoint
    ) throws -> TreadleError {
        try run.store?.removeSteps(after: start.cursor.step)
        let path = try keeper.write(start)
        return TreadleError(
            .bug,
            "compute.audit: \(difference.text(ways)); nothing that was computed since step \(start.cursor.step) is kept: test "
                + "the machine, and go on elsewhere, where the same command continues from \(path)")
    }
}
