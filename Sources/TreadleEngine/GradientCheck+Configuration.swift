package import TreadleBase
package import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

extension GradientCheck {
    /// The rows that a configuration's gradients are checked on: a training batch's first, enough for several shards.
    private static let rows = 32

    /// Checks the network that `configuration` describes, at its initial weights, in Float64, on its first training rows.
    package static func findings(
        for configuration: Configuration, samples: Int, stop: Stop, note: @escaping @Sendable (LogLevel, String) -> Void
    ) throws -> [Finding] {
        let workers = Workers(count: configuration.threadCount)
        let data = try TrainingData(
            configuration, workers: workers, cacheDirectory: nil, stop: stop,
            note: note)
        // Members differ in their weights, not in how gradients come about: the first stands for all.
        var first = configuration
        first.model = configuration.members[0].model
        let network = data.network(first)
        let loss = try data.loss(configuration)
        // An output layer of zeros would hide every other layer from the loss.
        let start = configuration.model.start
        func drawn(_ initializer: Initializer) -> [LayerParameters] {
            Initialization.parameters(
                of: network, initializer: initializer, as: Double.self, seed: configuration.seed,
                frequencySpread: configuration.model.embedding?.sigma ?? 0.1, bins: data.bins, workers: workers)
        }
        // A row of zeros, as of medians, would put every unit without a bias into the kink of its relu.
        let starts = zip(drawn(start == .normal ? .lecun : start), drawn(.normal))
        let parameters = zip(network.layers, starts).map { layer, drawn in
            var bias = drawn.1.bias
            if layer.kind == .ramps, let borders = bias {
                // Ramps begin and end at numbers of the rows themselves: they are moved by a part of their width.
                let moved = Double.values(of: borders).map { $0 - 0.37 }
                bias = Double.tensor(moved, shape: borders.shape)
            }
            return LayerParameters(name: layer.name, weight: drawn.0.weight, bias: bias)
        }
        let batchSize = min(configuration.data.batchSize, rows)
        let loader = try BatchLoader<Double>(
            data.train, normalization: data.normalization, order: .sequential, batchSize: batchSize, prefetch: 1,
            workers: workers)
        guard let batch = try unsafe loader.next() else {
            preconditionFailure("a loader without batches throws when it is made")
        }
        let check = GradientCheck(
            network: network, loss: loss, parameters: parameters, batchSize: batchSize, seed: configuration.seed,
            workers: workers)
        return unsafe check.findings(
            claimed: check.gradients(batch), on: batch, samples: samples, seed: configuration.seed)
    }
}
