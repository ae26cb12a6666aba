internal import Dispatch
internal import Synchronization
internal import TreadleBase
internal import TreadleData

extension CheckpointStore {
    /// Where a run should continue: the newest of the `step-` files that is good, or nil where there are none.
    ///
    /// A damaged one is named and skipped; when all are, that is an error, for starting over would hide it.
    /// `final.h5` is never continued from: it may hold the weights of an earlier, better epoch.
    package func newest(where isWanted: (Checkpoint) -> Bool = { _ in true }) throws -> Found? {
        writer.sync {}
        var damaged: [String] = []
        var isAnyGood = false
        for step in try steps().reversed() {
            let path = path(.step(step))
            do {
                let checkpoint = try read(path)
                isAnyGood = true
                guard isWanted(checkpoint) else { continue }
                addAgain(checkpoint, at: path)
                if !damaged.isEmpty { note(.warning, "continuing from \(path), the newest good checkpoint") }
                return Found(path: path, checkpoint: checkpoint)
            } catch let error as TreadleError where error.kind == .badData || error.kind == .inputOutput {
                guard !CheckpointFile.isNewer(path) else { throw error }
                note(.warning, error.description)
                damaged.append(path)
            }
        }
        guard damaged.isEmpty || isAnyGood else {
            throw TreadleError(
                .badData,
                "\(directory): all \(damaged.count) checkpoints are damaged; put back a good copy, or start over with "
                    + "--fresh")
        }
        return nil
    }

    /// From now on the newest checkpoint of an epoch's end stays, however many newer ones there are: the run may have to go
    /// back to it. `found` is what the run continues from.
    package func keepEpochEnd(before found: Found?) throws {
        var last = found
        if let found, found.checkpoint.cursor.batch > 0 { last = try newest { $0.cursor.batch == 0 } }
        state.withLock { state in
            state.keepsEpochEnd = true
            state.epochEnd = last?.checkpoint.cursor.step
        }
    }

    /// The best checkpoint so far by the watched metric, or nil where there is none; a damaged one is named.
    package func best() throws -> Found? { try read(.best(1)) }

    /// What an earlier run ended with, or nil where none has ended; a damaged one is named.
    package func final() throws -> Found? { try read(.final) }

    private func read(_ path: String) throws -> Checkpoint {
        try examine(path)
        return try CheckpointFile.read(path)
    }

    private func read(_ name: CheckpointName) throws -> Found? {
        writer.sync {}
        guard try names().contains(name) else { return nil }
        do {
            return Found(path: path(name), checkpoint: try read(path(name)))
        } catch let error as TreadleError where error.kind == .badData && !CheckpointFile.isNewer(path(name)) {
            note(.warning, error.description)
            return nil
        }
    }
}
