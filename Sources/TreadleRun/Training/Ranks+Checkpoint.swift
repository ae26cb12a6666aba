internal import TreadleBase
internal import TreadleEngine
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
}
