extension Ranks {
    /// This rank's part of so many things in a row.
    func part(of things: Int) -> Range<Int> { part(of: things, at: index) }

    func part(of things: Int, at rank: Int) -> Range<Int> { rank * things / count..<(rank + 1) * things / count }

    /// The shards that this rank computes. Throws where ranks would have more of them than others.
    func part(of shards: Shards) throws -> Shards {
        guard !isAlone else { return shards }
        guard shards.count.isMultiple(of: count) else {
            let fitting = (shards.count + count - 1) / count * count
            throw TreadleError(
                .configuration,
                "compute.shards is \(shards.count), which \(count) ranks cannot share: it must be a multiple of the number "
                    + "of ranks; start \(possible(shards.count)) ranks, or start over with compute.shards set to "
                    + "\(fitting)")
        }
        return Shards(count: shards.count, own: part(of: shards.count))
    }

    /// The numbers of ranks that can share so many shards.
    private func possible(_ shards: Int) -> String {
        let counts = (1...shards).filter { shards.isMultiple(of: $0) }
        guard let last = counts.last, counts.count > 1 else { return "1" }
        return counts.dropLast().map(String.init).joined(separator: ", ") + " or \(last)"
    }

    /// Throws, naming the rank, where one trains something else than the first: another program, job or data.
    func checkAlike(_ configuration: Configuration, data fingerprint: String, test: Dataset?) throws {
        guard !isAlone else { return }
        let metrics = configuration.metrics.map(\.rawValue).joined(separator: " ")
        let tested = try test.map { try Fingerprint.of($0, full: false) } ?? "none"
        let own = [Treadle.version, configuration.meaningText, metrics, fingerprint, tested]
        let all = try collect(own)
        let subjects = [
            "another version of treadle", "another configuration", "other metrics in its configuration", "other data",
            "other test data",
        ]
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
