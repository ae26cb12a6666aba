internal import CKernels
package import TreadleBase

/// How weights start; `auto` is `he` before relu and its kin, `glorot` otherwise.
package enum Initializer: String, CaseIterable, Sendable { case auto, he, glorot, lecun, zeros }

/// Where weights start: a pure function of the network, the initializer and the seed.
///
/// With F inputs and D units a layer, `he` draws from the normal distribution of variance 2/F, `lecun` of 1/F, and
/// `glorot` uniformly between ±√(6/(F + D)). Biases start at zero.
package enum Initialization {
    @specialized(where S == Float)
    @specialized(where S == Double)
    package static func parameters<S: Scalar>(
        of network: Network, initializer: Initializer, as: S.Type = S.self, seed: UInt64, workers: Workers
    ) -> [LayerParameters] {
        network.layers.enumerated().map { index, layer in
            let random = Philox(seed: seed, purpose: .initialization, stream: UInt32(index))
            let weights: [S] = weights(of: layer, initializer: initializer, random: random, workers: workers)
            let zeros = [S](repeating: 0, count: layer.units)
            return LayerParameters(
                name: layer.name, weight: S.tensor(weights, shape: [layer.inputs, layer.units]),
                bias: layer.hasBias ? S.tensor(zeros, shape: [layer.units]) : nil)
        }
    }

    /// What `auto` means for a layer: `he` before the activations that cut one side off, `glorot` otherwise.
    package static func resolved(_ initializer: Initializer, for activation: Activation) -> Initializer {
        initializer == .auto ? activation.traits.initializer : initializer
    }

    /// Weights that one worker draws at a time.
    private static let blockSize = 1 << 13

    /// Weight i (row-major) comes from block i of the layer's stream: any part can be drawn by itself.
    private static func weights<S: Scalar>(
        of layer: Layer, initializer: Initializer, random: Philox, workers: Workers
    ) -> [S] {
        let count = layer.inputs * layer.units
        let inputs = Double(layer.inputs)
        let draw: (Range<Int>) -> [Double]
        switch resolved(initializer, for: layer.activation) {
        case .zeros, .auto: return [S](repeating: 0, count: count)
        case .he: draw = { normals($0, random, deviation: (2 / inputs).squareRoot()) }
        case .lecun: draw = { normals($0, random, deviation: (1 / inputs).squareRoot()) }
        case .glorot:
            let limit = (6 / (inputs + Double(layer.units))).squareRoot()
            draw = { $0.map { (2 * fraction(random.words(at: UInt64($0)).lowHalf) - 1) * limit } }
        }
        return unsafe [S](unsafeUninitializedCapacity: count) { weights, initialized in
            nonisolated(unsafe) let weights = unsafe weights
            workers.forEach((count + blockSize - 1) / blockSize) { block, _ in
                let first = block * blockSize
                for (index, value) in draw(first..<min(first + blockSize, count)).enumerated() {
                    unsafe weights.initializeElement(at: first + index, to: S(value))
                }
            }
            initialized = count
        }
    }

    /// Independent normal numbers by Box and Muller's transformation: √(−2 log u)·cos(2πv).
    private static func normals(_ range: Range<Int>, _ random: Philox, deviation: Double) -> [Double] {
        var radii = [Double](repeating: 0, count: range.count)
        var cosines = radii
        for (index, weight) in range.enumerated() {
            let words = random.words(at: UInt64(weight))
            // From 2⁻⁵³ to 1: the logarithm is finite.
            radii[index] = 1 - fraction(words.lowHalf)
            cosines[index] = ck_cospi(2 * fraction(words.highHalf) - 1)
        }
        ElementaryFunction.log.apply(to: &radii)
        for index in radii.indices { radii[index] = (-2 * radii[index]).squareRoot() * cosines[index] * deviation }
        return radii
    }

    /// A number from 0 up to, not including, 1 out of 53 of 64 random bits.
    private static func fraction(_ words: SIMD2<UInt32>) -> Double {
        let bits = UInt64(words.x) << 32 | UInt64(words.y)
        return Double(bits >> 11) * 0x1p-53
    }
}
