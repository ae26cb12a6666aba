internal import HDF5
internal import TreadleBase

/// Bands of chunks that are read as bytes and decoded here, on as many cores as ask, without libhdf5's lock.
///
/// A layer is all chunks that cover the same rows; where chunks cut rows, the pieces are put together.
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
    private let chunksPerLayer: Int
    /// Layers of chunks in a band: more than one where chunks are smaller than a page.
    private let stacked: Int
    let rows: Int
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
            let pipeline = dataset.pipeline, pipeline.isDecoded
        else { return nil }
        self.dataset = dataset
        self.file = file
        self.number = number
        self.pipeline = pipeline
        self.chunk = chunk
        shape = dataset.shape
        rows = dataset.shape[0]
        let layerBytes = chunk[0] * dataset.rowLength * number.size
        stacked = max(1, 4096 / max(layerBytes, 1))
        bandRows = chunk[0] * stacked
        bandBytes = layerBytes * stacked
        let beside = zip(shape.dropFirst(), chunk.dropFirst()).map { ($0 + $1 - 1) / $1 }
        self.beside = beside
        chunksPerLayer = beside.reduce(1, *)
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

    func load(_ band: Int, into target: UnsafeMutableRawPointer, _ scratch: ReadScratch) throws {
        let first = band * stacked
        let last = min(first + stacked, (shape[0] + chunk[0] - 1) / chunk[0])
        for layer in first..<last {
            let part = unsafe target + (layer - first) * (bandBytes / stacked)
            for place in 0..<chunksPerLayer {
                switch unsafe try decode(layer, place, into: part, scratch) {
                case .decoded: continue
                case .unwritten: return unsafe try library.load(band, into: target, scratch)
                case .damaged(let damage):
                    // libhdf5 has the last word, as it knows the mistakes that its older versions made. But it would read
                    // on behind the end of what is too short.
                    if !damage.isShort, unsafe (try? library.load(band, into: target, scratch)) != nil { return }
                    throw TreadleError(
                        .badData,
                        "\(file.path):\(dataset.path): the chunk at \(origin(layer, place)) cannot be read: \(damage.reason); restore the file, or make it again"
                    )
                }
            }
        }
    }

    private enum Outcome { case decoded, unwritten, damaged(ChunkDamage) }

    /// Decodes one of a layer's chunks to where its elements belong.
    private func decode(
        _ layer: Int, _ place: Int, into target: UnsafeMutableRawPointer, _ scratch: ReadScratch
    ) throws -> Outcome {
        guard let (stored, written) = unsafe try fetch(layer, place, scratch) else { return .unwritten }
        let mask = pipeline.sparesEdges && isPartial(layer, place) ? .max : written
        let fillsRows = chunksPerLayer == 1 && chunk.dropFirst() == shape.dropFirst()
        let whole = unsafe fillsRows ? target : scratch.buffer(.whole, pipeline.size).baseAddress ?? target
        if let damage = unsafe pipeline.decode(
            UnsafeRawBufferPointer(stored), mask: mask, into: whole, scratch.decoder)
        {
            return .damaged(damage)
        }
        if !fillsRows {
            unsafe scatter(whole, place, rows: min(chunk[0], shape[0] - layer * chunk[0]), into: target)
        }
        return .decoded
    }

    /// Whether one of a layer's chunks reaches beyond the dataset.
    private func isPartial(_ layer: Int, _ place: Int) -> Bool {
        zip(zip(origin(layer, place), chunk), shape).contains { $0.0 + $0.1 > $1 }
    }

    /// A chunk's bytes as they are stored; nil for one that was never written.
    private func fetch(
        _ layer: Int, _ place: Int, _ scratch: ReadScratch
    ) throws -> (UnsafeMutableRawBufferPointer, mask: UInt32)? {
        guard let index else {
            let found: (bytes: [UInt8], filterMask: UInt32)?
            do {
                found = try dataset.readChunk(at: origin(layer, place), byteLimit: max(4 * pipeline.size, 1 << 20))
            } catch {
                throw TreadleError(reading: error)
            }
            guard let found else { return nil }
            let bytes = unsafe scratch.buffer(.stored, found.bytes.count)
            unsafe bytes.copyBytes(from: found.bytes)
            return unsafe (bytes, found.filterMask)
        }
        guard let at = index.numbers.firstIndex(ofSorted: layer * chunksPerLayer + place) else { return nil }
        let stored = index.table[index.places[at]]
        guard stored.address >= 0, stored.size >= 0, stored.size <= file.identity.size,
            stored.address <= file.identity.size - stored.size
        else {
            throw TreadleError(
                .badData,
                "\(file.path):\(dataset.path): a chunk should lie beyond the end of the file at byte \(stored.address); restore the whole file"
            )
        }
        let bytes = unsafe scratch.buffer(.stored, stored.size)
        if let start = bytes.baseAddress {
            unsafe try file.read(start, offset: stored.address, size: stored.size)
        }
        return unsafe (bytes, stored.filterMask)
    }

    /// The coordinates of the first element of one of a layer's chunks.
    private func origin(_ layer: Int, _ place: Int) -> [Int] {
        var rest = place
        var coordinates: [Int] = []
        for (count, extent) in zip(beside, chunk.dropFirst()).reversed() {
            coordinates.append(rest % count * extent)
            rest /= count
        }
        return [layer * chunk[0]] + coordinates.reversed()
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
