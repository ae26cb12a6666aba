internal import TreadleBase
internal import TreadleModel
internal import TreadleRun

/// A layer's units by their weights: what each can sum up to, and how large its weights are.
struct WeightColumns {
    /// Bounds of each unit's weighted sum, bias included, over all inputs within their own bounds.
    private(set) var sums: [ClosedRange<Double>]
    /// The root of the sum of each unit's squared weights.
    private(set) var norms: [Double]
    /// Units that are equal to an earlier one, the bias included.
    private(set) var twins: [Int] = []
    private var biases: [Double]

    fileprivate struct Column {
        var low = 0.0
        var high = 0.0
        var squares = 0.0
        var fingerprint: UInt64 = 0
    }

    init(_ layer: CheckpointNumbers.LayerNumbers, inputs: [ClosedRange<Double>], workers: Workers) throws {
        let units = layer.weight.shape[1]
        biases = try layer.bias.map { try $0.doubles() } ?? [Double](repeating: 0, count: units)
        let columns =
            switch layer.weight.number {
            case .float32: try Self.columns(of: layer.weight, as: Float.self, inputs, workers)
            case .float64: try Self.columns(of: layer.weight, as: Double.self, inputs, workers)
            }
        norms = columns.map { $0.squares.squareRoot() }
        sums = zip(columns, biases).map { column, bias in
            let (low, high) = (column.low + bias, column.high + bias)
            // Sums beyond the doubles' range bound nothing.
            return low <= high ? low...high : -.infinity ... .infinity
        }
        var seen: Set<[UInt64]> = []
        for (unit, column) in columns.enumerated() where column.squares > 0 {
            let identity = [column.fingerprint, column.squares.bitPattern, biases[unit].bitPattern]
            if !seen.insert(identity).inserted { twins.append(unit) }
        }
    }

    /// Whether a unit gives the same whatever the inputs are.
    func isStill(_ unit: Int) -> Bool { sums[unit].lowerBound == sums[unit].upperBound }

    /// Whether a unit's sum is beyond `end`, to either side, for nearly all inputs: of all inputs within their bounds,
    /// or, where inputs are known to be about 1 in size, of those.
    func isBeyond(_ end: Double, unit: Int, hasKnownScale: Bool) -> Bool {
        if isStill(unit) { return false }
        if sums[unit].lowerBound > end || sums[unit].upperBound < -end { return true }
        // A sum of independent inputs spreads by the norm: two of it leave the bias, or one in ten falls between the ends.
        return hasKnownScale && (abs(biases[unit]) > end + 2 * norms[unit] || norms[unit] > 8 * end)
    }

    private static func columns<S: Scalar>(
        of weights: NumberSource, as: S.Type, _ inputs: [ClosedRange<Double>], _ workers: Workers
    ) throws -> [Column] {
        let units = weights.shape[1]
        // Columns of a task lie side by side in memory: it reads whole cache lines of each row.
        let width = 64
        // Rows at a time: some megabytes.
        let height = max(1, (1 << 20) / units)
        var columns = [Column](repeating: Column(), count: units)
        for top in stride(from: 0, to: inputs.count, by: height) {
            let rows = top..<min(top + height, inputs.count)
            try unsafe weights.withNumbers(rows.lowerBound * units..<rows.upperBound * units, as: S.self) { weights in
                unsafe columns.withUnsafeMutableBufferPointer { columns in
                    // Each column has its own sums, added from the first row to the last; no two tasks touch the same.
                    workers.forEach((units + width - 1) / width) { task, _ in
                        let range = task * width..<min((task + 1) * width, units)
                        for row in rows {
                            let bounds = inputs[row]
                            for unit in range {
                                unsafe columns[unit].add(Double(weights[(row - top) * units + unit]), bounds)
                            }
                        }
                    }
                }
            }
        }
        return columns
    }
}

extension NumberSource {
    /// All of them, for arrays that are known to be small.
    fileprivate func doubles() throws -> [Double] {
        switch number {
        case .float32: try unsafe withNumbers(0..<count, as: Float.self) { unsafe $0.map { Double($0) } }
        case .float64: try unsafe withNumbers(0..<count, as: Double.self) { unsafe Array($0) }
        }
    }
}

extension WeightColumns.Column {
    fileprivate mutating func add(_ weight: Double, _ input: ClosedRange<Double>) {
        fingerprint = (fingerprint ^ weight.bitPattern) &* 0x9e37_79b9_7f4a_7c15
        fingerprint ^= fingerprint >> 29
        squares += weight * weight
        // Zero times infinity is nothing here.
        guard weight != 0 else { return }
        let ends = weight > 0 ? (input.lowerBound, input.upperBound) : (input.upperBound, input.lowerBound)
        if ends.0 != 0 { low += weight * ends.0 }
        if ends.1 != 0 { high += weight * ends.1 }
    }
}
