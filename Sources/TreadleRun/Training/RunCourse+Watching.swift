internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData

/// What a run learns from the ends of its epochs: what was best, and whether it is time to stop.
extension RunCourse {
    /// Where checkpoints keep each member's best weights, beside what the optimizer remembers of them.
    package static var bestSlot: String { "best" }

    /// Begins the next epoch.
    mutating func close(_ record: EpochRecord) {
        history.append(record)
        cursor = Cursor(epoch: cursor.epoch + 1, batch: 0, step: cursor.step)
        progress.lossSum = 0
        progress.weightSum = 0
    }

    /// Takes note of what an epoch has reached, and of `members`, what each member has on its own fold. Gives the members
    /// whose weights are the best they have had.
    mutating func watch(
        _ watched: WatchedMetric, in record: EpochRecord, members: [Evaluation], by margin: Double
    ) -> [Int] {
        let value = record.metrics[watched.name] ?? .nan
        if watched.isBetter(value, than: progress.best, by: margin) {
            progress.best = value
            progress.bestEpoch = record.epoch
            progress.epochsWithoutProgress = 0
        } else {
            progress.epochsWithoutProgress += 1
        }
        if progress.members.isEmpty { progress.members = members.map { _ in MemberProgress() } }
        return members.enumerated().compactMap { member, evaluation in
            // The training loss, which may be watched too, is that of all.
            let own = evaluation.named("valid")[watched.name] ?? value
            guard watched.isBetter(own, than: progress.members[member].best, by: margin) else {
                progress.members[member].wait += 1
                return nil
            }
            progress.members[member] = MemberProgress(best: own, epoch: record.epoch, wait: 0)
            return member
        }
    }

    /// Whether patience is at its end. Decided anew from what is remembered, so that a run continues when its patience is
    /// raised.
    func hasStopped(by early: EarlyStopping?) -> Bool {
        guard let early, cursor.batch == 0 else { return false }
        let waits = progress.members.isEmpty ? [progress.epochsWithoutProgress] : progress.members.map(\.wait)
        return waits.allSatisfy { $0 >= max(1, early.patience) }
    }
}
