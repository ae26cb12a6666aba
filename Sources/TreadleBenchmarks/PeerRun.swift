internal import Foundation
internal import HDF5
internal import Treadle

/// One workload on data from a file, driven line by line on standard input as the peers in Scripts/benchmarks are.
///
/// Says {"ready": …} with the losses of the first 20 steps from the file's weights; then each line "run SECONDS" trains
/// for at least that long and is answered with {"samples": …, "seconds": …}. The batches come through the loader.
struct PeerRun {
    private static let firstSteps = 20
    private let workload: PeerWorkload
    private let path: String
    private let workers: Workers

    init(_ workload: PeerWorkload, path: String, workers: Workers) {
        self.workload = workload
        self.path = path
        self.workers = workers
    }

    func serve() throws {
        let begun = Clock.wallTime()
        let configuration = try Configuration.parse(
            text: workload.configuration(path), file: "workload", baseDirectory: "/")
        let data = try TrainingData(configuration, workers: workers, cacheDirectory: nil)
        let losses = try losses(configuration, data)
        answer([
            "ready": "treadle", "losses": .array(losses.map(JSONValue.number)),
            "first_seconds": .number(Clock.wallTime() - begun), "version": .string("treadle \(Treadle.version)"),
        ])
        let step = try step(configuration, data)
        let loader = try loader(configuration, data)
        var updates = 0
        try epoch(step, loader, configuration, &updates)
        while let line = readLine() {
            let words = line.split(separator: " ")
            guard words.first == "run", words.count == 2, let wanted = Double(words[1]) else { return }
            let start = Clock.wallTime()
            var samples = 0
            var elapsed = 0.0
            repeat {
                samples += try epoch(step, loader, configuration, &updates)
                elapsed = Clock.wallTime() - start
            } while elapsed < wanted
            answer([
                "samples": .integer(samples), "seconds": .number(elapsed), "peak_bytes": .integer(peakBytes),
            ])
        }
    }

    private func losses(_ configuration: Configuration, _ data: TrainingData) throws -> [Double] {
        let step = try step(configuration, data)
        let loader = try BatchLoader<Float>(
            data.train, normalization: data.normalization, order: .sequential,
            batchSize: configuration.data.batchSize, workers: workers)
        var losses: [Double] = []
        while losses.count < Self.firstSteps {
            guard let batch = try unsafe loader.next() else { continue }
            let result = unsafe step.run(batch, step: losses.count, rate: configuration.optimizer.lr)
            losses.append(result.lossSum / result.weightSum)
        }
        return losses
    }

    @discardableResult
    private func epoch(
        _ step: TrainingStep<Float>, _ loader: BatchLoader<Float>, _ configuration: Configuration,
        _ updates: inout Int
    ) throws -> Int {
        var samples = 0
        while let batch = try unsafe loader.next() {
            unsafe step.run(batch, step: updates, rate: configuration.optimizer.lr)
            updates += 1
            samples += unsafe batch.rows
        }
        return samples
    }

    private func step(_ configuration: Configuration, _ data: TrainingData) throws -> TrainingStep<Float> {
        let network = Network(configuration.model, inputs: data.features, outputs: data.outputs)
        let step = unsafe TrainingStep<Float>(
            network: network,
            loss: try LossFunction(configuration.loss, task: configuration.task, outputs: data.outputs),
            optimizer: configuration.optimizer, batchSize: configuration.data.batchSize,
            shards: Shards(batchSize: configuration.data.batchSize), seed: 0, workers: workers)
        let file = try H5File.open(path)
        let parameters = try network.layers.enumerated().map { index, layer in
            LayerParameters(
                name: layer.name,
                weight: Tensor(
                    shape: [layer.inputs, layer.units],
                    storage: .float32(try file.dataset("weights/\(index)").read())),
                bias: Tensor(shape: [layer.units], storage: .float32([Float](repeating: 0, count: layer.units))))
        }
        step.load(parameters, optimizer: OptimizerState())
        return step
    }

    private func loader(_ configuration: Configuration, _ data: TrainingData) throws -> BatchLoader<Float> {
        try BatchLoader(
            data.train, normalization: data.normalization,
            order: .shuffled(configuration.data.shuffle, seed: 1, block: 4096, window: 16),
            batchSize: configuration.data.batchSize, prefetch: configuration.data.prefetch, workers: workers)
    }

    private var peakBytes: Int {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }

    private func answer(_ value: JSONValue) {
        FileHandle.standardOutput.write(Data((value.text() + "\n").utf8))
    }
}

/// A workload as Scripts/benchmarks/workloads.py describes it, in the arguments of the `peer` command.
struct PeerWorkload {
    var sizes: [Int]
    var batch: Int
    var optimizer: String
    var rate: Double
    var loss: String
    var activation: String
    var isShuffled: Bool

    /// `784,512,10 128 sgd 0.05 cross_entropy relu shuffled|ordered`
    init?(_ words: ArraySlice<String>) {
        let words = Array(words)
        guard words.count == 7, let batch = Int(words[1]), let rate = Double(words[3]) else { return nil }
        sizes = words[0].split(separator: ",").compactMap { Int($0) }
        self.batch = batch
        optimizer = words[2]
        self.rate = rate
        loss = words[4]
        activation = words[5]
        isShuffled = words[6] == "shuffled"
    }

    func configuration(_ path: String) -> String {
        let task = ["cross_entropy": "classification", "bce": "multilabel"][loss] ?? "regression"
        let hidden = sizes.dropFirst().dropLast().map { "{ units: \($0), activation: \"\(activation)\" }" }
        let type = optimizer == "momentum" ? "type: \"sgd\", momentum: 0.9" : "type: \"\(optimizer)\""
        return """
            { name: "benchmark", task: "\(task)",
              data: { train: { files: ["\(path)"] }, valid: null, batch_size: \(batch), drop_last: true,
                      shuffle: "\(isShuffled ? "full" : "none")", normalize: "none" },
              model: { hidden: [\(hidden.joined(separator: ", "))] },
              optimizer: { \(type), lr: \(rate) }, stop: { early: null } }
            """
    }
}
