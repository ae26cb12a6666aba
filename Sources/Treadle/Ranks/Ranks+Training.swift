extension Ranks {
    /// The shards that this rank computes. Throws where they cannot be shared so that each rank's sum is a subtree of the
    /// whole sum.
    func part(of shards: Shards) throws -> Shards {
        let own = shards.count / count
        guard !isAlone else { return shards }
        guard shards.count.isMultiple(of: count), own.nonzeroBitCount == 1 else {
            var fitting = count
            while fitting < shards.count { fitting *= 2 }
            throw TreadleError(
                .configuration,
                "compute.shards is \(shards.count), which \(count) ranks cannot share: it must be the number of ranks times "
                    + "a power of two; start \(possible(shards.count)) ranks, or start over with compute.shards set to "
                    + "\(fitting)")
        }
        return Shards(count: shards.count, own: index * own..<(index + 1) * own)
    }

    /// The numbers of ranks that can share so many shards.
    private func possible(_ shards: Int) -> String {
        let counts = (1...shards).filter { shards.isMultiple(of: $0) && (shards / $0).nonzeroBitCount == 1 }
        guard let last = counts.last, counts.count > 1 else { return "1" }
        return counts.dropLast().map(String.init).joined(separator: ", ") + " or \(last)"
    }

    /// Throws, naming the rank, where one trains something else than the first: another program, job or data.
    func checkAlike(_ configuration: Configuration, data: TrainingData) throws {
        guard !isAlone else { return }
        let own = [Treadle.version, configuration.meaningText, data.fingerprint]
        let all = try collect(own)
        let subjects = ["another version of treadle", "another configuration", "other data"]
        for (rank, theirs) in all.enumerated() {
            guard let place = own.indices.first(where: { theirs[$0] != all[0][$0] }) else { continue }
            throw TreadleError(
                .tryAgain,
                "\(name(of: rank)) has \(subjects[place]) than \(name(of: 0)); put the same on every host and start again"
            )
        }
    }

    /// The first rank's state at every rank; `own` gives the others the shapes.
    func share(_ own: Checkpoint) throws -> Checkpoint {
        guard !isAlone else { return own }
        var result = own
        let names = try share(own.optimizer.slots.map(\.name))
        result.optimizer.step = try share(own.optimizer.step)
        result.cursor = try share(own.cursor)
        result.progress = try share(own.progress)
        result.history = try share(own.history)
        broadcast(&result.parameters)
        if !isFirst { result.optimizer.slots = names.map { .init(name: $0, layers: result.parameters) } }
        for slot in names.indices { broadcast(&result.optimizer.slots[slot].layers) }
        try check()
        return result
    }
}

/// The observer of the ranks that report nothing.
final class SilentObserver: TrainingObserver {
    func note(_ level: LogLevel, _ message: String) {}
    func began(_ overview: RunOverview) {}
    func stepped(_ report: StepReport) {}
    func epochEnded(_ record: EpochRecord) {}
    func checkpointed(_ path: String, at cursor: Cursor) {}
    func finished(_ summary: RunSummary) {}
}
