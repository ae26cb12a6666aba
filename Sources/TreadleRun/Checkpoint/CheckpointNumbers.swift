internal import TreadleBase
internal import TreadleModel

/// A checkpoint's arrays, to be looked at without holding all of them.
package struct CheckpointNumbers: Sendable {
    package struct LayerNumbers: Sendable {
        var name: String
        package var weight: NumberSource
        package var bias: NumberSource?

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
        func sources(_ layers: [LayerParameters]) -> [LayerNumbers] {
            layers.map {
                LayerNumbers(name: $0.name, weight: NumberSource($0.weight), bias: $0.bias.map { NumberSource($0) })
            }
        }
        layers = sources(checkpoint.parameters)
        slots = checkpoint.optimizer.slots.map { ($0.name, sources($0.layers)) }
        updates = checkpoint.optimizer.step
    }
}
