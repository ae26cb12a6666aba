import CKernels
import Foundation
import Testing
@testable import TreadleModel

/// What is said of each activation, against its formula in the literature.
@Suite struct ActivationTests {
    private static func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }

    /// By the mathematics library, in Float64.
    private static func value(_ activation: Activation, _ x: Double) -> Double {
        switch activation {
        case .identity: x
        case .relu: max(0, x)
        case .leakyRelu: x < 0 ? x / 100 : x
        case .elu: x < 0 ? expm1(x) : x
        case .gelu: x * (1 + erf(x / 2.0.squareRoot())) / 2
        case .silu: x / (1 + exp(-x))
        case .sigmoid: 1 / (1 + exp(-x))
        case .tanh: tanh(x)
        case .softplus: softplus(x)
        case .selu: 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x))
        case .mish: x * tanh(softplus(x))
        }
    }

    private static func slope(_ activation: Activation, at x: Double) -> Double {
        let step = 1e-6
        return (value(activation, x + step) - value(activation, x - step)) / (2 * step)
    }

    private static let points = (-400...400).map { Double($0) / 20 }

    /// What another program makes of a formula.
    private func evaluated(_ formula: ActivationFormula, at x: Double) throws -> Double {
        switch formula {
        case .input: return x
        case .constant(let value): return Double(value)
        case .product(let a, let b): return try evaluated(a, at: x) * evaluated(b, at: x)
        case .sum(let a, let b): return try evaluated(a, at: x) + evaluated(b, at: x)
        case .node(let operation, let argument, let floats):
            let (y, settings) = (try evaluated(argument, at: x), Dictionary(uniqueKeysWithValues: floats))
            func setting(_ name: String) throws -> Double { Double(try #require(settings[name])) }
            switch operation {
            case "Relu": return max(0, y)
            case "LeakyRelu": return y < 0 ? try setting("alpha") * y : y
            case "Elu": return y < 0 ? try setting("alpha") * expm1(y) : y
            case "Selu": return try setting("gamma") * (y > 0 ? y : setting("alpha") * expm1(y))
            case "Erf": return erf(y)
            case "Sigmoid": return 1 / (1 + exp(-y))
            case "Tanh": return tanh(y)
            case "Softplus": return Self.softplus(y)
            default:
                Issue.record("\(operation) is no operator of ONNX that the test knows")
                return .nan
            }
        }
    }

    @Test(arguments: Activation.allCases) func `the formula for other programs is the activation`(
        activation: Activation
    ) throws {
        for x in Self.points {
            let exact = Self.value(activation, x)
            // Its constants are rounded to Float32.
            #expect(abs(try evaluated(activation.traits.export, at: x) - exact) <= 2e-7 * max(1, abs(x)), "at \(x)")
        }
    }

    @Test(arguments: Activation.allCases) func `bounds hold for every number between`(activation: Activation) {
        for low in stride(from: -9.0, through: 9, by: 0.75) {
            for high in stride(from: low, through: 9, by: 1.5) {
                let bounds = activation.traits.range(low...high)
                for x in stride(from: low, through: high, by: 0.0625) {
                    #expect(bounds.contains(Self.value(activation, x)), "\(x) of \(low) to \(high)")
                }
            }
        }
    }

    @Test(arguments: Activation.allCases) func `a saturated unit's slope is below a hundredth of the largest`(
        activation: Activation
    ) {
        let largest = Self.points.map { Self.slope(activation, at: $0) }.max() ?? 0
        guard let saturation = activation.traits.saturation else {
            #expect(Self.slope(activation, at: 19) > largest / 100, "it saturates nowhere on this side")
            return
        }
        for side in [-1.0, 1] {
            #expect(Self.slope(activation, at: side * saturation) < largest / 100)
            #expect(Self.slope(activation, at: side * saturation * 0.9) > largest / 100)
        }
    }

    @Test(arguments: Activation.allCases) func `weights start as the literature has it for such an activation`(
        activation: Activation
    ) {
        // He et al. for what grows on one side, Klambauer et al. for what normalizes itself, Glorot and Bengio for the rest.
        let grows = Self.value(activation, 100) > 50 && Self.value(activation, -100) > -50
        let expected: Initializer = activation == .selu ? .lecun : grows ? .he : .glorot
        #expect(activation.traits.initializer == expected)
        #expect(Initialization.resolved(.auto, for: activation) == expected)
        for initializer in Initializer.allCases where initializer != .auto {
            #expect(Initialization.resolved(initializer, for: activation) == initializer)
        }
    }

    @Test func `each is another one to the kernels`() {
        #expect(Set(Activation.allCases.map(\.kernel.rawValue)).count == Activation.allCases.count)
    }
}
