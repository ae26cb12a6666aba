internal import TreadleConfiguration
internal import TreadleData

/// Where a run's updates fall, and at what rates: all of it follows from the configuration, the place in the run and what
/// training remembers, so that any update can be computed again.
struct RunPace {
    private let schedule: Schedule
    private let lr: Double
    /// Each member's: rates and decays may differ.
    private let optimizers: [OptimizerConfiguration]
    private let length: RunLength
    private let accumulate: Int
    let batchesPerEpoch: Int

    init(_ configuration: Configuration, batchesPerEpoch: Int) {
        schedule = Schedule(configuration.schedule)
        lr = configuration.optimizer.lr
        optimizers = configuration.members.map(\.optimizer)
        length = RunLength(configuration, batchesPerEpoch: batchesPerEpoch)
        accumulate = configuration.compute.accumulate
        self.batchesPerEpoch = batchesPerEpoch
    }

    /// The rate of the update that the next batch belongs to.
    func rate(at course: RunCourse) -> Double { rate(from: lr, step: course.cursor.step, at: course) }

    /// A member's rate in the update that follows on `step` of them, in the epoch that the run is in, and what its weight decay
    /// is multiplied by.
    func pace(of member: Int, step: Int, at course: RunCourse) -> (rate: Double, decay: Double) {
        let optimizer = optimizers[member]
        let rate = rate(from: optimizer.lr, step: step, at: course)
        return (rate, schedule.decay(of: optimizer, step: step, totalSteps: length.updates, rate: rate))
    }

    private func rate(from lr: Double, step: Int, at course: RunCourse) -> Double {
        schedule.rate(
            from: lr, step: step, epoch: course.cursor.epoch, totalSteps: length.updates, progress: course.progress)
    }

    /// Takes note of what an epoch has reached.
    func finishEpoch(metric: Double, higherIsBetter: Bool, progress: inout TrainingProgress) {
        schedule.finishEpoch(metric: metric, higherIsBetter: higherIsBetter, lr: lr, progress: &progress)
    }

    /// Whether an update follows so many batches of an epoch: after every `accumulate`, and after the last.
    func isGroupEnd(after batches: Int) -> Bool {
        batches.isMultiple(of: accumulate) || batches == batchesPerEpoch
    }

    /// Whether all batches before this place have been part of an update.
    func isBetweenUpdates(_ cursor: Cursor) -> Bool { cursor.batch == 0 || isGroupEnd(after: cursor.batch) }
}

/// How many updates a run makes.
struct RunLength {
    let updatesPerEpoch: Int
    /// Of the whole run, which some schedules stretch over.
    let updates: Int

    init(_ configuration: Configuration, batchesPerEpoch: Int) {
        let group = configuration.compute.accumulate
        updatesPerEpoch = (batchesPerEpoch + group - 1) / group
        let (all, isTooMany) = updatesPerEpoch.multipliedReportingOverflow(by: configuration.stop.epochs)
        updates = min(configuration.stop.steps ?? .max, isTooMany ? .max : all)
    }
}
