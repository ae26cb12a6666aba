internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// What a checkpoint says of itself, and where in its image its numbers are.
///
/// libhdf5 is needed for this much and no more, so that a process of its own can do it for a file of unknown origin.
package struct CheckpointOutline: Codable, Sendable {
    struct LayerPlaces: Codable, Sendable {
        var weight: ArrayPlace
        var bias: ArrayPlace?

        var all: [ArrayPlace] { [weight] + (bias.map { [$0] } ?? []) }
    }

    struct SlotPlaces: Codable, Sendable {
        var name: String
        var layers: [LayerPlaces]
    }

    /// Without the normalization, whose numbers are at `normalization`.
    var head: CheckpointHead
    var parameters: [LayerPlaces]
    var optimizerStep: Int
    var slots: [SlotPlaces]
    /// By the names of `Normalization.named`; absent where there are none.
    var normalization: [String: ArrayPlace]

    /// Throws unless the places lie within an image of `length` bytes, share none of them, as far as their sum tells,
    /// and have the network's shapes.
    func check(imageLength length: Int, of path: String) throws {
        var left = length
        for place in (parameters + slots.flatMap(\.layers)).flatMap(\.all) + normalization.values {
            guard place.shape.allSatisfy({ $0 > 0 }), let count = place.byteCount, place.offset >= 0,
                count <= length, place.offset <= length - count, count <= left
            else {
                throw TreadleError(
                    .badData, "\(path): its arrays claim more bytes than it has; use another checkpoint or a copy")
            }
            left -= count
        }
        let fits = ([parameters] + slots.map(\.layers)).allSatisfy { layers in
            layers.count == head.network.layers.count
                && zip(layers, head.network.layers).allSatisfy { places, layer in
                    places.weight.shape == [layer.inputs, layer.units]
                        && places.bias.map(\.shape) == (layer.hasBias ? [layer.units] : nil)
                }
        }
        guard fits, !parameters.isEmpty, head.network.hasSoundStem else {
            throw TreadleError(.badData, "\(path): its arrays do not fit its network; use another checkpoint or a copy")
        }
        for (shift, factor) in [("shift", "factor"), ("target_shift", "target_factor"), ("target_low", "target_high")]
        where (normalization[shift] == nil) != (normalization[factor] == nil) {
            throw TreadleError(
                .badData,
                "\(path):/treadle/normalization: has one of \(shift) and \(factor) without the other; use another "
                    + "checkpoint or a copy")
        }
        try head.schema?.check(of: "\(path):/treadle/schema")
        // Readers index these lists by input or output, so their lengths must be those of the network.
        let (inputs, outputs) = (head.network.inputs, head.network.outputs)
        for (what, count, due) in [
            ("classes", head.classes?.count, outputs), ("class_weights", head.classWeights?.count, outputs),
            ("columns", head.columns?.count, inputs), ("schema", head.schema?.inputWidth, inputs),
        ] where count.map({ $0 != due }) ?? false {
            throw TreadleError(
                .badData,
                "\(path):/treadle/\(what): has \(count ?? 0) elements where the network has \(due); use another checkpoint "
                    + "or a copy")
        }
    }

    /// What the file says of itself, with the normalization.
    func head(in file: SealedFile) throws -> CheckpointHead {
        var head = head
        for part in Normalization.parts {
            guard let place = normalization[part.name] else { continue }
            head.model.normalization[keyPath: part.path] = Double.values(of: try place.tensor(in: file))
        }
        return head
    }

    /// The numbers of the layers at `places`.
    func layers(_ places: [LayerPlaces], in file: SealedFile) throws -> [LayerParameters] {
        try zip(head.network.layers, places).map { layer, places in
            LayerParameters(
                name: layer.name, weight: try places.weight.tensor(in: file),
                bias: try places.bias.map { try $0.tensor(in: file) })
        }
    }

    /// What the optimizer remembers.
    func optimizer(in file: SealedFile) throws -> OptimizerState {
        OptimizerState(
            step: optimizerStep,
            slots: try slots.map { .init(name: $0.name, layers: try layers($0.layers, in: file)) })
    }
}
