import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleEngine
@testable import TreadleModel
import TestSupport

/// The equations of the article Mathematics, one by one, as the step computes them in Float64.
@Suite struct MathematicsTests {
    /// One forward and backward pass; the last layer's error is given by the loss mse against targets, which is
    /// 2(y − t)/K for each output: targets y − K/2 make it 1.
    struct Pass {
        let network: Network
        let parameters: [LayerParameters]
        let x: [[Double]]

        init(_ widths: [Int], rows: Int, activation: Activation = .identity, bias: Bool = false) {
            network = .dense(widths, activation, bias: bias)
            parameters = network.parameters(Double.self, seed: 2)
            var numbers = SmallNumbers<Double>(seed: 4)
            x = (0..<rows).map { _ in numbers.take(widths[0]) }
        }

        /// Y of the last layer.
        func outputs(_ parameters: [LayerParameters], x: [[Double]]? = nil) -> [[Double]] {
            let forward = ForwardPass<Double>(
                network: network, parameters: parameters, loss: LossFunction(type: .mse, outputs: network.outputs),
                maxRows: self.x.count, workers: Workers(count: 1))
            let rows = (x ?? self.x).map { Pinned($0) }
            let pointers = Pinned(rows.map { $0[from: 0] })
            let targets = Pinned([Double](repeating: 0, count: rows.count * network.outputs))
            let y = forward.run(
                Batch(
                    rows: rows.count, x: pointers[from: 0],
                    targets: .values(targets[from: 0]), weights: nil))
            return (0..<rows.count).map { row in
                (0..<network.outputs).map { y[row * network.outputs + $0] }
            }
        }

        /// ∂L/∂W of every layer with L = Σ Y over rows and outputs, by the step.
        func gradientsOfSum() -> [[Double]] {
            let y = outputs(parameters)
            let half = Double(network.outputs) / 2
            return gradients(targets: y.map { row in row.map { $0 - half } }).map {
                // The step divides by B, L = Σ Y does not.
                Double.values(of: $0.weight).map { $0 * Double(x.count) }
            }
        }

        /// The averaged gradients with mse against `targets`.
        func gradients(targets: [[Double]]) -> [LayerParameters] {
            let check = GradientCheck(
                network: network, loss: LossFunction(type: .mse, outputs: network.outputs), parameters: parameters,
                batchSize: x.count, seed: 0, workers: Workers(count: 1))
            return withBatch(targets: targets) { check.gradients($0) }
        }

        func withBatch<Result>(targets: [[Double]], _ body: (Batch<Double>) -> Result) -> Result {
            let rows = x.map { Pinned($0) }
            let pointers = Pinned(rows.map { $0[from: 0] })
            let values = Pinned(targets.flatMap { $0 })
            return withExtendedLifetime((rows, values)) {
                body(
                    Batch(
                        rows: x.count, x: pointers[from: 0], targets: .values(values[from: 0]),
                        weights: nil))
            }
        }

        func moved(_ layer: Int, _ place: Int, by step: Double) -> [LayerParameters] {
            var parameters = parameters
            var values = Double.values(of: parameters[layer].weight)
            values[place] += step
            parameters[layer].weight = Double.tensor(values, shape: parameters[layer].weight.shape)
            return parameters
        }

        func weight(_ layer: Int) -> [[Double]] {
            let (shape, values) = (parameters[layer].weight.shape, Double.values(of: parameters[layer].weight))
            return (0..<shape[0]).map { Array(values[$0 * shape[1]..<($0 + 1) * shape[1]]) }
        }
    }

    static func expectClose(_ a: Double, _ b: Double, _ tolerance: Double = 1e-12) {
        #expect(abs(a - b) <= tolerance * max(1, abs(b)))
    }

