/// Where one chunk of a dataset is stored.
package struct H5Chunk: Equatable, Sendable {
    /// Its first element's coordinates.
    package var origin: [Int]
    /// Bit n set: the dataset's filter n was not applied to it.
    package var filterMask: UInt32
    /// Counted from byte 0 of the file, user block included.
    package var address: Int
    /// Bytes in the file, after filters.
    package var size: Int
}

/// The chunks that a dataset has stored, in row-major order of their origins. Those never written are missing.
package struct H5ChunkTable: RandomAccessCollection, Sendable {
    package let dimensions: Int
    private var origins: [Int] = []
    private var masks: [UInt32] = []
    private var addresses: [Int] = []
    private var sizes: [Int] = []

    package var startIndex: Int { 0 }
    package var endIndex: Int { addresses.count }

    package subscript(index: Int) -> H5Chunk {
        H5Chunk(
            origin: Array(origins[index * dimensions..<(index + 1) * dimensions]), filterMask: masks[index],
            address: addresses[index], size: sizes[index])
    }

    init(dimensions: Int) { self.dimensions = dimensions }

    mutating func append(origin: some Sequence<Int>, filterMask: UInt32, address: Int, size: Int) {
        origins.append(contentsOf: origin)
        masks.append(filterMask)
        addresses.append(address)
        sizes.append(size)
    }
}
