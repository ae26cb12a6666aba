import CKernels
@testable import TreadleBase
@testable import TreadleEngine
@testable import TreadleModel

/// The step as plain loops in the order that the contract states: what the kernels must equal, bit for bit.
///
/// Activations, dropout and losses are taken from the kernels, row by row: they have tests of their own.
struct NaiveStep<S: Scalar & EngineScalar> {
    var network: Network
    var loss: LossFunction
    var weights: [[[S]]]  // layer, input, unit
    var biases: [[S]?]
    var seed: UInt64 = 0

    var lossSum = 0.0
    var weightSum = 0.0

    init(network: Network, loss: LossFunction, parameters: [LayerParameters]) {
        self.network = network
        self.loss = loss
        weights = zip(network.layers, parameters).map { layer, parameters in
            let values = S.values(of: parameters.weight)
            return (0..<layer.inputs).map { Array(values[$0 * layer.units..<($0 + 1) * layer.units]) }
        }
        biases = parameters.map { $0.bias.map { S.values(of: $0) } }
    }

    var parameters: [LayerParameters] {
        zip(network.layers, zip(weights, biases)).map { layer, values in
            LayerParameters(
                name: layer.name, weight: S.tensor(values.0.flatMap { $0 }, shape: [layer.inputs, layer.units]),
                bias: values.1.map { S.tensor($0, shape: [layer.units]) })
        }
    }

    /// The gradients' sums over the batch, in the fixed order.
    mutating func gradients(
        x: [[S]], batch: TestBatch<S>, shards: Shards, step: Int
    ) -> (weights: [[[S]]], biases: [[S]]) {
        let rows = x.count
        var inputs = [[[S]]]()
        var activated = [[[S]]]()
        var kept = [[[S]]]()
        var masks = [[[S]]]()
        let read = operands(of: weights)
        var current = x.map(operands)
        for (l, layer) in network.layers.enumerated() {
            inputs.append(current)
            var a = current.map { row in (0..<layer.units).map { forward(layer: l, row: row, unit: $0, weights: read) }
            }
            var k = a
            var m = a
            for r in 0..<rows {
                S.activate(layer.activation.kernel, &a[r], &k[r])
                if layer.dropout > 0 {
                    m[r] = S.mask(
                        ck_dropout(seed: seed, step: UInt64(step), layer: UInt32(l), rate: layer.dropout), row: r,
                        count: layer.units)
                }
            }
            activated.append(a)
            kept.append(k)
            masks.append(m)
            current = a
            if layer.dropout > 0 { for r in 0..<rows { current[r] = zip(a[r], m[r]).map { $0 * $1 } } }
            if l + 1 < network.layers.count { current = current.map(operands) }
        }
        var delta = current
        let (losses, rowWeights) = S.losses(loss, batch: batch, outputs: &delta)
        delta = delta.map(operands)
        lossSum = tree(shards, rows: rows) { ck_sum($0.count, Array(losses[$0])) }
        weightSum = tree(shards, rows: rows) { ck_sum($0.count, Array(rowWeights[$0])) }
        var sums = (weights: weights, biases: biases.map { $0 ?? [] })
        for l in network.layers.indices.reversed() {
            let layer = network.layers[l]
            for j in 0..<layer.units {
                for i in 0..<layer.inputs {
                    sums.weights[l][i][j] = tree(shards, rows: rows) { rows in
                        chain(rows) { (inputs[l][$0][i], delta[$0][j]) }
                    }
                }
                if biases[l] != nil {
                    sums.biases[l][j] = tree(shards, rows: rows) { chain($0) { (1, delta[$0][j]) } }
                }
            }
            guard l > 0 else { break }
            let below = network.layers[l - 1]
            var next = delta.map { row in
                (0..<layer.inputs).map { i in chain(0..<layer.units) { (row[$0], read[l][i][$0]) } }
            }
            for r in 0..<rows {
                if below.dropout > 0 { next[r] = zip(next[r], masks[l - 1][r]).map { $0 * $1 } }
                S.derive(below.activation.kernel, activated[l - 1][r], kept[l - 1][r], &next[r])
            }
            delta = next.map(operands)
        }
        return sums
    }

    /// One step of plain gradient descent.
    mutating func descend(x: [[S]], batch: TestBatch<S>, shards: Shards, rate: Double, step: Int) {
        let sums = gradients(x: x, batch: batch, shards: shards, step: step)
        let scale = S(1 / weightSum)
        for l in network.layers.indices {
            for i in weights[l].indices {
                for j in weights[l][i].indices {
                    weights[l][i][j] = weights[l][i][j].addingProduct(-S(rate), sums.weights[l][i][j] * scale)
                }
            }
            if var bias = biases[l] {
                for j in bias.indices { bias[j] = bias[j].addingProduct(-S(rate), sums.biases[l][j] * scale) }
                biases[l] = bias
            }
        }
    }

