internal import TreadleBase
internal import TreadleData
internal import TreadleModel
internal import TreadleRun

/// What a layer's weights, and the optimizer's memory of their gradients, say about its units.
///
/// ```swift
/// for layer in inspection.layers { print("\(layer.name): \(layer.dead.count) of \(layer.units) units are dead") }
/// ```
public struct LayerHealth: Equatable, Sendable {
    /// As in the checkpoint: `dense`, `dense_1`, …
    public var name: String
    /// How many outputs it has; the lists of units number them from 0.
    public var units: Int
    /// Units whose output does not depend on the inputs any more, or that have had no gradient for long: nothing
    /// brings them back.
    public var dead: [Int] = []
    /// Units of sigmoid or tanh that are at one of their ends for nearly every input: they hardly learn.
    public var saturated: [Int] = []
    /// Units that are equal to an earlier one, weight by weight: they stay so.
    public var twins: [Int] = []
    /// Inputs of this layer that no gradient has reached for long.
    public var idleInputs: [Int] = []
}

extension LayerHealth {
    /// The layers of a checkpoint in order; those with numbers that are not finite are not judged.
    ///
    /// `head` says all but the numbers, and `isFinite` which layers' parameters are.
    static func all(
        _ head: CheckpointHead, _ numbers: CheckpointNumbers, isFinite: [Bool], workers: Workers
    ) throws -> [LayerHealth] {
        // What a layer's inputs are known to be; of data anything is possible.
        let anything = -Double.infinity...Double.infinity
        var inputs: [ClosedRange<Double>] = []
        return try head.network.layers.enumerated().map { index, layer in
            let isOutput = head.network.makesOutput(index)
            if head.network.readsInputs(index) {
                inputs = [ClosedRange<Double>](repeating: anything, count: layer.inputs)
            }
            var health = LayerHealth(name: layer.name, units: layer.units)
            guard isFinite[index], layer.kind == .dense else {
                let next = index + 1 < head.network.layers.count ? head.network.layers[index + 1].inputs : 0
                inputs = [ClosedRange<Double>](repeating: anything, count: next)
                return health
            }
            let columns = try WeightColumns(numbers.layers[index], inputs: inputs, workers: workers)
            inputs = columns.sums.map { layer.activation.traits.range($0) }

            health.twins = columns.twins
            if !isOutput {
                let silent = try SilentGradients(
                    numbers.slots.first { $0.name != RunCourse.bestSlot }?.layers[index], updates: numbers.updates,
                    workers: workers)
                health.idleInputs = silent.inputs
                let hasKnownScale = !head.network.readsInputs(index) || !head.normalization.factor.isEmpty
                for unit in 0..<layer.units {
                    let end = layer.activation.traits.saturation
                    let isOff = layer.activation.traits.offUpTo.map { columns.sums[unit].upperBound <= $0 } ?? false
                    if let end, columns.isBeyond(end, unit: unit, hasKnownScale: hasKnownScale) {
                        health.saturated.append(unit)
                    } else if columns.isStill(unit) || isOff {
                        health.dead.append(unit)
                    } else if silent.units.contains(unit) {
                        if end == nil { health.dead.append(unit) } else { health.saturated.append(unit) }
                    }
                }
            } else {
                health.dead = (0..<layer.units).filter { columns.norms[$0] == 0 }
            }
            return health
        }
    }
}
