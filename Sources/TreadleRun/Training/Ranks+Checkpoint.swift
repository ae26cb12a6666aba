internal import TreadleBase
internal import TreadleModel

extension Ranks {
    /// The first rank's state at every rank; `own` gives the others the shapes.
    func share(_ own: Checkpoint) throws -> Checkpoint {
        guard !isAlone else { return own }
        var result = own
        let names = try share(own.optimizer.slots.map(\.name))
        result.optimizer.step = try share(own.optimizer.step)
        result.state.course = try share(own.state.course)
        broadcast(&result.parameters)
        if !isFirst { result.optimizer.slots = names.map { .init(name: $0, layers: result.parameters) } }
        for slot in names.indices { broadcast(&result.optimizer.slots[slot].layers) }
        try check()
        return result
    }

    /// The first rank's numbers at every rank, in tensors of the same shapes.
    private func broadcast(_ layers: inout [LayerParameters]) {
        for index in layers.indices {
            broadcast(&layers[index].weight)
            guard var bias = layers[index].bias else { continue }
            broadcast(&bias)
            layers[index].bias = bias
        }
    }

    private func broadcast(_ tensor: inout Tensor) {
        switch tensor.storage {
        case .float32(var values):
            unsafe values.withUnsafeMutableBytes { unsafe broadcast($0) }
            tensor.storage = .float32(values)
        case .float64(var values):
            unsafe values.withUnsafeMutableBytes { unsafe broadcast($0) }
            tensor.storage = .float64(values)
        }
    }
}
