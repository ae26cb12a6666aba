package import TreadleBase
package import TreadleConfiguration
package import TreadleModel

/// How far a configuration's training step goes towards what the machine can do.
package struct StepReading: Sendable {
    /// One matrix product of one layer, or a phase of the whole step.
    package struct Part: Equatable, Sendable {
        package var name: String
        package var shape: String
        package var seconds: Double
        package var operations: Double

        package var gigaflops: Double { seconds > 0 ? operations / seconds / 1e9 : 0 }
    }

    package var network: Network
    package var batchSize: Int
    package var samplesPerSecond: Double
    package var products: [Part]
    package var phases: [Part]
    /// Of a network of Float32: samples a second of its whole step in the precisions that round operands.
    package var otherPrecisions: [(precision: Precision, samplesPerSecond: Double)] = []

    /// Measures for about `seconds` the step that trains `network`, and by themselves the phases and the products of one
    /// member.
    package static func measure(
        _ configuration: Configuration, network: Network, loss: LossFunction, workers: Workers, seconds: Double
    ) -> StepReading {
        switch configuration.model.precision.number {
        case .float32:
            var reading = measure(Float.self, configuration, network, loss, workers, seconds)
            for other in Precision.allCases where network.precision == .float32 && other.roundsOperands {
                var (rounded, configuration) = (network, configuration)
                rounded.precision = other
                configuration.model.precision = other
                let timer = StepTimer<Float>(configuration, network: rounded, loss: loss, workers: workers)
                let step = timer.measure(seconds: seconds / 10).step
                reading.otherPrecisions.append((other, Double(configuration.data.batchSize) / step))
            }
            return reading
        case .float64: return measure(Double.self, configuration, network, loss, workers, seconds)
        }
    }

    private static func measure<S: Scalar>(
        _: S.Type, _ configuration: Configuration, _ network: Network, _ loss: LossFunction, _ workers: Workers,
        _ seconds: Double
    ) -> StepReading {
        var oneMember = configuration
        oneMember.model.members = 1
        let member = network.member(0)
        let batchSize = configuration.data.batchSize
        let turns = Double(3 * member.dense.count + (network.members > 1 ? 1 : 0))
        func times(_ network: Network, _ loss: LossFunction, _ configuration: Configuration) -> StepTimer<S>.Times {
            StepTimer<S>(configuration, network: network, loss: loss, workers: workers).measure(
                seconds: seconds / turns)
        }
        var products: [Part] = []
        for (index, layer) in member.dense.enumerated() {
            let work = 2 * Double(batchSize * layer.inputs * layer.units)
            let shape = "\(batchSize)×\(layer.inputs)×\(layer.units)"
            let distance = LossFunction(type: .mse, outputs: layer.units, link: .identity)
            let alone = times(single(layer), distance, oneMember)
            products.append(Part(name: "\(layer.name) X·W", shape: shape, seconds: alone.forward, operations: work))
            if index > 0 {
                // What the way back to the layer's inputs adds to the rows' phase of the layer with a narrow one before it.
                let narrow = Layer(
                    name: "narrow", inputs: 16, units: layer.inputs, activation: .identity, dropout: 0, hasBias: false)
                let pair = Network(inputs: 16, layers: [narrow] + single(layer).layers)
                let both = times(pair, distance, oneMember)
                products.append(
                    Part(
                        name: "\(layer.name) dY·Wᵀ", shape: shape, seconds: max(0, both.rows - both.forward),
                        operations: work))
            }
            products.append(
                Part(name: "\(layer.name) XᵀdY", shape: shape, seconds: alone.tiles, operations: work))
        }
        let one = times(member, loss, oneMember)
        let whole = network.members > 1 ? times(network, loss, configuration) : one
        let (rows, tiles) = operations(member, batchSize)
        return StepReading(
            network: network, batchSize: batchSize, samplesPerSecond: Double(batchSize) / whole.step,
            products: products,
            phases: [
                Part(name: "rows", shape: "", seconds: one.rows, operations: rows),
                Part(name: "tiles", shape: "", seconds: one.tiles, operations: tiles),
                Part(
                    name: "step", shape: network.members > 1 ? "\(network.members) members" : "",
                    seconds: whole.step, operations: Double(network.members) * (rows + tiles)),
            ])
    }

    private static func single(_ layer: Layer) -> Network {
        var layer = layer
        layer.activation = .identity
        layer.dropout = 0
        return Network(inputs: layer.inputs, layers: [layer])
    }

    /// The floating-point operations of the two phases: forward and back, and the weights' gradients.
    private static func operations(_ network: Network, _ rows: Int) -> (rows: Double, tiles: Double) {
        let products = network.dense.map { 2 * Double(rows * $0.inputs * $0.units) }
        let all = products.reduce(0, +)
        return (2 * all - products[0], all)
    }
}
