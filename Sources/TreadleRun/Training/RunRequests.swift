internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData

/// What is asked of a run between its updates: to save, and to leave. Several ranks agree on it, so that all do the same.
struct RunRequests {
    private let run: OpenedRun
    private let keeper: RunKeeper
    private let clock: RunClock

    init(_ run: OpenedRun, _ keeper: RunKeeper, _ clock: RunClock) {
        self.run = run
        self.keeper = keeper
        self.clock = clock
    }

    private var ranks: Ranks { run.ranks }

    /// Before a batch that begins at `cursor`: what is to be done after it, which every rank will then know.
    func tell(from cursor: Cursor, endsGroup: Bool) {
        guard !ranks.isAlone else { return }
        ranks.wishes = RankWishes(run.options.host.stop)
        guard ranks.isFirst, endsGroup else { return }
        let next = Cursor(epoch: cursor.epoch, batch: cursor.batch + 1, step: cursor.step + 1)
        if keeper.isSaveWanted(at: next) { ranks.wishes.insert(.saves) }
        if isOverTime { ranks.wishes.insert(.wallTime) }
    }

    /// Whether a checkpoint is due. `record` is that of an epoch that has just ended.
    func isSaveDue(at cursor: Cursor, epoch record: EpochRecord?) throws -> Bool {
        // A rollback goes back to the end of an epoch: which ends are on disk must not depend on time.
        let isAnchor = record != nil && run.configuration.stop.onNaN == .rollback
        guard ranks.isAlone || record != nil else { return ranks.agreed.contains(.saves) }
        return try ranks.decide { keeper.isSaveWanted(at: cursor, epoch: record) || isAnchor }
    }

    /// Throws where a stop or the time limit asks for the end of this process's part of the run.
    func checkDeparture() throws {
        let reason = ranks.isAlone ? run.options.host.stop.reason : ranks.agreed.stopReason
        if let reason { throw Departure.stop(reason) }
        if ranks.isAlone ? isOverTime : ranks.agreed.contains(.wallTime) { throw Departure.wallTime }
    }

    /// Of this process: one that continues has as long again.
    private var isOverTime: Bool { run.configuration.stop.wallTime.map { clock.seconds >= $0.seconds } ?? false }
}

/// Seconds since a process began to train.
struct RunClock {
    private let start = ContinuousClock.now

    var seconds: Double { (ContinuousClock.now - start).seconds }
}

/// Why a process leaves a run before the run's end; the next process continues.
enum Departure: Error, Equatable {
    /// The end was asked for: by what.
    case stop(String)
    case wallTime
}
