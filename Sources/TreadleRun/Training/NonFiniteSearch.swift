internal import TreadleBase
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel

/// Looks for the place where numbers stop being finite, when a batch has given a loss that is none.
struct NonFiniteSearch<S: Scalar> {
    let network: Network
    let parameters: [LayerParameters]
    let workers: Workers
    let ranks: Ranks

    /// Where the first such number arises on a batch's way through the network, in the words of the first rank that finds
    /// one. Every rank must ask, with its part of the batch.
    func cause(in batch: Batch<S>) throws -> String {
        let own = try unsafe origin(in: batch)
        let all = try ranks.isAlone ? [own] : ranks.collect(own)
        return all.compactMap(\.self).first ?? "every layer's outputs are finite, the loss of them is not"
    }

    private func origin(in batch: Batch<S>) throws -> String? {
        for member in 0..<network.members {
            let own = Array(parameters[network.layers(of: member)])
            if let place = try unsafe origin(in: batch, of: network.member(member), own) { return place }
        }
        return nil
    }

    private func origin(in batch: Batch<S>, of network: Network, _ parameters: [LayerParameters]) throws -> String? {
        for (index, layer) in network.layers.enumerated() {
            for (name, numbers) in CheckpointNumbers.LayerNumbers(parameters[index]).named("") {
                guard let place = try numbers.firstNonFinite(workers: workers) else { continue }
                return "the weight \(name) \(place) is the first such number"
            }
            // What the stem makes of finite numbers is finite.
            guard layer.kind == .dense else { continue }
            var part = network
            part.layers = Array(network.layers[...index])
            let forward = ForwardPass<S>(
                network: part, parameters: Array(parameters[...index]),
                loss: LossFunction(type: .mse, outputs: layer.units, link: .identity), maxRows: unsafe batch.rows,
                workers: workers)
            var inputs = unsafe batch
            unsafe inputs.targets = .absent
            let outputs = unsafe UnsafeBufferPointer(
                start: forward.run(inputs), count: batch.rows * layer.units)
            if let place = unsafe outputs.firstIndex(where: { !$0.isFinite }) {
                let row = place / layer.units + 1
                let owner = ranks.isAlone ? "them" : "those of \(ranks.name)"
                return "layer \(layer.name) is the first to give such a number, for row \(row) of \(owner)"
            }
        }
        return nil
    }
}
