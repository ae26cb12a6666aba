package import TreadleConfiguration
package import TreadleModel

extension Network {
    /// Dense layers of these widths, the first being the inputs.
    package static func dense(
        _ widths: [Int], _ activation: Activation = .relu, dropout: Double = 0, bias: Bool = true
    ) -> Network {
        let layers = (1..<widths.count).map { index in
            let isLast = index == widths.count - 1
            return Layer(
                name: index == 1 ? "dense" : "dense_\(index - 1)", inputs: widths[index - 1], units: widths[index],
                activation: isLast ? .identity : activation, dropout: isLast ? 0 : dropout, hasBias: bias)
        }
        return Network(inputs: widths[0], layers: layers)
    }

    /// Dense layers after a stem: `frequencies` waves or ramps of each embedded column, which become `outputs` numbers, and a
    /// factor for all that the first dense layer reads.
    package static func stemmed(
        inputs: Int, embedded: [Int] = [], frequencies: Int = 4, outputs: Int = 3, scaled: Bool = true, hidden: [Int],
        units: Int, activation: Activation = .tanh, dropout: Double = 0, precision: Precision = .float32,
        functions: Layer.Kind = .waves
    ) -> Network {
        let (columns, width) = (embedded.count, inputs + outputs * embedded.count)
        func stemLayer(_ name: String, _ kind: Layer.Kind, _ inputs: Int, _ units: Int) -> Layer {
            Layer(
                name: name, kind: kind, inputs: inputs, units: units, activation: .identity, dropout: 0,
                hasBias: kind != .factors)
        }
        var layers: [Layer] = []
        if columns > 0 {
            layers.append(stemLayer("embedding", functions, 1, frequencies * columns))
            layers.append(stemLayer("embedding_1", .combination, frequencies, outputs * columns))
        }
        if scaled { layers.append(stemLayer("input_scale", .factors, 1, width)) }
        layers += dense([width] + hidden + [units], activation, dropout: dropout).layers
        return Network(inputs: inputs, layers: layers, embedded: embedded, precision: precision)
    }
}

extension OptimizerConfiguration {
    package static func plain(
        _ type: OptimizerType = .sgd, lr: Double = 0.05, momentum: Double = 0, nesterov: Bool = false,
        weightDecay: Double = 0, l1: Double = 0, clipNorm: Double? = nil
    ) -> OptimizerConfiguration {
        OptimizerConfiguration(
            type: type, lr: lr, momentum: momentum, nesterov: nesterov, beta1: 0.9, beta2: 0.999, rho: 0.99, eps: 1e-8,
            weightDecay: weightDecay, l1: l1, clipNorm: clipNorm)
    }
}
