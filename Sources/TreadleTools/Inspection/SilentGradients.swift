internal import TreadleBase
internal import TreadleModel
internal import TreadleRun

/// Units and inputs of a layer to which the optimizer's memory knows no gradient.
///
/// Momentum and means of squares shrink by a factor with every update without a gradient: what has come down this far
/// has had none for hundreds of updates.
struct SilentGradients {
    private(set) var units: Set<Int> = []
    private(set) var inputs: [Int] = []

    private static let silence = 1e-30
    /// After fewer updates than this, a small memory says nothing about gradients.
    private static let updates = 100

    /// `memory` is of the slot that forgets fastest, which is the first: Adam's squares remember ten thousand updates.
    init(_ memory: CheckpointNumbers.LayerNumbers?, updates: Int, workers: Workers) throws {
        guard updates >= Self.updates, let memory else { return }
        let sizes = try Sizes(memory.weight, workers: workers)
        guard sizes.columns.contains(where: { $0 > Self.silence }) else { return }
        let biases = try memory.bias.map { try Sizes($0, workers: workers).columns }
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

        init(_ numbers: NumberSource, workers: Workers) throws {
            switch numbers.number {
            case .float32: try self.init(numbers, as: Float.self, workers)
            case .float64: try self.init(numbers, as: Double.self, workers)
            }
        }

        private init<S: Scalar>(_ numbers: NumberSource, as: S.Type, _ workers: Workers) throws {
            let units = numbers.shape[numbers.shape.count - 1]
            // Rows of a task: a megabyte or so.
            let height = max(1, (1 << 18) / units)
            var rows = [Double](repeating: 0, count: numbers.count / units)
            var largest = [[S]](repeating: [S](repeating: 0, count: units), count: workers.count)
            try unsafe rows.withUnsafeMutableBufferPointer { rows in
                try unsafe largest.withUnsafeMutableBufferPointer { largest in
                    // Each task has its own rows, each worker its own largest of each column.
                    try unsafe numbers.forEachBlock(of: height * units, as: S.self, workers: workers) {
                        task, worker, values in
                        unsafe largest[worker].withUnsafeMutableBufferPointer { columns in
                            for row in 0..<values.count / units {
                                var most: S = 0
                                for unit in 0..<units {
                                    let size = unsafe values[row * units + unit].magnitude
                                    if size > most { most = size }
                                    if unsafe size > columns[unit] { unsafe columns[unit] = size }
                                }
                                unsafe rows[task * height + row] = Double(most)
                            }
                        }
                    }
                }
            }
            self.rows = rows
            columns = (0..<units).map { unit in largest.reduce(0) { max($0, Double($1[unit])) } }
        }
    }
}