    @Test func `the derivative of Y by W is X where the columns agree, and 0 elsewhere`() {
        let pass = Pass([4, 5], rows: 3)
        let y = pass.outputs(pass.parameters)
        // Y is linear in W: a difference is the derivative, but for rounding.
        for i in 0..<4 {
            for j in 0..<5 {
                let moved = pass.outputs(pass.moved(0, i * 5 + j, by: 0.5))
                for b in 0..<3 {
                    for k in 0..<5 {
                        Self.expectClose((moved[b][k] - y[b][k]) / 0.5, k == j ? pass.x[b][i] : 0)
                    }
                }
            }
        }
    }

    @Test func `the derivative of Y by X is W within a row, and 0 between rows`() {
        let pass = Pass([4, 5], rows: 3)
        let (y, w) = (pass.outputs(pass.parameters), pass.weight(0))
        for row in 0..<3 {
            for i in 0..<4 {
                var x = pass.x
                x[row][i] += 0.5
                let moved = pass.outputs(pass.parameters, x: x)
                for b in 0..<3 {
                    for k in 0..<5 { Self.expectClose((moved[b][k] - y[b][k]) / 0.5, b == row ? w[i][k] : 0) }
                }
            }
        }
    }

    @Test func `one weight follows the scalar chain`() {
        // z = w·x + b, a = tanh z, y = v·a, L = (y − t)²: ∂L/∂w = 2(y − t)·v·(1 − a²)·x.
        let pass = Pass([1, 1, 1], rows: 1, activation: .tanh, bias: true)
        let gradients = pass.gradients(targets: [[0.3]])
        let (w, v, x) = (pass.weight(0)[0][0], pass.weight(1)[0][0], pass.x[0][0])
        let b = pass.parameters[0].bias.map { Double.values(of: $0)[0] } ?? .nan
        let c = pass.parameters[1].bias.map { Double.values(of: $0)[0] } ?? .nan
        let a = ElementaryFunction.tanh(w * x + b)
        let error = 2 * (v * a + c - 0.3)
        Self.expectClose(Double.values(of: gradients[1].weight)[0], error * a)
        Self.expectClose(Double.values(of: gradients[0].weight)[0], error * v * (1 - a * a) * x)
        Self.expectClose(gradients[0].bias.map { Double.values(of: $0)[0] } ?? .nan, error * v * (1 - a * a))
    }

    @Test func `the two-layer chain of a sum is ones, weights and inputs`() {
        // L = Σ Y₂: dW₂ = Y₁ᵀ·1, dW₁ = Xᵀ·1·W₂ᵀ.
        let pass = Pass([3, 6, 4], rows: 5)
        let gradients = pass.gradientsOfSum()
        let (w1, w2) = (pass.weight(0), pass.weight(1))
        for i in 0..<6 {
            let column = pass.x.map { row in (0..<3).map { row[$0] * w1[$0][i] }.reduce(0, +) }.reduce(0, +)
            for j in 0..<4 { Self.expectClose(gradients[1][i * 4 + j], column) }
        }
        for i in 0..<3 {
            let inputs = pass.x.map { $0[i] }.reduce(0, +)
            for j in 0..<6 { Self.expectClose(gradients[0][i * 6 + j], inputs * w2[j].reduce(0, +)) }
        }
    }

