import TestSupport
import Testing
import TreadleBase
@testable import TreadleModel

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

    @Test func `a stem starts as documented, and changes no other layer's start`() {
        let network = Network.stemmed(
            inputs: 50, embedded: Array(0..<50), frequencies: 64, outputs: 3, hidden: [20], units: 2)
        let start = Initialization.parameters(
            of: network, initializer: .normal, as: Double.self, seed: 7, frequencySpread: 0.25,
            workers: Workers(count: 2))
        func spread(_ values: [Double]) -> Double {
            var squares = 0.0
            for value in values { squares += value * value }
            return (squares / Double(values.count)).squareRoot()
        }
        let waves = start[0]
        // 3,200 draws: the spread is within some 4 % but in one of 1,000 seeds.
        #expect(abs(spread(Double.values(of: waves.weight)) - 0.25) < 0.01)
        // A uniform distribution's spread is its limit / √3.
        let phases: [Double] = waves.bias.map { Double.values(of: $0) } ?? []
        #expect(phases.allSatisfy { abs($0) <= 0.5 })
        #expect(abs(spread(phases) - 0.288_675) < 0.012)
        let combined: [Double] = Double.values(of: start[1].weight)
        #expect(combined.allSatisfy { abs($0) <= 0.125 })
        #expect(abs(spread(combined) - 0.072_169) < 0.002)
        #expect(Double.values(of: start[2].weight) == [Double](repeating: 1, count: 200))
        #expect(abs(spread(Double.values(of: start[3].weight)) - 0.070_711) < 0.003)
        #expect(start[3].bias.map { Double.values(of: $0).allSatisfy { $0 != 0 } } == true)
        #expect(Double.values(of: start[4].weight).allSatisfy { $0 == 0 })

        var plain = network
        plain.layers = Array(network.dense)
        (plain.embedded, plain.inputs) = ([], 200)
        let same = Initialization.parameters(
            of: plain, initializer: .normal, as: Double.self, seed: 7, workers: Workers(count: 1))
        #expect(same == Array(start.dropFirst(3)))
    }

    @Test
    func `ramps start over bins that have as many rows as each other, and halve the widest where there are too few`() {
        let bins = PiecewiseBins(quantiles: [[0, 1, 3, 7, 9], [2, 2, 2, 2, 2], [0, 0, 0, 1, 1], [-1, 0, 0, 0, 8]])
        #expect(
            bins.borders == [
                [0, 1, 3, 7, 9], [2, 2, 2, 2, 2], [0, 0.25, 0.5, 0.75, 1], [-1, 0, 2, 4, 8],
            ])
        let network = Network.stemmed(
            inputs: 4, embedded: [0, 1, 2, 3], frequencies: 4, hidden: [], units: 1, functions: .ramps)
        let start = Initialization.parameters(
            of: network, initializer: .auto, as: Double.self, seed: 7, bins: bins, workers: Workers(count: 1))
        #expect(start[0].name == "embedding" && network.stem.map(\.kind) == [.ramps, .combination, .factors])
        // Bin by bin, a column after the other.
        #expect(
            Double.values(of: start[0].weight)
                == [1, 0, 4, 1, 0.5, 0, 4, 0.5, 0.25, 0, 4, 0.5, 0.5, 0, 4, 0.25])
        #expect(
            start[0].bias.map { Double.values(of: $0) }
                == [0, 0, 0, 1, -0.5, 0, -1, 0, -0.75, 0, -2, -1, -3.5, 0, -3, -1])
    }
}
