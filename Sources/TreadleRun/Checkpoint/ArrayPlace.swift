internal import HDF5
internal import TreadleBase
internal import TreadleModel

/// Where in a checkpoint's image an array of numbers lies, in one piece and little-endian.
struct ArrayPlace: Codable, Equatable, Sendable {
    var shape: [Int]
    var number: NumberType
    /// Bytes from the image's beginning.
    var offset: Int

    /// Nil where that is more than can be counted.
    var byteCount: Int? { shape.boundedProduct(times: number.size) }

    /// The whole array.
    func tensor(in file: SealedFile) throws -> Tensor {
        switch number {
        case .float32: Tensor(shape: shape, storage: .float32(try elements(in: file)))
        case .float64: Tensor(shape: shape, storage: .float64(try elements(in: file)))
        }
    }

    /// On all cores where there are many: most of the time goes by while fresh memory is touched for the first time.
    private func elements<S: Scalar>(in file: SealedFile) throws -> [S] {
        try unsafe Array(unsafeUninitializedCapacity: shape.reduce(1, *)) { elements, count in
            nonisolated(unsafe) let bytes = UnsafeMutableRawBufferPointer(elements)
            unsafe LargePages.prefer(in: bytes)
            let size = 2 * LargePages.size
            let pieces = unsafe max(1, (bytes.count + size - 1) / size)
            try Workers(count: pieces > 1 ? Cores.available : 1).forEachTrying(pieces) { piece, _ in
                let part = unsafe piece * size..<min((piece + 1) * size, bytes.count)
                try unsafe file.read(
                    at: offset + part.lowerBound, into: UnsafeMutableRawBufferPointer(rebasing: bytes[part]))
            }
            count = elements.count
        }
    }
}