    @Test(arguments: [Activation.tanh, .sigmoid, .softplus])
    func `the diagonal Jacobian is the elementwise product`(activation: Activation) {
        // One row through one hidden layer: dW₁ = xᵀ·(diag(f′(y₁))·W₂·dY₂), with the Jacobian written out.
        let pass = Pass([3, 5, 2], rows: 1, activation: activation)
        let targets = [[0.25, -0.5]]
        let (w1, w2, x) = (pass.weight(0), pass.weight(1), pass.x[0])
        let y1 = (0..<5).map { j in (0..<3).map { x[$0] * w1[$0][j] }.reduce(0, +) }
        let sigmoid = y1.map { ElementaryFunction.sigmoid($0) }
        let (a, slope): ([Double], [Double]) =
            switch activation {
            case .tanh:
                (
                    y1.map { ElementaryFunction.tanh($0) },
                    y1.map { 1 - ElementaryFunction.tanh($0) * ElementaryFunction.tanh($0) }
                )
            case .sigmoid: (sigmoid, sigmoid.map { $0 * (1 - $0) })
            default: (y1.map { ElementaryFunction.softplus($0) }, sigmoid)
            }
        let jacobian = (0..<5).map { i in (0..<5).map { i == $0 ? slope[i] : 0 } }
        // mse of two outputs: 2(y − t)/2.
        let error = (0..<2).map { (k: Int) -> Double in (0..<5).reduce(-targets[0][k]) { $0 + a[$1] * w2[$1][k] } }
        let behind = (0..<5).map { j in (0..<2).map { w2[j][$0] * error[$0] }.reduce(0, +) }
        let before = (0..<5).map { j in (0..<5).map { behind[$0] * jacobian[$0][j] }.reduce(0, +) }
        let gradients = Double.values(of: pass.gradients(targets: targets)[0].weight)
        for i in 0..<3 {
            for j in 0..<5 { Self.expectClose(gradients[i * 5 + j], x[i] * before[j]) }
        }
    }

    @Test func `the plane touches the loss, and what it misses shrinks as the square of the step`() {
        let pass = Pass([4, 6, 3], rows: 7, activation: .tanh, bias: true)
        var numbers = SmallNumbers<Double>(seed: 12)
        let targets = (0..<7).map { _ in numbers.take(3) }
        let gradients = pass.gradients(targets: targets)
        let direction = pass.parameters.map { numbers.take(Double.values(of: $0.weight).count) }
        func loss(_ step: Double) -> Double {
            var moved = pass.parameters
            for l in moved.indices {
                let weights = Double.values(of: moved[l].weight)
                let values = zip(weights, direction[l]).map { (weight: Double, along: Double) in weight + step * along }
                moved[l].weight = Double.tensor(values, shape: moved[l].weight.shape)
            }
            let errors: [Double] = zip(pass.outputs(moved).joined(), targets.joined()).map { $0 - $1 }
            return errors.reduce(0) { $0 + $1 * $1 } / 21
        }
        var slope = 0.0
        for (gradient, direction) in zip(gradients, direction) {
            for (value, along) in zip(Double.values(of: gradient.weight), direction) { slope += value * along }
        }
        let misses = (4..<10).map { power -> Double in
            let step = 1 / Double(1 << power)
            return loss(step) - loss(0) - slope * step
        }
        // Each halving of the step quarters what is missed; the third order shows as a deviation that halves with it.
        for (wide, narrow) in zip(misses, misses.dropFirst()) { #expect(abs(wide / narrow - 4) < 0.35) }
        #expect(abs(misses[4] / misses[5] - 4) < 0.02)
    }

    @Test func `shards are summed and divided once, also where they are uneven`() {
        // Means of shard means would weigh the rows of a short shard more.
        let pass = Pass([3, 4], rows: 7)
        let targets = pass.x.map { [$0[0], $0[1], $0[2], 1] }
        let y = pass.outputs(pass.parameters)
        let expected = (0..<12).map { place -> Double in
            let (i, j) = (place / 4, place % 4)
            var sum = 0.0
            for row in 0..<7 { sum += pass.x[row][i] * 2 * (y[row][j] - targets[row][j]) / 4 }
            return sum / 7
        }
        for shards in [1, 2, 3, 4, 8] {
            let step = TrainingStep<Double>(
                network: pass.network, loss: LossFunction(type: .mse, outputs: 4), optimizer: .plain(lr: 1),
                batchSize: 7, shards: Shards(batchSize: 7, configured: shards), seed: 0, workers: Workers(count: 1))
            step.load(pass.parameters, optimizer: OptimizerState())
            _ = pass.withBatch(targets: targets) { step.run($0, step: 0, rate: 1) }
            let before = Double.values(of: pass.parameters[0].weight)
            let after = Double.values(of: step.parameters()[0].weight)
            for place in 0..<12 { Self.expectClose(before[place] - after[place], expected[place]) }
        }
    }
}
