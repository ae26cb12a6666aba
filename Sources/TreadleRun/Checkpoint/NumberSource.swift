internal import Synchronization
package import TreadleBase
package import TreadleModel

/// The numbers of an array, looked at a part at a time: in memory, or in a file that may be larger than memory.
package struct NumberSource: Sendable {
    /// Numbers in a block: a constant, so that sums over blocks do not depend on the number of threads.
    package static let block = 1 << 15

    package let shape: [Int]
    package let number: NumberType
    private let place: Place

    private enum Place: Sendable {
        case memory(Tensor)
        case file(SealedFile, offset: Int)
    }

    package init(_ tensor: Tensor) {
        shape = tensor.shape
        switch tensor.storage {
        case .float32: number = .float32
        case .float64: number = .float64
        }
        place = .memory(tensor)
    }

    init(_ place: ArrayPlace, in file: SealedFile) {
        shape = place.shape
        number = place.number
        self.place = .file(file, offset: place.offset)
    }

    package var count: Int { shape.reduce(1, *) }

    /// Hands out the elements in `range`, which are of type `S`: this source's.
    package func withNumbers<S: Scalar, Result>(
        _ range: Range<Int>, as: S.Type, _ body: (UnsafeBufferPointer<S>) throws -> Result
    ) throws -> Result {
        precondition(S.number == number, "numbers are handed out in the type that they are stored in")
        switch place {
        case .memory(let tensor):
            return try unsafe S.values(of: tensor).withUnsafeBufferPointer {
                try unsafe body(UnsafeBufferPointer(rebasing: $0[range]))
            }
        case .file(let file, let offset):
            let numbers = UnsafeMutableBufferPointer<S>.allocate(capacity: range.count)
            defer { unsafe numbers.deallocate() }
            try unsafe file.read(
                at: offset + range.lowerBound * number.size, into: UnsafeMutableRawBufferPointer(numbers))
            return try unsafe body(UnsafeBufferPointer(numbers))
        }
    }

    /// Calls `body` with each block of `size` elements, in any order and on all cores; `task` counts the blocks.
    package func forEachBlock<S: Scalar>(
        of size: Int, as: S.Type, workers: Workers,
        _ body: (_ task: Int, _ worker: Int, _ numbers: UnsafeBufferPointer<S>) -> Void
    ) throws {
        try workers.forEachTrying((count + size - 1) / size) { task, worker in
            try unsafe withNumbers(task * size..<min((task + 1) * size, count), as: S.self) {
                unsafe body(task, worker, $0)
            }
        }
    }
}

extension NumberSource {
    /// The indices of the first NaN or infinity, row-major; nil where all are finite.
    func firstNonFinite(workers: Workers) throws -> [Int]? {
        switch number {
        case .float32: try firstNonFinite(as: Float.self, workers)
        case .float64: try firstNonFinite(as: Double.self, workers)
        }
    }

    private func firstNonFinite<S: Scalar>(as: S.Type, _ workers: Workers) throws -> [Int]? {
        let first = Mutex<Int?>(nil)
        try unsafe forEachBlock(of: NumberSource.block, as: S.self, workers: workers) { task, _, numbers in
            guard let index = unsafe numbers.firstNonFinite else { return }
            first.withLock { $0 = min($0 ?? .max, task * NumberSource.block + index) }
        }
        return first.withLock { $0 }.map(shape.position)
    }
}

extension SHA256 {
    /// Adds all numbers, row-major little-endian.
    mutating func add(_ numbers: NumberSource) throws {
        switch numbers.number {
        case .float32: try add(numbers, as: Float.self)
        case .float64: try add(numbers, as: Double.self)
        }
    }

    private mutating func add<S: Scalar>(_ numbers: NumberSource, as: S.Type) throws {
        let count = numbers.count
        for start in stride(from: 0, to: count, by: 1 << 18) {
            try unsafe numbers.withNumbers(start..<min(start + 1 << 18, count), as: S.self) { part in
                add(unsafe part.span.bytes)
            }
        }
    }
}
