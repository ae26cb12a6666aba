internal import HDF5
internal import TreadleBase

/// Something that decodes runs of rows, each as a whole.
protocol BandSource: AnyObject, Sendable {
    var number: StoredNumber { get }
    var rows: Int { get }
    /// Rows in every band but the last, which may have fewer.
    var bandRows: Int { get }
    /// Bytes of a band: room for `bandRows` rows, also in the last.
    var bandBytes: Int { get }

    /// Decodes a band, row after row.
    func load(_ band: Int, into target: UnsafeMutableRawPointer, _ scratch: ReadScratch) throws
}

/// Rows that are decoded band by band and kept in the cache while there is room.
final class BandedRows: RowReader {
    private let source: any BandSource
    private let cache: BandCache
    private let rowBytes: Int

    init(_ source: any BandSource, cache: BandCache) {
        self.source = source
        self.cache = cache
        rowBytes = source.bandBytes / source.bandRows
    }

    var number: StoredNumber { source.number }

    func visit(
        _ rows: Range<Int>, _ scratch: ReadScratch, _ body: (UnsafeRawPointer, Range<Int>) throws -> Void
    ) throws {
        var row = rows.lowerBound
        while row < rows.upperBound {
            let index = row / source.bandRows
            let first = index * source.bandRows
            let upper = min(first + source.bandRows, rows.upperBound)
            let band = try self.band(index, scratch)
            unsafe try body(UnsafeRawPointer(band.bytes + (row - first) * rowBytes), row..<upper)
            row = upper
        }
    }

    var bandRows: Int? { source.bandRows }

    func readOn(after row: Int, bands: Int) {
        let first = row / source.bandRows + 1
        guard bands > 0, cache.hasRoom(for: (bands + 1) * source.bandBytes) else { return }
        for index in first..<first + bands where index * source.bandRows < source.rows {
            guard !cache.has(BandCache.Key(reader: ObjectIdentifier(self), band: index)) else { continue }
            cache.later { [self] scratch in _ = try? band(index, scratch) }
        }
    }

    func readAhead(_ rows: Range<Int>) {
        guard !rows.isEmpty, cache.hasRoom(for: rows.count * rowBytes) else { return }
        for index in rows.lowerBound / source.bandRows...(rows.upperBound - 1) / source.bandRows {
            cache.later { [self] scratch in
                // An error is ignored here: whoever reads the band later meets the same error and reports it.
                _ = try? band(index, scratch)
            }
        }
    }

    private func band(_ index: Int, _ scratch: ReadScratch) throws -> Band {
        let key = BandCache.Key(reader: ObjectIdentifier(self), band: index)
        if let held = scratch.band, held.key == key { return held.band }
        return unsafe try cache.band(key, size: source.bandBytes, for: scratch) { target in
            unsafe try source.load(index, into: target, scratch)
        }
    }
}

/// Bands read by libhdf5 itself, under its lock: for storage that nothing else reads.
final class LibraryBands: BandSource {
    let number: StoredNumber
    let bandRows: Int
    let bandBytes: Int
    private let dataset: H5Dataset
    let rows: Int
    private let form: Form

    /// In which type libhdf5 hands the elements over: as they are stored, or widened from unusual bits.
    private enum Form: Sendable { case stored, int64, uint64, double }

    init(_ dataset: H5Dataset, bandRows: Int) {
        self.dataset = dataset
        self.bandRows = bandRows
        rows = dataset.shape.first ?? 1
        if let stored = StoredNumber(dataset.type) {
            (number, form) = (stored, .stored)
        } else if case .partialInteger(let signed, _, _, _, _) = dataset.type {
            (number, form) = signed ? (.int64, .int64) : (.uint64, .uint64)
        } else {
            (number, form) = (.double, .double)
        }
        bandBytes = bandRows * dataset.rowLength * number.size
    }

    func load(_ band: Int, into target: UnsafeMutableRawPointer, _ scratch: ReadScratch) throws {
        let chosen = band * bandRows..<min((band + 1) * bandRows, rows)
        let count = chosen.count * dataset.rowLength
        let box = dataset.shape.isEmpty ? dataset.everything : dataset.box(rows: chosen)
        do {
            switch form {
            case .stored:
                unsafe try dataset.readRaw(
                    into: UnsafeMutableRawBufferPointer(start: target, count: count * number.size), box: box)
            case .int64: unsafe try read(Int64.self, count, box, target)
            case .uint64: unsafe try read(UInt64.self, count, box, target)
            case .double: unsafe try read(Double.self, count, box, target)
            }
        } catch {
            throw TreadleError(reading: error)
        }
    }

    private func read<Element: H5Number>(
        _: Element.Type, _ count: Int, _ box: Hyperslab, _ target: UnsafeMutableRawPointer
    ) throws(H5Error) {
        let elements = unsafe target.bindMemory(to: Element.self, capacity: count)
        unsafe try dataset.read(into: UnsafeMutableBufferPointer(start: elements, count: count), box: box)
    }
}
