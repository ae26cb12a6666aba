internal import CKernels
package import TreadleBase

/// How weights start; `auto` is `he` before relu and its kin, `glorot` otherwise.
package enum Initializer: String, CaseIterable, Sendable { case auto, he, glorot, lecun, normal, zeros }

/// Where weights start: a pure function of the network, the initializer and the seed.
///
/// With F inputs and D units a layer, `he` draws from the normal distribution of variance 2/F, `lecun` of 1/F, and
/// `glorot` uniformly between ±√(6/(F + D)). Biases start at zero. `normal` is `lecun` with biases of variance 1, and an output
/// layer of zeros: the first predictions are then all the same.
///
/// Of a stem, factors start at 1; waves draw their frequencies from the normal distribution, whose deviation is given, and
/// their phases uniformly from a whole turn; ramps rise over the bins that are given, or over bins of the same width;
/// combinations draw weights and biases uniformly between ±1/√K.
package enum Initialization {
    @specialized(where S == Float)
    @specialized(where S == Double)
    package static func parameters<S: Scalar>(
        of network: Network, initializer: Initializer, as: S.Type = S.self, seed: UInt64, frequencySpread: Double = 0.1,
        bins: PiecewiseBins? = nil, workers: Workers
    ) -> [LayerParameters] {
        network.layers.enumerated().map { index, layer in
            if layer.kind == .ramps {
                let count = network.embedded.count
                let ramps = (bins ?? PiecewiseBins(even: layer.units / count, columns: count)).ramps
                return LayerParameters(
                    name: layer.name, weight: S.tensor(ramps.weights.map { S($0) }, shape: [1, layer.units]),
                    bias: S.tensor(ramps.biases.map { S($0) }, shape: [layer.units]))
            }
            // Dense layers are counted without the stem, which has streams of its own: it changes no other layer's start.
            let stem = network.stem.count
            let stream = index < stem ? UInt32(index) | 1 << 31 : UInt32(index - stem)
            let start = start(
                of: layer, initializer: initializer, isOutput: index + 1 == network.layers.count,
                frequencySpread: frequencySpread)
            func draw(_ count: Int, _ distribution: Distribution, _ stream: UInt32) -> [S] {
                draws(
                    count, distribution, Philox(seed: seed, purpose: .initialization, stream: stream), workers: workers)
            }
            return LayerParameters(
                name: layer.name,
                weight: S.tensor(
                    draw(layer.inputs * layer.units, start.weight, stream), shape: [layer.inputs, layer.units]),
                bias: layer.hasBias
                    ? S.tensor(draw(layer.units, start.bias, stream | 1 << 30), shape: [layer.units]) : nil)
        }
    }

    private enum Distribution {
        case constant(Double)
        case normal(deviation: Double)
        /// Between −limit and limit.
        case uniform(limit: Double)
    }

    private static func start(
        of layer: Layer, initializer: Initializer, isOutput: Bool, frequencySpread: Double
    ) -> (weight: Distribution, bias: Distribution) {
        let inputs = Double(layer.inputs)
        switch layer.kind {
        case .waves: return (.normal(deviation: frequencySpread), .uniform(limit: 0.5))
        case .combination:
            let limit = 1 / inputs.squareRoot()
            return (.uniform(limit: limit), .uniform(limit: limit))
        case .factors: return (.constant(1), .constant(0))
        case .dense, .ramps: break
        }
        switch resolved(initializer, for: layer.activation) {
        case .zeros, .auto: return (.constant(0), .constant(0))
        case .he: return (.normal(deviation: (2 / inputs).squareRoot()), .constant(0))
        case .lecun: return (.normal(deviation: (1 / inputs).squareRoot()), .constant(0))
        case .glorot: return (.uniform(limit: (6 / (inputs + Double(layer.units))).squareRoot()), .constant(0))
        case .normal:
            return isOutput
                ? (.constant(0), .constant(0))
                : (.normal(deviation: (1 / inputs).squareRoot()), .normal(deviation: 1))
        }
    }

    /// What `auto` means for a layer: `he` before the activations that cut one side off, `glorot` otherwise.
    package static func resolved(_ initializer: Initializer, for activation: Activation) -> Initializer {
        initializer == .auto ? activation.traits.initializer : initializer
    }

    /// Weights that one worker draws at a time.
    private static let blockSize = 1 << 13

    /// Number i (row-major) comes from block i of its stream: any part can be drawn by itself.
    private static func draws<S: Scalar>(
        _ count: Int, _ distribution: Distribution, _ random: Philox, workers: Workers
    ) -> [S] {
        let draw: (Range<Int>) -> [Double]
        switch distribution {
        case .constant(let value): return [S](repeating: S(value), count: count)
        case .normal(let deviation): draw = { normals($0, random, deviation: deviation) }
        case .uniform(let limit):
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