    /// The outputs of rows, without dropout.
    func outputs(_ x: [[S]]) -> [[S]] {
        let read = operands(of: weights)
        var current = x
        for (l, layer) in network.layers.enumerated() {
            current = current.map { row in
                let row = operands(row)
                var a = (0..<layer.units).map { forward(layer: l, row: row, unit: $0, weights: read) }
                var kept = a
                S.activate(layer.activation.kernel, &a, &kept)
                return a
            }
        }
        return current
    }

    /// The sum of products over `k`: one chain, or with bfloat16 an even and an odd chain for each 32 of them, three times
    /// where operands have a high and a low part.
    private func chain(_ k: Range<Int>, _ factors: (Int) -> (S, S)) -> S {
        guard network.precision.roundsOperands else {
            return k.reduce(S.zero) { $0.addingProduct(factors($1).0, factors($1).1) }
        }
        var sum = S.zero
        for block in stride(from: k.lowerBound, to: k.upperBound, by: 32) {
            let products = (block..<min(block + 32, k.upperBound)).map(factors)
            let terms: [[(S, S)]]
            if network.precision == .bfloat16 {
                terms = [products]
            } else {
                let parts = products.map { (a: split($0.0), b: split($0.1)) }
                terms = [
                    parts.map { ($0.a.high, $0.b.high) }, parts.map { ($0.a.high, $0.b.low) },
                    parts.map { ($0.a.low, $0.b.high) },
                ]
            }
            for term in terms {
                var chains = [S.zero, S.zero]
                for (place, (a, b)) in term.enumerated() {
                    chains[place % 2] = chains[place % 2].addingProduct(a, b)
                }
                sum += chains[0] + chains[1]
            }
        }
        return sum
    }

    private func split(_ value: S) -> (high: S, low: S) {
        let high = Float(value).roundedToBFloat16
        return (S(high), S((Float(value) - high).roundedToBFloat16))
    }

    /// Numbers as products read them. Float32 and Float64 drop only numbers that are far smaller than any here, and
    /// bfloat16x3 splits them where they are multiplied.
    private func operands(_ values: [S]) -> [S] {
        guard network.precision == .bfloat16 else { return values }
        return values.map { S(Float($0).roundedToBFloat16) }
    }

    private func operands(of weights: [[[S]]]) -> [[[S]]] { weights.map { $0.map(operands) } }

    private func forward(layer l: Int, row: [S], unit: Int, weights: [[[S]]]) -> S {
        let layer = network.layers[l]
        let bias = biases[l]?[unit]
        if layer.units >= 4 || network.precision.roundsOperands {
            let sum = chain(0..<layer.inputs) { (row[$0], weights[l][$0][unit]) }
            return bias.map { sum + $0 } ?? sum
        }
        // Narrow: element k in lane k mod 128 bytes, lanes meet by halves.
        let lanes = 128 / MemoryLayout<S>.stride
        var sums = [S](repeating: 0, count: lanes)
        for k in 0..<(layer.inputs + lanes - 1) / lanes * lanes {
            let (value, weight) = k < layer.inputs ? (row[k], weights[l][k][unit]) : (0, 0)
            sums[k % lanes] = sums[k % lanes].addingProduct(value, weight)
        }
        var half = lanes / 2
        while half > 0 {
            for lane in 0..<half { sums[lane] += sums[lane + half] }
            half /= 2
        }
        return sums[0] + (bias ?? 0)
    }

    /// One chain for each shard, then neighbours in pairs; an odd one waits for the next round.
    private func tree<N: BinaryFloatingPoint>(_ shards: Shards, rows: Int, _ sum: (Range<Int>) -> N) -> N {
        var level = (0..<shards.count).map { s in
            sum(shards.start(of: s, rows: rows)..<shards.start(of: s + 1, rows: rows))
        }
        while level.count > 1 {
            level = stride(from: 0, to: level.count, by: 2).map {
                $0 + 1 < level.count ? level[$0] + level[$0 + 1] : level[$0]
            }
        }
        return level[0]
    }
}

