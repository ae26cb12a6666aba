internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

/// Whether a checkpoint may be continued from: only when it means the same training on the same data.
enum Resumption {
    /// Refuses a configuration that means something else now, and names every key that does.
    static func checkMeaning(of found: CheckpointStore.Found, against configuration: Configuration) throws {
        let old = try Configuration.parse(
            text: found.checkpoint.configuration, file: found.path + ":/treadle/config",
            baseDirectory: found.checkpoint.baseDirectory)
        let changes = Configuration.meaningChanges(from: old, to: configuration)
        guard !changes.isEmpty else { return }
        throw TreadleError(
            .configuration,
            messages: changes.map {
                "\($0.key) is \($0.new) now, but was \($0.old) when \(found.path) was written; change it back, start over "
                    + "with --fresh, or choose another checkpoint.dir"
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
        note(.warning, "\(difference); continuing as asked")
    }
}

extension RowSet {
    /// The rows in the order of training, from where `cursor` stands.
    func trainingLoader<S: Scalar>(
        _ configuration: Configuration, _ normalization: Normalization, workers: Workers, part: Shards,
        from cursor: Cursor
    ) throws -> BatchLoader<S> {
        let data = configuration.data
        return try BatchLoader(
            self, normalization: normalization,
            order: .shuffled(
                data.shuffle, seed: configuration.seed, block: data.shuffleBlock, window: data.shuffleWindow),
            batchSize: data.batchSize, dropLast: data.dropLast, prefetch: data.prefetch, workers: workers, part: part,
            from: cursor)
    }
}
