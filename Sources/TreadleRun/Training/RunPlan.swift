package import TreadleBase
package import TreadleConfiguration
package import TreadleData
package import TreadleModel

/// What a configuration comes to, on the data that it names: what `treadle check` reports.
package struct RunPlan: Sendable {
    package var name: String
    package var directory: String
    package var network: Network
    package var loss: LossFunction
    package var sets: [(role: String, rows: Int)]
    package var datasets: [(role: String, report: DatasetReport)]
    package var stepsPerEpoch: Int
    /// The most steps that the run can have.
    package var steps: Int

    /// Opens the data and reads it as training would. Throws what training would throw before its first step.
    package init(
        _ configuration: Configuration, stop: Stop = Stop(), note: @escaping @Sendable (LogLevel, String) -> Void
    ) throws {
        let data = try TrainingData(
            configuration, workers: Workers(count: configuration.threadCount), cacheDirectory: nil,
            stop: stop, note: note)
        name = configuration.name
        directory = configuration.path(configuration.checkpoint.dir)
        network = data.network(configuration)
        loss = try data.loss(configuration)
        sets = [("train", data.train.count)]
        if let valid = data.valid { sets.append(("valid", valid.count)) }
        if let test = data.test { sets.append(("test", test.count)) }
        let numbers = configuration.model.precision.number
        datasets = data.datasets.map { role, dataset in
            (
                role,
                dataset.report(
                    numbers: numbers, shuffle: role == "train" ? configuration.data.shuffle : nil,
                    windowRows: configuration.data.shuffleBlock * configuration.data.shuffleWindow)
            )
        }
        let batches = data.train.batches(of: configuration.data.batchSize, dropLast: configuration.data.dropLast)
        let length = RunLength(configuration, batchesPerEpoch: batches)
        (stepsPerEpoch, steps) = (length.updatesPerEpoch, length.updates)
    }
}
