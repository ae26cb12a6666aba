internal import CDecode
internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// Rows of numbers as a file has them, made into a batch as the network wants it.
struct InputBlock<S: Scalar> {
    private let width: Int
    private let path: String
    private let transform: ColumnTransform
    private let number: StoredNumber
    private var rows = 0
    private var x: [S]

    init(capacity: Int, model: TrainedModel, path: String) {
        let normalization = model.saved.normalization
        width = model.saved.network.inputs
        self.path = path
        transform = ColumnTransform(inputs: normalization)
        number = S.number == .float32 ? .float : .double
        x = [S](repeating: 0, count: capacity * width)
    }

    /// Normalizes `count` rows of `values` from row `first`, which is row `number` of the file.
    mutating func take(_ values: [S], first: Int, count: Int, number row: Int) throws {
        rows = count
        let failed = unsafe values.withUnsafeBytes { source in
            unsafe x.withUnsafeMutableBufferPointer { target -> Int? in
                guard let from = source.baseAddress, let to = target.baseAddress else { return nil }
                for index in 0..<count {
                    let start = unsafe from + (first + index) * width * MemoryLayout<S>.size
                    guard unsafe transform.convert(start, number, width: width, into: to + index * width) else {
                        return index
                    }
                }
                return nil
            }
        }
        guard let failed else { return }
        let begin = (first + failed) * width
        let column = (0..<width).first { !values[begin + $0].isFinite } ?? 0
        throw TreadleError(
            .badData,
            "\(path): row \(row + failed + 1), input \(column + 1) is missing or not finite, and the model has nothing to put "
                + "in its place; clean the file, or train with data.non_finite set to \"impute_mean\"")
    }

    /// Lends the rows as a batch without targets.
    func withBatch<Result>(_ body: (Batch<S>) -> Result) -> Result {
        unsafe x.withUnsafeBufferPointer { x in
            guard let start = x.baseAddress else { preconditionFailure("a block holds at least one row") }
            let pointers = unsafe (0..<rows).map { unsafe start + $0 * width }
            return unsafe pointers.withUnsafeBufferPointer { pointers in
                guard let first = pointers.baseAddress else { preconditionFailure("a batch holds at least one row") }
                return unsafe body(
                    Batch(rows: rows, x: first, targets: .absent, weights: nil))
            }
        }
    }
}
