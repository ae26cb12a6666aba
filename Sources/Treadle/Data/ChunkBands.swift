internal import HDF5

/// Bands of chunks that are read as bytes and decoded here, on as many cores as ask, without libhdf5's lock.
///
/// A band is all chunks that cover the same rows; where chunks cut rows, the pieces are put together.
final class ChunkBands: BandSource {
    let number: StoredNumber
    let bandRows: Int
    let bandBytes: Int
    private let dataset: H5Dataset
    private let file: DataFile
    private let pipeline: ChunkPipeline
    private let shape: [Int]
    private let chunk: [Int]
    /// How many chunks lie beside each other in every dimension but the first, and in all of them.
    private let beside: [Int]
    private let chunksPerBand: Int
    /// The stored chunks by their number in row-major order; nil where libhdf5 has to find each.
    private let index: ChunkIndex?
    /// For what is not decoded here: chunks that were never written, and a second opinion on damaged ones.
    private let library: LibraryBands

    private struct ChunkIndex: Sendable {
        /// Ascending, with each chunk's place in the table beside it.
        var numbers: [Int]
        var places: [Int]
        var table: H5ChunkTable
    }

    /// Nil where libhdf5 has to read the dataset.
    init?(_ dataset: H5Dataset, _ file: DataFile) throws {
        guard case .chunked(let chunk) = dataset.storage, let number = StoredNumber(dataset.type),
            let chunkBytes = chunk.boundedProduct(times: number.size),
            let pipeline = ChunkPipeline(dataset.filters, size: chunkBytes, element: number.size)
        else { return nil }
        self.dataset = dataset
        self.file = file
        self.number = number
        self.pipeline = pipeline
        self.chunk = chunk
        shape = dataset.shape
        bandRows = chunk[0]
        bandBytes = bandRows * dataset.rowLength * number.size
        let beside = zip(shape.dropFirst(), chunk.dropFirst()).map { ($0 + $1 - 1) / $1 }
        self.beside = beside
        let chunksPerBand = beside.reduce(1, *)
        self.chunksPerBand = chunksPerBand
        library = LibraryBands(dataset, bandRows: bandRows)
        index = try dataset.chunks().map { table in
            let numbers = table.map { stored in
                zip(zip(stored.origin, chunk).dropFirst(), beside).reduce(stored.origin[0] / chunk[0]) {
                    $0 * $1.1 + $1.0.0 / $1.0.1
                }
            }
            let order = numbers.indices.sorted { numbers[$0] < numbers[$1] }
            return ChunkIndex(numbers: order.map { numbers[$0] }, places: order, table: table)
        }
    }

    func load(_ band: Int, into target: UnsafeMutableRawPointer) throws {
        for place in 0..<chunksPerBand {
            guard unsafe try decode(band, place, into: target) else {
                return unsafe try library.load(band, into: target)
            }
        }
    }

    /// Decodes one of a band's chunks to where its elements belong; false where libhdf5 has to.
    private func decode(_ band: Int, _ place: Int, into target: UnsafeMutableRawPointer) throws -> Bool {
        guard let (stored, mask) = unsafe try fetch(band, place) else { return false }
        defer { unsafe stored.deallocate() }
        if chunksPerBand == 1 && chunk.dropFirst() == shape.dropFirst() {
            return unsafe pipeline.decode(stored, mask: mask, into: target)
        }
        let whole = UnsafeMutableRawPointer.allocate(byteCount: max(pipeline.size, 1), alignment: 64)
        defer { unsafe whole.deallocate() }
        guard unsafe pipeline.decode(stored, mask: mask, into: whole) else { return false }
        unsafe scatter(whole, place, rows: min(bandRows, shape[0] - band * bandRows), into: target)
        return true
    }

    /// A chunk's bytes as they are stored; nil for one that was never written.
    private func fetch(_ band: Int, _ place: Int) throws -> (UnsafeMutableRawBufferPointer, mask: UInt32)? {
        guard let index else {
            let found: (bytes: [UInt8], filterMask: UInt32)?
            do {
                found = try dataset.readChunk(at: origin(band, place), byteLimit: max(4 * pipeline.size, 1 << 20))
            } catch {
                throw TreadleError(reading: error)
            }
            guard let found else { return nil }
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: found.bytes.count, alignment: 64)
            unsafe bytes.copyBytes(from: found.bytes)
            return unsafe (bytes, found.filterMask)
        }
        guard let at = index.numbers.firstIndex(ofSorted: band * chunksPerBand + place) else { return nil }
        let stored = index.table[index.places[at]]
        guard stored.address >= 0, stored.size >= 0, stored.size <= file.identity.size,
            stored.address <= file.identity.size - stored.size
        else {
            throw TreadleError(
                .badData,
                "\(file.path):\(dataset.path): a chunk should lie beyond the end of the file at byte \(stored.address); restore the whole file"
            )
        }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(stored.size, 1), alignment: 64)
        do {
            if let start = bytes.baseAddress {
                unsafe try file.read(start, offset: stored.address, size: stored.size)
            }
        } catch {
            unsafe bytes.deallocate()
            throw error
        }
        let exact = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[..<stored.size])
        return unsafe (exact, stored.filterMask)
    }

    /// The coordinates of the first element of one of a band's chunks.
    private func origin(_ band: Int, _ place: Int) -> [Int] {
        var rest = place
        var coordinates: [Int] = []
        for (count, extent) in zip(beside, chunk.dropFirst()).reversed() {
            coordinates.append(rest % count * extent)
            rest /= count
        }
        return [band * bandRows] + coordinates.reversed()
    }

    /// Copies the elements of a decoded chunk that lie within the dataset to their places in the band.
    private func scatter(
        _ whole: UnsafeMutableRawPointer, _ place: Int, rows: Int, into target: UnsafeMutableRawPointer
    ) {
        let size = number.size
        let first = Array(origin(0, place).dropFirst())
        let extents = Array(chunk.dropFirst())
        let limits = Array(shape.dropFirst())
        let counts = zip(zip(extents, limits), first).map { min($0.0, $0.1 - $1) }
        let rowBytes = dataset.rowLength * size
        let chunkRowBytes = extents.reduce(size, *)
        // Runs along the last dimension are what lies together in both.
        let run = counts[counts.count - 1] * size
        let runs = counts.dropLast().reduce(1, *)
        for number in 0..<runs {
            var (rest, from, to) = (number, 0, first[first.count - 1])
            var (fromStride, toStride) = (extents[extents.count - 1], limits[limits.count - 1])
            for dimension in (0..<counts.count - 1).reversed() {
                let coordinate = rest % counts[dimension]
                rest /= counts[dimension]
                from += coordinate * fromStride
                to += (first[dimension] + coordinate) * toStride
                fromStride *= extents[dimension]
                toStride *= limits[dimension]
            }
            for row in 0..<rows {
                unsafe (target + row * rowBytes + to * size).copyMemory(
                    from: whole + row * chunkRowBytes + from * size, byteCount: run)
            }
        }
    }
}

extension [Int] {
    /// The place of `value` in an ascending array.
    fileprivate func firstIndex(ofSorted value: Int) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == value ? low : nil
    }
}
