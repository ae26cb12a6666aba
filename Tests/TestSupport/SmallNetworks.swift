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