extension Float {
    /// The nearest number with eight bits of significand, of two the even one; +0 below 2⁻⁵⁶. By the bits: the arithmetic
    /// below, which says it plainly, takes a hundred times as long.
    var roundedToBFloat16: Float {
        guard isFinite else { return self }
        let rounded = Float(bitPattern: (bitPattern &+ 0x7fff &+ (bitPattern >> 16 & 1)) & 0xffff_0000)
        return rounded.magnitude < 0x1p-56 ? 0 : rounded
    }

    /// The same by arithmetic.
    var plainlyRoundedToBFloat16: Float {
        guard isFinite, magnitude >= 0x1p-57 else { return isFinite ? 0 : self }
        // The last of its eight bits.
        let unit = Double(sign: .plus, exponent: Int(exponent) - 7, significand: 1)
        let rounded = Float((Double(self) / unit).rounded(.toNearestOrEven) * unit)
        return rounded.magnitude < 0x1p-56 ? 0 : rounded
    }
}

/// The kernels' functions on rows, by number type.
protocol EngineScalar {
    static func activate(_ f: ck_activation, _ a: inout [Self], _ kept: inout [Self])
    static func derive(_ f: ck_activation, _ a: [Self], _ kept: [Self], _ d: inout [Self])
    static func mask(_ dropout: ck_dropout, row: Int, count: Int) -> [Self]
    static func lossRows(
        _ loss: ck_loss, _ targets: ck_targets, rows: Int, y: UnsafeMutablePointer<Self>, stride: Int,
        losses: UnsafeMutablePointer<Double>, weights: UnsafeMutablePointer<Double>)
}

extension EngineScalar where Self: Scalar {
    /// Turns outputs into their errors; returns the rows' losses and weights.
    static func losses(
        _ loss: LossFunction, batch: TestBatch<Self>, outputs: inout [[Self]]
    ) -> ([Double], [Double]) {
        let width = loss.outputs
        var flat = outputs.flatMap { $0 }
        var losses = [Double](repeating: 0, count: outputs.count)
        var weights = losses
        (loss.classWeights ?? []).map { Self($0) }.withUnsafeBufferPointer { classWeights in
            let c = ck_loss(
                loss, classWeights: loss.classWeights == nil ? nil : UnsafeRawPointer(classWeights.baseAddress))
            lossRows(
                c, batch.ckTargets, rows: outputs.count, y: &flat, stride: width, losses: &losses, weights: &weights)
        }
        for r in outputs.indices { outputs[r] = Array(flat[r * width..<(r + 1) * width]) }
        return (losses, weights)
    }
}

extension Float: EngineScalar {
    static func activate(_ f: ck_activation, _ a: inout [Float], _ kept: inout [Float]) {
        ck_activate_f32(f, a.count, &a, &kept)
    }
    static func derive(_ f: ck_activation, _ a: [Float], _ kept: [Float], _ d: inout [Float]) {
        ck_derive_f32(f, a.count, a, kept, &d)
    }
    static func mask(_ dropout: ck_dropout, row: Int, count: Int) -> [Float] {
        var mask = [Float](repeating: 0, count: count)
        withUnsafePointer(to: dropout) { ck_dropout_mask_f32($0, row, count, &mask) }
        return mask
    }
    static func lossRows(
        _ loss: ck_loss, _ targets: ck_targets, rows: Int, y: UnsafeMutablePointer<Float>, stride: Int,
        losses: UnsafeMutablePointer<Double>, weights: UnsafeMutablePointer<Double>
    ) {
        var (loss, targets) = (loss, targets)
        ck_loss_rows_f32(&loss, CK_OUTPUT_ERROR, &targets, 0, rows, y, stride, losses, weights)
    }
}

extension Double: EngineScalar {
    static func activate(_ f: ck_activation, _ a: inout [Double], _ kept: inout [Double]) {
        ck_activate_f64(f, a.count, &a, &kept)
    }
    static func derive(_ f: ck_activation, _ a: [Double], _ kept: [Double], _ d: inout [Double]) {
        ck_derive_f64(f, a.count, a, kept, &d)
    }
    static func mask(_ dropout: ck_dropout, row: Int, count: Int) -> [Double] {
        var mask = [Double](repeating: 0, count: count)
        withUnsafePointer(to: dropout) { ck_dropout_mask_f64($0, row, count, &mask) }
        return mask
    }
    static func lossRows(
        _ loss: ck_loss, _ targets: ck_targets, rows: Int, y: UnsafeMutablePointer<Double>, stride: Int,
        losses: UnsafeMutablePointer<Double>, weights: UnsafeMutablePointer<Double>
    ) {
        var (loss, targets) = (loss, targets)
        ck_loss_rows_f64(&loss, CK_OUTPUT_ERROR, &targets, 0, rows, y, stride, losses, weights)
    }
}
