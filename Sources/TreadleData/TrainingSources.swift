package import TreadleBase
package import TreadleConfiguration

/// The files that training and validation rows come from, opened and matched with each other, none of them read through.
struct TrainingSources {
    let training: Dataset
    /// Nil where validation rows are some of the training data's.
    let validation: Dataset?
    /// What identifies the numbers of both, however they are stored.
    let fingerprint: String
    private let matching: Dataset.TargetRequest

    /// Tables are read by the columns of `known`. `rows` takes the first so many rows of the training data alone.
    init(
        _ configuration: Configuration, rows: Int? = nil, like known: KnownColumns?, workers: Workers, stop: Stop,
        note: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) throws {
        var source = configuration.data.train
        if let rows {
            let first = source.rows?.lowerBound ?? 0
            source.rows = first..<first + rows
        }
        let settings = DatasetSettings(configuration, workers: workers, stop: stop, note: note)
        let training = try Dataset.open(source, settings, targets: .learn(configuration.task), like: known)
        let matching = Dataset.TargetRequest.match(
            configuration.task, outputs: training.outputs, classes: training.classes)
        let validation: Dataset? =
            if case .source(let source) = configuration.data.valid {
                try training.companion(source, matching)
            } else {
                nil
            }
        fingerprint = try Fingerprint.combined([training] + (validation.map { [$0] } ?? []), full: false)
        self.training = training
        self.validation = validation
        self.matching = matching
    }

    /// Other rows for the same network, under the same limits; their columns are matched with those of training by name.
    func companion(_ source: DataSource) throws -> Dataset { try training.companion(source, matching) }
}

/// What data is, without reading it through: enough to tell whether it changed, and whether a model fits it.
package struct DataIdentity: Equatable, Sendable {
    package var fingerprint: String
    package var rows: Int
    package var features: Int
    package var outputs: Int
    package var inputs: InputColumns
    package var classes: [String]?
    /// Of tables, by column: values of categories that the columns do not know.
    package var unknownValues: [String: Int] = [:]
}

extension DataIdentity {
    /// The identity of the data that a configuration names, or of its first `rows` rows.
    ///
    /// Tables are read by the columns of `known`.
    package init(
        _ configuration: Configuration, rows: Int? = nil, like known: KnownColumns? = nil, workers: Workers,
        stop: Stop = Stop()
    ) throws {
        let sources = try TrainingSources(configuration, rows: rows, like: known, workers: workers, stop: stop)
        self.init(sources.training, fingerprint: sources.fingerprint)
        unknownValues = try sources.training.unknownValues()
    }

    private init(_ training: Dataset, fingerprint: String) {
        self.init(
            fingerprint: fingerprint, rows: training.range.count, features: training.features,
            outputs: training.outputs, inputs: training.inputs, classes: training.classes)
    }

    /// Of data that are open.
    package init(of data: TrainingData) {
        self.init(data.train.dataset, fingerprint: data.fingerprint)
    }
}

extension Dataset {
    /// Another source for the same network, under the same limits; its columns are matched with these by name.
    fileprivate func companion(_ source: DataSource, _ request: TargetRequest) throws -> Dataset {
        let known = KnownColumns(inputs, owner: "the training data \(files[0].path)", remedy: remedy)
        return try Dataset.open(source, settings, targets: request, like: known)
    }
}
