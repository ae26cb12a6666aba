internal import TreadleBase
internal import TreadleModel

/// A checkpoint's arrays, to be looked at without holding all of them.
package struct CheckpointNumbers: Sendable {
    package struct LayerNumbers: Sendable {
        var name: String
        package var weight: NumberSource
        package var bias: NumberSource?

        init(name: String, weight: NumberSource, bias: NumberSource?) {
            (self.name, self.weight, self.bias) = (name, weight, bias)
        }

        /// Those in memory.
        init(_ layer: LayerParameters) {
            self.init(
                name: layer.name, weight: NumberSource(layer.weight), bias: layer.bias.map { NumberSource($0) })
        }

        /// With the names that `inspect --tensor` takes.
        package func named(_ prefix: String) -> [(name: String, numbers: NumberSource)] {
            [("\(prefix)\(name)/weight", weight)] + (bias.map { [("\(prefix)\(name)/bias", $0)] } ?? [])
        }
    }

    package var layers: [LayerNumbers]
    package var slots: [(name: String, layers: [LayerNumbers])]
    /// The optimizer's updates so far.
    package var updates: Int

    /// Parameters in layer order, weight before bias, then the optimizer's slots in the same order.
    package var named: [(name: String, numbers: NumberSource, isParameter: Bool)] {
        layers.flatMap { $0.named("") }.map { ($0.name, $0.numbers, true) }
            + slots.flatMap { slot in
                slot.layers.flatMap { $0.named("optimizer/\(slot.name)/") }.map { ($0.name, $0.numbers, false) }
            }
    }

    /// The first number that is NaN or infinite, as in `model/dense_1/weight [2, 1]`; nil when all are finite.
    func firstNonFinite(workers: Workers) throws -> String? {
        for (name, numbers, isParameter) in named {
            guard let place = try numbers.firstNonFinite(workers: workers) else { continue }
            return "\(isParameter ? "model/" : "")\(name) \(place)"
        }
        return nil
    }

    /// The SHA-256 over all parameters alone: equal digests mean equal weights.
    package func digest() throws -> String {
        var hash = SHA256()
        for (_, numbers) in layers.flatMap({ $0.named("") }) { try hash.add(numbers) }
        return hash.hexadecimal
    }
}

extension CheckpointNumbers {
    /// Those in memory.
    package init(_ checkpoint: Checkpoint) {
        layers = checkpoint.parameters.map { LayerNumbers($0) }
        slots = checkpoint.optimizer.slots.map { ($0.name, $0.layers.map { LayerNumbers($0) }) }
        updates = checkpoint.optimizer.step
    }
}
