internal import Foundation
internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel
internal import TreadleRun

/// One of the systems that Scripts/benchmark compares: a configuration's training, driven line by line on standard
/// input as Scripts/benchmarks/peer.py is.
///
/// Says {"started": …} after the first step and {"ready": …} with the losses of the first 20, from given
/// weights. Then each line is answered:
///
///     run SECONDS               trains for so long; the batches come through the loader
///     read SECONDS              takes batches from the loader and adds up every value, without training
///     accuracy TARGET EPOCHS    trains anew until so much of the test set is right
///     save PATH, load PATH      writes and reads a checkpoint
final class PeerRun {
    private static let firstSteps = 20
    private let path: String
    private let weights: String
    private let configuration: Configuration
    private let workers: Workers
    private let data: TrainingData
    private let network: Network
    private let loss: LossFunction

    /// `path` is the configuration's, `weights` that of an HDF5 file with a matrix a layer: `/weights/0`, …
    init(path: String, weights: String, workers: Workers) throws {
        self.path = path
        self.workers = workers
        self.weights = weights
        configuration = try Configuration.load(path: path)
        data = try TrainingData(configuration, workers: workers, cacheDirectory: nil)
        network = data.network(configuration)
        loss = try data.loss(configuration)
    }

    func serve() throws {
        let losses = try firstLosses()
        answer([
            "ready": "treadle", "losses": .array(losses.map(JSONValue.number)),
            "version": .string("treadle \(Treadle.version)"),
        ])
        let training = Training(try step(), try loader(.shuffled), configuration)
        let reading = Reading(try loader(.shuffled), values: network.inputs)
        try training.run(seconds: 0.2)
        while let line = readLine() {
            let words = line.split(separator: " ").map(String.init)
            switch (words.first, words.count) {
            case ("run", 2): answer(try training.run(seconds: Double(words[1]) ?? 1))
            case ("read", 2): answer(try reading.run(seconds: Double(words[1]) ?? 1))
            case ("accuracy", 3):
                answer(try timeToAccuracy(Double(words[1]) ?? 1, within: Int(words[2]) ?? 1))
            case ("save", 2): answer(try save(training.step, to: words[1]))
            case ("load", 2): answer(try load(words[1], into: training.step))
            default: return
            }
        }
    }

    /// From a step of its own, which leaves the timed one at the first weights.
    private func firstLosses() throws -> [Double] {
        let step = try step()
        let loader = try loader(.sequential)
        var losses: [Double] = []
        while losses.count < Self.firstSteps {
            guard let batch = try unsafe loader.next() else { continue }
            let result = unsafe step.run(batch, step: losses.count) { _ in (configuration.optimizer.lr, 1) }
            losses.append(result.lossSum / result.weightSum)
            if losses.count == 1 { answer(["started": "treadle"]) }
        }
        return losses
    }

    /// Seconds of training, evaluations left out, until the test set's accuracy is `target`.
    private func timeToAccuracy(_ target: Double, within epochs: Int) throws -> JSONValue {
        guard let test = data.test else { throw TreadleError(.usage, "\(path): no test set to measure on") }
        let training = Training(try step(), try loader(.shuffled), configuration)
        let evaluator = Evaluator<Float>(
            network: network, loss: loss, task: configuration.task, metrics: [.accuracy], workers: workers)
        var (seconds, epoch, accuracy) = (0.0, 0, 0.0)
        while epoch < epochs, accuracy < target {
            seconds += try training.runEpoch()
            epoch += 1
            let evaluation = try evaluator.evaluate(
                test, parameters: training.step.parameters(), normalization: data.normalization)
            accuracy = evaluation.metrics["accuracy"] ?? 0
        }
        return ["seconds": .number(seconds), "epochs": .integer(epoch), "accuracy": .number(accuracy)]
    }

    private func save(_ step: EnsembleStep<Float>, to path: String) throws -> JSONValue {
        let start = Clock.wallTime()
        var model = ModelDescription(
            task: configuration.task, network: network, loss: loss.type, precision: configuration.model.precision)
        model.normalization = data.normalization
        let checkpoint = Checkpoint(
            model: SavedModel(model, parameters: step.parameters()),
            state: RunState(RunCourse(), optimizer: step.optimizerState()),
            origin: FileOrigin(
                configuration: configuration.resolvedText, baseDirectory: "/", fingerprint: data.fingerprint))
        let copied = Clock.wallTime()
        let bytes = try CheckpointFile.write(checkpoint, to: path)
        return [
            "seconds": .number(Clock.wallTime() - start), "standstill": .number(copied - start),
            "bytes": .integer(bytes),
        ]
    }

    private func load(_ path: String, into step: EnsembleStep<Float>) throws -> JSONValue {
        let start = Clock.wallTime()
        let checkpoint = try CheckpointFile.read(path)
        step.load(checkpoint.parameters, optimizer: checkpoint.optimizer)
        return ["seconds": .number(Clock.wallTime() - start)]
    }

    private func step() throws -> EnsembleStep<Float> {
        let step = EnsembleStep<Float>(
            configuration, network: network, loss: loss, shards: configuration.shards, workers: workers)
        let file = try H5File.open(weights)
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

    private enum Order { case sequential, shuffled }

    private func loader(_ order: Order) throws -> BatchLoader<Float> {
        let settings = configuration.data
        let shuffled = RowOrder.shuffled(
            settings.shuffle, seed: 1, block: settings.shuffleBlock, window: settings.shuffleWindow)
        return try BatchLoader(
            data.train, normalization: data.normalization, order: order == .sequential ? .sequential : shuffled,
            batchSize: settings.batchSize, dropLast: settings.dropLast, prefetch: settings.prefetch, workers: workers)
    }

    private func answer(_ value: JSONValue) {
        FileHandle.standardOutput.write(Data((value.text() + "\n").utf8))
    }
}
