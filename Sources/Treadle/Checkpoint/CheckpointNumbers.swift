/// A checkpoint's arrays, to be looked at without holding all of them.
struct CheckpointNumbers: Sendable {
    struct LayerNumbers: Sendable {
        var name: String
        var weight: NumberSource
        var bias: NumberSource?

        /// With the names that `inspect --tensor` takes.
        func named(_ prefix: String) -> [(name: String, numbers: NumberSource)] {
            [("\(prefix)\(name)/weight", weight)] + (bias.map { [("\(prefix)\(name)/bias", $0)] } ?? [])
        }
    }

    var layers: [LayerNumbers]
    var slots: [(name: String, layers: [LayerNumbers])]

    /// Parameters in layer order, weight before bias, then the optimizer's slots in the same order.
    var named: [(name: String, numbers: NumberSource, isParameter: Bool)] {
        layers.flatMap { $0.named("") }.map { ($0.name, $0.numbers, true) }
            + slots.flatMap { slot in
                slot.layers.flatMap { $0.named("optimizer/\(slot.name)/") }.map { ($0.name, $0.numbers, false) }
            }
    }

    /// The SHA-256 over all parameters alone: equal digests mean equal weights.
    func digest() throws -> String {
        var hash = SHA256()
        for (_, numbers) in layers.flatMap({ $0.named("") }) { try hash.add(numbers) }
        return hash.hexadecimal
    }
}

extension CheckpointNumbers {
    /// Those in memory.
    init(_ checkpoint: Checkpoint) {
        func sources(_ layers: [LayerParameters]) -> [LayerNumbers] {
            layers.map {
                LayerNumbers(name: $0.name, weight: NumberSource($0.weight), bias: $0.bias.map { NumberSource($0) })
            }
        }
        layers = sources(checkpoint.parameters)
        slots = checkpoint.optimizer.slots.map { ($0.name, sources($0.layers)) }
    }
}
