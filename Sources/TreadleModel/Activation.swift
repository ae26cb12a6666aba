package import CKernels

/// What a layer makes of its sums, one by one.
package enum Activation: String, CaseIterable, Codable, Sendable {
    case identity, relu, leakyRelu = "leaky_relu", elu, gelu, silu, sigmoid, tanh, softplus, selu, mish

    /// All that the rest of the program knows about an activation. To add one, add its name above, its traits here, and its
    /// line to `CK_ACTIVATIONS`.
    package var traits: ActivationTraits {
        switch self {
        case .identity:
            ActivationTraits(CK_IDENTITY, initializer: .glorot, export: .input) { $0...$1 }
        case .relu:
            ActivationTraits(CK_RELU, initializer: .he, export: .node("Relu", .input), offUpTo: 0) {
                max(0, $0)...max(0, $1)
            }
        case .leakyRelu:
            ActivationTraits(
                CK_LEAKY_RELU, initializer: .he, export: .node("LeakyRelu", .input, floats: [("alpha", 0.01)])
            ) { min($0, 0)...max($1, 0) }
        case .elu:
            ActivationTraits(CK_ELU, initializer: .he, export: .node("Elu", .input, floats: [("alpha", 1)])) {
                max(-1, min($0, 0))...max($1, 0)
            }
        case .gelu:
            // x · Φ(x), Φ by erf: an operator of its own came with a later version of ONNX.
            ActivationTraits(
                CK_GELU, initializer: .he,
                export: .product(
                    .product(.input, .constant(0.5)),
                    .sum(
                        .node("Erf", .product(.input, .constant(Float(0.5.squareRoot())))), .constant(1)))
            ) { max(-0.28, min($0, 0))...max($1, 0) }
        case .silu:
            ActivationTraits(
                CK_SILU, initializer: .he, export: .product(.input, .node("Sigmoid", .input))
            ) { max(-0.28, min($0, 0))...max($1, 0) }
        case .sigmoid:
            ActivationTraits(
                CK_SIGMOID, initializer: .glorot, export: .node("Sigmoid", .input), saturation: 6
            ) { _, _ in 0...1 }
        case .tanh:
            ActivationTraits(
                CK_TANH, initializer: .glorot, export: .node("Tanh", .input), saturation: 3
            ) { _, _ in -1...1 }
        case .softplus:
            // At most log 2 above the larger of the sum and 0.
            ActivationTraits(CK_SOFTPLUS, initializer: .he, export: .node("Softplus", .input)) { 0...max($1, 0) + 0.7 }
        case .selu:
            ActivationTraits(
                CK_SELU, initializer: .lecun,
                export: .node("Selu", .input, floats: [("alpha", 1.673_263_2), ("gamma", 1.050_701)])
            ) { max(-1.7581, min($0 * 1.7581, 0))...max($1 * 1.0508, 0) }
        case .mish:
            ActivationTraits(
                CK_MISH, initializer: .he, export: .product(.input, .node("Tanh", .node("Softplus", .input)))
            ) { max(-0.31, min($0, 0))...max($1, 0) }
        }
    }

    /// Its name to the kernels.
    package var kernel: ck_activation { traits.kernel }
}

/// What an activation is to the kernels, to fresh weights, to a reader of ONNX, and to who looks after its health.
package struct ActivationTraits: Sendable {
    package let kernel: ck_activation
    /// How weights before it start, where `auto` asks.
    package let initializer: Initializer
    package let export: ActivationFormula
    /// From where on, to both sides, the derivative is below a hundredth of its largest; nil where there is no such place.
    package let saturation: Double?
    /// Every sum up to this gives the same output, with no gradient; nil where none does.
    package let offUpTo: Double?
    private let bounds: @Sendable (_ low: Double, _ high: Double) -> ClosedRange<Double>

    init(
        _ kernel: ck_activation, initializer: Initializer, export: ActivationFormula, saturation: Double? = nil,
        offUpTo: Double? = nil,
        bounds: @escaping @Sendable (_ low: Double, _ high: Double) -> ClosedRange<Double>
    ) {
        self.kernel = kernel
        self.initializer = initializer
        self.export = export
        self.saturation = saturation
        self.offUpTo = offUpTo
        self.bounds = bounds
    }

    /// Bounds of the output for sums in `range`.
    package func range(_ range: ClosedRange<Double>) -> ClosedRange<Double> {
        bounds(range.lowerBound, range.upperBound)
    }
}

/// An activation in operators that every version of ONNX has.
package indirect enum ActivationFormula: Sendable {
    case input
    case constant(Float)
    case node(String, ActivationFormula, floats: [(String, Float)] = [])
    case product(ActivationFormula, ActivationFormula)
    case sum(ActivationFormula, ActivationFormula)
}
