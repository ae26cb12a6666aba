/// Units and inputs of a layer to which the optimizer's memory knows no gradient.
///
/// Momentum and means of squares shrink by a factor with every update without a gradient: what has come down this far
/// has had none for hundreds of updates.
struct SilentGradients {
    private(set) var units: Set<Int> = []
    private(set) var inputs: [Int] = []

    private static let silence = 1e-30
    /// Too few updates say nothing.
    private static let updates = 100

    init(of layer: Int, in optimizer: OptimizerState, workers: Workers) {
        guard optimizer.step >= Self.updates else { return }
        // The first slot forgets fastest: Adam's squares remember for ten thousand updates.
        guard let slot = optimizer.slots.first?.layers[layer] else { return }
        let sizes = Sizes(slot.weight, workers: workers)
        guard sizes.columns.contains(where: { $0 > Self.silence }) else { return }
        let biases = slot.bias.map { Double.values(of: $0).map(abs) }
        units = Set(
            sizes.columns.indices.filter { unit in
                sizes.columns[unit] <= Self.silence && biases.map { $0[unit] <= Self.silence } ?? true
            })
        inputs = sizes.rows.indices.filter { sizes.rows[$0] <= Self.silence }
    }

    /// The largest number of each row and column, by its size.
    private struct Sizes {
        var rows: [Double]
        var columns: [Double]

        init(_ tensor: Tensor, workers: Workers) {
            switch tensor.storage {
            case .float32(let values): self.init(values, tensor.shape, workers)
            case .float64(let values): self.init(values, tensor.shape, workers)
            }
        }

        private init<S: Scalar>(_ values: [S], _ shape: [Int], _ workers: Workers) {
            let (inputs, units) = (shape[0], shape[1])
            let height = 256
            let tasks = (inputs + height - 1) / height
            var rows = [Double](repeating: 0, count: inputs)
            var parts = [[S]](repeating: [], count: tasks)
            unsafe values.withUnsafeBufferPointer { values in
                unsafe rows.withUnsafeMutableBufferPointer { rows in
                    unsafe parts.withUnsafeMutableBufferPointer { parts in
                        // Each task has its own rows and its own largest of each column.
                        workers.forEach(tasks) { task, _ in
                            var columns = [S](repeating: 0, count: units)
                            for row in task * height..<min((task + 1) * height, inputs) {
                                var largest: S = 0
                                for unit in 0..<units {
                                    let size = unsafe values[row * units + unit].magnitude
                                    if size > largest { largest = size }
                                    if size > columns[unit] { columns[unit] = size }
                                }
                                unsafe rows[row] = Double(largest)
                            }
                            unsafe parts[task] = columns
                        }
                    }
                }
            }
            self.rows = rows
            columns = (0..<units).map { unit in parts.reduce(0) { max($0, Double($1[unit])) } }
        }
    }
}
