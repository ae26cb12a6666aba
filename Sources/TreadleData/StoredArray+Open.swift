internal import Foundation
internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration

extension StoredArray {
    /// Opens the array at `path` of all files as one, choosing how each is read.
    ///
    /// With `inputs` its rows are handed out as these, each file's made by one of `readings`.
    static func open(
        _ path: String, in files: [DataFile], access: Access, cache: BandCache, settings: DatasetSettings,
        inputs: InputColumns? = nil, readings: [InputReading?]? = nil
    ) throws -> StoredArray {
        var segments: [Segment] = []
        var rowShape: [Int]?
        var firstRow = 0
        for (index, file) in files.enumerated() {
            let dataset = try file.dataset(path)
            guard let rows = dataset.shape.first else {
                throw TreadleError(
                    .badData, "\(file.path):\(path): is a single value, where one row an example is due")
            }
            let shape = Array(dataset.shape.dropFirst())
            let reading = readings?[index]
            if let rowShape, rowShape != shape, readings?.contains(where: { $0 != nil }) != true {
                throw TreadleError(
                    .badData,
                    "\(file.path):\(path): its rows have the shape \(shape), those of \(files[0].path) \(rowShape); all files of data.files must agree"
                )
            }
            rowShape = rowShape ?? shape
            guard let width = shape.boundedProduct(), width.multipliedReportingOverflow(by: 8).overflow == false,
                dataset.count != nil
            else {
                throw TreadleError(.badData, "\(file.path):\(path): says that it has more elements than can be counted")
            }
            guard width > 0 else {
                throw TreadleError(.badData, "\(file.path):\(path): its rows are empty (shape \(dataset.shape))")
            }
            var segment = try Segment.open(dataset, file, access: access, cache: cache, settings: settings)
            segment.firstRow = firstRow
            segment.reading = reading
            segments.append(segment)
            firstRow += rows
        }
        return StoredArray(
            path: path, rowShape: rowShape ?? [], segments: segments, width: inputs?.inputs, names: inputs?.names)
    }
}

extension DataFile {
    func dataset(_ name: String) throws -> H5Dataset {
        do {
            let dataset = try hdf5.dataset(name)
            try dataset.checkStored()
            return dataset
        } catch {
            throw TreadleError(reading: error)
        }
    }
}

extension StoredArray.Segment {
    fileprivate static func open(
        _ dataset: H5Dataset, _ file: DataFile, access: Access, cache: BandCache, settings: DatasetSettings
    ) throws -> Self {
        guard dataset.type.isNumeric else {
            let advice =
                switch dataset.type {
                case .string:
                    "convert it to numbers (treadle import does that for CSV files), or leave that dataset out"
                case .compound: "store the fields as columns of one array"
                default: "store it as an array of numbers"
                }
            throw TreadleError(
                .badData, "\(file.path):\(dataset.path): holds \(dataset.type), where numbers are due; \(advice)")
        }
        let shape = dataset.shape.map(String.init).joined(separator: "×")
        let form = "\(file.path):\(dataset.path): \(shape) \(dataset.type), \(dataset.storage.outline(dataset.filters))"
        let rows = dataset.shape[0]
        var segment = Self(
            firstRow: 0, rows: rows, file: file, reader: EmptyRows(), width: dataset.rowLength, contiguousOffset: nil,
            path: .auto, report: form)

        if case .contiguous(let offset?, let size) = dataset.storage, let number = StoredNumber(dataset.type),
            access != .library
        {
            guard access != .chunks else {
                throw TreadleError(
                    .configuration, "\(form): data.access \"chunks\" cannot read what is not chunked; use \"auto\"")
            }
            let rowBytes = dataset.rowLength * number.size
            guard rows * rowBytes <= size, offset >= 0, offset <= file.identity.size,
                rows * rowBytes <= file.identity.size - offset
            else {
                throw TreadleError(
                    .badData,
                    "\(file.path):\(dataset.path): its \(rows * rowBytes) bytes should begin at byte \(offset), and the file has \(file.identity.size): it is cut short; restore the whole file"
                )
            }
            segment.contiguousOffset = offset
            if access == .mmap && rows > 0 && MappedFiles.areAllowed {
                segment.reader = try MappedRows(file, offset: offset, rowBytes: rowBytes, rows: rows, number: number)
                segment.report += "; mapped into memory"
                segment.path = .mmap
            } else {
                segment.reader = FileRows(file, offset: offset, rowBytes: rowBytes, number: number)
                segment.report += "; read where it lies in the file"
            }
            return segment
        }
        try dataset.checkFilters(settings)
        guard access != .mmap else {
            throw TreadleError(
                .configuration,
                "\(form): data.access \"mmap\" needs contiguous numbers; use \"auto\", or h5repack -l CONTI \(file.path) new.h5"
            )
        }
        if access != .library, let bands = try dataset.chunkBands(file) {
            try Self.makeRoom(for: bands, of: dataset, form, file, settings, cache)
            segment.reader = BandedRows(bands, cache: cache)
            segment.report += "; chunks decoded on all cores"
            segment.path = .chunks
            return segment
        }
        guard access != .chunks else {
            throw TreadleError(
                .configuration, "\(form): data.access \"chunks\" cannot decode this; use \"auto\"")
        }
        if let missing = dataset.missingFilter { throw TreadleError(reading: missing) }
        let chunkRows: Int? = if case .chunked(let chunk) = dataset.storage { chunk[0] } else { nil }
        let rowBytes = max(1, dataset.rowLength * 8)
        // About a megabyte at a time, and whole chunks: a part of one costs as much as all of it.
        let target = max(1, (1 << 20) / rowBytes)
        let bandRows = chunkRows.map { $0 * max(1, target / $0) } ?? min(target, max(rows, 1))
        let bands = LibraryBands(dataset, bandRows: bandRows)
        try Self.makeRoom(for: bands, of: dataset, form, file, settings, cache)
        segment.reader = BandedRows(bands, cache: cache)
        segment.report += "; read by libhdf5, on one core at a time"
        segment.path = .library
        return segment
    }

