import Testing
@testable import TreadleBase
@testable import TreadleModel
import TestSupport

@Suite struct InitializationTests {
    static func weights(
        _ initializer: Initializer, activation: Activation = .relu, seed: UInt64 = 7
    ) -> (values: [Double], inputs: Double, units: Double) {
        let network = Network.dense([300, 200, 4], activation)
        let parameters = Initialization.parameters(
            of: network, initializer: initializer, as: Double.self, seed: seed, workers: Workers(count: 2))
        return (Double.values(of: parameters[0].weight), 300, 200)
    }

    static func variance(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(values.count)
        return values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count)
    }

    @Test func `each initializer has its variance, and a mean of zero`() {
        for (initializer, expected) in [(Initializer.he, 2 / 300.0), (.lecun, 1 / 300.0), (.glorot, 2 / 500.0)] {
            let values = Self.weights(initializer).values
            let mean = values.reduce(0, +) / Double(values.count)
            // Five standard deviations of the mean and of the variance of 60,000 numbers.
            #expect(abs(mean) < 5 * (expected / 60_000).squareRoot())
            #expect(abs(Self.variance(values) / expected - 1) < 5 * (2.0 / 60_000).squareRoot())
        }
        #expect(Self.weights(.zeros).values.allSatisfy { $0 == 0 })
    }

    @Test func `he is normal and glorot uniform`() {
        let he = Self.weights(.he)
        let deviation = (2 / he.inputs).squareRoot()
        let within = Double(he.values.count { abs($0) < deviation }) / Double(he.values.count)
        #expect(abs(within - 0.6827) < 0.01)
        #expect(he.values.contains { abs($0) > 3.5 * deviation })
        let glorot = Self.weights(.glorot)
        let limit = (6 / (glorot.inputs + glorot.units)).squareRoot()
        #expect(glorot.values.allSatisfy { abs($0) <= limit })
        #expect(glorot.values.contains { $0 > 0.99 * limit } && glorot.values.contains { $0 < -0.99 * limit })
    }

    @Test func `auto is he before what cuts one side off, glorot otherwise`() {
        #expect(Self.weights(.auto, activation: .gelu).values == Self.weights(.he, activation: .gelu).values)
        #expect(Self.weights(.auto, activation: .tanh).values == Self.weights(.glorot, activation: .tanh).values)
    }

    @Test func `weights depend on the seed alone, biases are zero, and Float32 is Float64 rounded`() {
        let network = Network.dense([5, 3, 2])
        func start<S: Scalar>(_: S.Type, _ seed: UInt64) -> [LayerParameters] {
            Initialization.parameters(
                of: network, initializer: .auto, as: S.self, seed: seed, workers: Workers(count: 1))
        }
        #expect(start(Double.self, 1) == start(Double.self, 1))
        #expect(start(Double.self, 1) != start(Double.self, 2))
        #expect(start(Double.self, 1)[0].weight != start(Double.self, 1)[1].weight)
        for (single, double) in zip(start(Float.self, 1), start(Double.self, 1)) {
            #expect(Float.values(of: single.weight) == Double.values(of: double.weight).map { Float($0) })
            #expect(single.bias.map { Float.values(of: $0).allSatisfy { $0 == 0 } } == true)
        }
        #expect(start(Double.self, 1).map(\.name) == ["dense", "dense_1"])
    }
}
