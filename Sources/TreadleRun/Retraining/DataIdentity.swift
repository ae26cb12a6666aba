package import TreadleBase
package import TreadleConfiguration
package import TreadleData

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

extension TrainingData {
    /// The identity of the data that a configuration names, or of its first `rows` rows.
    ///
    /// Tables are read by the columns of `known`.
    package static func identity(
        _ configuration: Configuration, rows: Int? = nil, like known: KnownColumns? = nil,
        workers: Workers, stop: Stop = Stop()
    ) throws -> DataIdentity {
        var data = configuration.data
        if let rows {
            let first = data.train.rows?.lowerBound ?? 0
            data.train.rows = first..<first + rows
        }
        let settings = DatasetSettings(configuration, workers: workers, stop: stop)
        let training = try Dataset.open(
            data.train, settings, targets: .learn(configuration.task), like: known)
        var datasets = [training]
        if case .source(let source) = data.valid {
            let request = Dataset.TargetRequest.match(
                configuration.task, outputs: training.outputs, classes: training.classes)
            datasets.append(try training.companion(source, request))
        }
        return DataIdentity(
            fingerprint: try Fingerprint.combined(datasets, full: false), rows: training.range.count,
            features: training.features, outputs: training.outputs, inputs: training.inputs,
            classes: training.classes, unknownValues: try training.unknownValues())
    }

    var identity: DataIdentity {
        DataIdentity(
            fingerprint: fingerprint, rows: train.dataset.range.count, features: features, outputs: outputs,
            inputs: inputs, classes: classes)
    }
}