    /// Gives the cache a quarter of the limit, or what a few bands take; refuses bands of which not a few fit.
    private static func makeRoom(
        for bands: any BandSource, of dataset: H5Dataset, _ form: String, _ file: DataFile, _ settings: DatasetSettings,
        _ cache: BandCache
    ) throws {
        let quarter = settings.budget.limit / 4
        let few = max(1 << 26, 4 * min(bands.bandBytes, quarter))
        cache.grow(to: settings.readsOnce ? min(quarter, few) : quarter)
        // A chunk is decoded as a whole, however little of it lies within the dataset.
        let bytes = max(bands.bandBytes, dataset.pipeline?.size ?? 0)
        guard bytes > max(cache.room / 2, 1 << 20) else { return }
        throw TreadleError(
            .badData,
            "\(form): the chunks of one row take \(bytes.asBytes) together, more than data.memory_limit (\(settings.budget.limit.asBytes)) leaves room for; raise it, or store smaller chunks of whole rows: h5repack -l CHUNK=… \(file.path) new.h5"
        )
    }
}

extension H5Dataset {
    /// Refuses filters that only a plug-in can undo, unless the configuration names them: a plug-in is foreign code.
    fileprivate func checkFilters(_ settings: DatasetSettings) throws {
        for filter in filters where filter.needsPlugin {
            let isNamed = settings.filters.contains { named in
                Int(named) == filter.id || named.lowercased() == filter.name.lowercased()
            }
            guard !isNamed else { continue }
            throw TreadleError(
                .badData,
                "\(subject): is stored with the filter \(filter.name) (number \(filter.id)), which needs a plug-in; add \"\(filter.name)\" to data.filters where the plug-in is installed and trusted, or rewrite the file with h5repack -f GZIP=4"
            )
        }
    }

    fileprivate func chunkBands(_ file: DataFile) throws -> ChunkBands? {
        do {
            return try ChunkBands(self, file)
        } catch {
            throw TreadleError(reading: error)
        }
    }
}

extension H5Storage {
    /// For people: "chunked 1000×784, shuffle and deflate".
    fileprivate func outline(_ filters: [H5Filter]) -> String {
        switch self {
        case .contiguous: return "contiguous"
        case .compact: return "compact"
        case .virtual(let sources): return "virtual over \(sources.count) datasets"
        case .external(let files): return "stored in \(files.joined(separator: ", "))"
        case .chunked(let shape):
            let extents = shape.map(String.init).joined(separator: "×")
            return
                "chunked \(extents), \(filters.isEmpty ? "not filtered" : filters.map(\.name).joined(separator: " and "))"
        }
    }
}

/// No rows at all.
private final class EmptyRows: RowReader {
    let number = StoredNumber.double
    func visit(_ rows: Range<Int>, _ scratch: ReadScratch, _ body: (UnsafeRawPointer, Range<Int>) throws -> Void) throws
    {}
    func readAhead(_ rows: Range<Int>) {}
}
