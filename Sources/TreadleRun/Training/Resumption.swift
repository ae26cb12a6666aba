internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

/// Whether a checkpoint may be continued from: only when it means the same training on the same data.
enum Resumption {
    /// The checkpoint that a run with this configuration continues from, or nil where it begins.
    static func find(
        in store: CheckpointStore?, for configuration: Configuration, _ options: Trainer.Options,
        note: (LogLevel, String) -> Void
    ) throws -> CheckpointStore.Found? {
        try continued(options, note: note) {
            guard let found = try store?.newest() else { return nil }
            try checkMeaning(of: found, against: configuration)
            return found
        }
    }

    /// What `find` gives. Where it throws that what lies there cannot be continued, the run begins anew if the caller says so.
    static func continued(
        _ options: Trainer.Options, note: (LogLevel, String) -> Void, _ find: () throws -> CheckpointStore.Found?
    ) throws -> CheckpointStore.Found? {
        do {
            return try find()
        } catch let error as TreadleError
            where options.replacesForeign && (error.kind == .badData || error.kind == .configuration)
        {
            note(.info, "the run's directory holds checkpoints of another training; starting over without them")
            note(.debug, error.description)
            return nil
        }
    }

    /// Refuses a configuration that means something else now, and names every key that does.
    static func checkMeaning(of found: CheckpointStore.Found, against configuration: Configuration) throws {
        let old = try found.checkpoint.origin.settings(at: found.path)
        let changes = Configuration.meaningChanges(from: old, to: configuration)
        guard !changes.isEmpty else { return }
        throw TreadleError(
            .configuration,
            messages: changes.map {
                "\($0.key) is \($0.new ?? "nothing") now, but was \($0.old ?? "nothing") when \(found.path) was written; change "
                    + "it back, start over with --fresh, or choose another checkpoint.dir"
            })
    }

    /// Refuses to go on by another numerics contract than the steps before were computed by, unless the caller accepts
    /// that no release can compute the weights again.
    static func checkNumerics(
        of numerics: [Int], from path: String, acceptsChanges: Bool, note: (LogLevel, String) -> Void
    ) throws {
        guard numerics.last != Treadle.numerics else { return }
        let difference =
            "\(path) was computed by \(Treadle.numericsText(numerics)), and treadle \(Treadle.version) computes by numerics "
            + "\(Treadle.numerics), which gives other bits"
        guard acceptsChanges else {
            throw TreadleError(
                .configuration,
                "\(difference): continue with the release that wrote it, start over with --fresh, or go on all the same with "
                    + "--accept-changed-numerics, after which no release can reproduce the weights")
        }
        note(.warning, "\(difference); continuing as asked: the weights become a mixture that no release can reproduce")
    }

    /// Refuses other data, unless the caller accepts them and they fit the network.
    static func checkData(
        of found: CheckpointStore.Found, against data: TrainingData, acceptsChanges: Bool,
        note: (LogLevel, String) -> Void
    ) throws {
        let old = found.checkpoint
        guard old.fingerprint != data.fingerprint else { return }
        let difference = "the data is not what \(found.path) was trained on"
        guard acceptsChanges else {
            throw TreadleError(
                .badData,
                "\(difference) (fingerprint \(old.fingerprint.prefix(12)) then, \(data.fingerprint.prefix(12)) now); put it "
                    + "back, start over with --fresh, or continue on the new data with --accept-changed-data")
        }
        guard old.network.inputs == data.features, old.network.outputs == data.outputs else {
            throw TreadleError(
                .badData,
                "\(difference): it has \(data.features) inputs and \(data.outputs) outputs instead of "
                    + "\(old.network.inputs) and \(old.network.outputs); start over with --fresh")
        }
        if let then = old.columns, let now = data.columns,
            let place = then.indices.first(where: { then[$0] != now[$0] })
        {
            throw TreadleError(
                .badData,
                "\(difference): its input \(place + 1) is \"\(now[place].printable)\" instead of \"\(then[place].printable)\"; bring "
                    + "the columns into that order, or start over with --fresh")
        }
        note(.warning, "\(difference); continuing as asked")
    }
}
