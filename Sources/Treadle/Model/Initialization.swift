internal import CKernels

/// Where weights start: a pure function of the network, the initializer and the seed.
///
/// With F inputs and D units a layer, `he` draws from the normal distribution of variance 2/F, `lecun` of 1/F, and
/// `glorot` uniformly between ±√(6/(F + D)). Biases start at zero.
package enum Initialization {
    package static func parameters(
        of network: Network, initializer: Initializer, precision: Precision, seed: UInt64
    ) -> [LayerParameters] {
        network.layers.enumerated().map { index, layer in
            let values = weights(
                of: layer, initializer: initializer,
                random: Philox(seed: seed, purpose: .initialization, stream: UInt32(index)))
            let shape = [layer.inputs, layer.units]
            let zeros = [Double](repeating: 0, count: layer.units)
            return LayerParameters(
                name: layer.name, weight: tensor(shape, values, precision),
                bias: layer.hasBias ? tensor([layer.units], zeros, precision) : nil)
        }
    }

    /// What `auto` means for a layer: `he` before the activations that cut one side off, `glorot` otherwise.
    package static func resolved(_ initializer: Initializer, for activation: Activation) -> Initializer {
        guard initializer == .auto else { return initializer }
        switch activation {
        case .relu, .leakyRelu, .elu, .gelu, .silu, .softplus: return .he
        case .identity, .sigmoid, .tanh: return .glorot
        }
    }

    /// Weight i (row-major) comes from block i of the layer's stream.
    private static func weights(of layer: Layer, initializer: Initializer, random: Philox) -> [Double] {
        let count = layer.inputs * layer.units
        let inputs = Double(layer.inputs)
        switch resolved(initializer, for: layer.activation) {
        case .zeros, .auto:
            return [Double](repeating: 0, count: count)
        case .he:
            return normals(count, random).map { $0 * (2 / inputs).squareRoot() }
        case .lecun:
            return normals(count, random).map { $0 * (1 / inputs).squareRoot() }
        case .glorot:
            let limit = (6 / (inputs + Double(layer.units))).squareRoot()
            return (0..<count).map { (2 * fraction(random.words(at: UInt64($0)).lowHalf) - 1) * limit }
        }
    }

    /// Independent normal numbers by Box and Muller's transformation: √(−2 log u)·cos(2πv).
    private static func normals(_ count: Int, _ random: Philox) -> [Double] {
        var radii = [Double](repeating: 0, count: count)
        var cosines = [Double](repeating: 0, count: count)
        for i in 0..<count {
            let words = random.words(at: UInt64(i))
            // From 2⁻⁵³ to 1: the logarithm is finite.
            radii[i] = 1 - fraction(words.lowHalf)
            cosines[i] = ck_cospi(2 * fraction(words.highHalf) - 1)
        }
        ElementaryFunction.log.apply(to: &radii)
        return zip(radii, cosines).map { (-2 * $0).squareRoot() * $1 }
    }

    /// A number from 0 up to, not including, 1 out of 53 of 64 random bits.
    private static func fraction(_ words: SIMD2<UInt32>) -> Double {
        let bits = UInt64(words.x) << 32 | UInt64(words.y)
        return Double(bits >> 11) * 0x1p-53
    }

    private static func tensor(_ shape: [Int], _ values: [Double], _ precision: Precision) -> Tensor {
        switch precision {
        case .float32: Tensor(shape: shape, storage: .float32(values.map { Float($0) }))
        case .float64: Tensor(shape: shape, storage: .float64(values))
        }
    }
}
