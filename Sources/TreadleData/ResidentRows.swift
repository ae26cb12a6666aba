internal import Synchronization
internal import TreadleModel

/// Rows that lie in memory as the network wants them, so that batches only point to them.
@safe final class ResidentRows<S: Scalar>: @unchecked Sendable {
    @unsafe private struct Part {
        var firstRow: Int
        /// The row `firstRow`.
        var values: UnsafePointer<S>
        /// Numbers from one row to the next.
        var stride: Int
        var mapped: MappedRows?
    }

    private let parts: [Part]
    /// Keeps a copy's memory alive.
    private let region: Region?
    /// Whether these are the files' own pages: then a file that changes changes them.
    let isMapped: Bool

    /// Every row of `rows`, converted and normalized once, on all workers.
    init(
        copying array: StoredArray, rows: Range<Int>, skipping isDropped: @Sendable (Int) -> Bool,
        transforms: [ColumnTransform], settings: DatasetSettings
    ) throws {
        let stride = Self.stride(array.width)
        let region = try Region(
            count: Self.bytes(array.width, rows: rows.count), for: "\(rows.count) rows of \(array.path)")
        let first = rows.lowerBound
        nonisolated(unsafe) let values = unsafe region.bytes.bindMemory(to: S.self, capacity: rows.count * stride)
        // A megabyte or so a task: small enough to share evenly, large enough for the disk.
        let block = array.block(of: max(1, (1 << 20) / max(array.width * 4, 1)))
        try RowSweep(settings).run(rows, block: block) { _, rows, scratch in
            unsafe try array.visit(rows, scratch) { bytes, form, rows in
                let transform = transforms[form.segment]
                for (index, row) in rows.enumerated() {
                    let source = unsafe bytes + index * form.rowBytes
                    let target = unsafe values + (row - first) * stride
                    let isFinite = unsafe transform.convert(source, form.number, width: form.width, into: target)
                    guard isFinite || isDropped(row) else {
                        throw unsafe array.nonFinite(row, source, form, precision: S.number)
                    }
                }
            }
        }
        unsafe parts = unsafe [Part(firstRow: first, values: UnsafePointer(values), stride: stride, mapped: nil)]
        self.region = region
        isMapped = false
    }

    /// The files' own pages, where they hold exactly the numbers that are wanted; nil where they do not.
    init?(
        mapping array: StoredArray, rows: Range<Int>, skipping isDropped: @Sendable (Int) -> Bool,
        transforms: [ColumnTransform], settings: DatasetSettings
    ) throws {
        guard Self.canMap(array, transforms) else { return nil }
        let rowBytes = array.width * MemoryLayout<S>.stride
        var parts: [Part] = unsafe []
        for segment in array.segments where segment.rows > 0 {
            guard let offset = segment.contiguousOffset else { return nil }
            let mapped = try MappedRows(
                segment.file, offset: offset, rowBytes: rowBytes, rows: segment.rows, number: segment.reader.number)
            unsafe parts.append(
                Part(
                    firstRow: segment.firstRow, values: mapped.bytes.assumingMemoryBound(to: S.self),
                    stride: array.width, mapped: mapped))
        }
        unsafe self.parts = unsafe parts
        region = nil
        isMapped = true
        // Copies meet a value that is not finite while they convert; pages that are used as they are need a look first.
        let width = array.width
        try RowSweep(settings).run(rows, block: max(1, (1 << 20) / max(rowBytes, 1))) { _, rows, scratch in
            guard let start = unsafe scratch.buffer(.rows, rowBytes).baseAddress else { return }
            let target = unsafe start.bindMemory(to: S.self, capacity: width)
            for row in rows {
                let source = unsafe UnsafeRawPointer(self[row])
                let segment = array.segment(of: row)
                let form = StoredArray.Form(
                    number: array.segments[segment].reader.number, width: width, reading: nil, segment: segment)
                let isFinite = unsafe transforms[segment].convert(source, form.number, width: width, into: target)
                guard isFinite || isDropped(row) else {
                    throw unsafe array.nonFinite(row, source, form, precision: S.number)
                }
            }
        }
        try checkIntact()
    }

    static func canMap(_ array: StoredArray, _ transforms: [ColumnTransform]) -> Bool {
        MappedFiles.areAllowed && transforms.allSatisfy(\.isIdentity)
            && array.segments.allSatisfy { segment in
                segment.rows == 0
                    || (segment.reader.number.isReady(for: S.number)
                        && segment.contiguousOffset.map { $0 % MemoryLayout<S>.alignment == 0 } ?? false)
            }
    }

    /// Where `row` lies.
    subscript(row: Int) -> UnsafePointer<S> {
        var (place, end) = unsafe (0, parts.count)
        while end - place > 1 {
            let middle = (place + end) / 2
            if unsafe parts[middle].firstRow <= row { place = middle } else { end = middle }
        }
        return unsafe parts[place].values + (row - parts[place].firstRow) * parts[place].stride
    }

    /// Where each of `count` rows lies.
    func locate(_ numbers: UnsafePointer<UInt64>, count: Int, into pointers: UnsafeMutablePointer<UnsafePointer<S>>) {
        guard unsafe parts.count == 1 else {
            for place in 0..<count { unsafe pointers[place] = unsafe self[Int(numbers[place])] }
            return
        }
        let (values, stride) = unsafe (parts[0].values - parts[0].firstRow * parts[0].stride, parts[0].stride)
        for place in 0..<count { unsafe pointers[place] = unsafe values + Int(numbers[place]) * stride }
    }

    /// Throws when a mapped page had gone from its file.
    func checkIntact() throws {
        for place in unsafe parts.indices { unsafe try parts[place].mapped?.checkIntact() }
    }

    /// Numbers from one row to the next: whole cache lines, and never a power of two that puts every row into
    /// the same set of the first-level cache.
    static func stride(_ width: Int) -> Int {
        let line = 64 / MemoryLayout<S>.stride
        guard width >= line else { return width }
        let padded = (width + line - 1) / line * line
        return padded * MemoryLayout<S>.stride % 1024 == 0 ? padded + line : padded
    }

    static func bytes(_ width: Int, rows: Int) -> Int {
        [rows, stride(width), MemoryLayout<S>.stride].boundedBytes
    }
}

extension [Int] {
    /// The product, or the largest number where that is beyond it.
    fileprivate var boundedBytes: Int {
        reduce(1) { product, factor in
            let (next, overflow) = product.multipliedReportingOverflow(by: factor)
            return overflow ? .max : next
        }
    }
}

/// The rows of one dataset that are in memory already: training, validation and metrics share them.
final class ResidentStore: Sendable {
    private struct Held: Sendable {
        /// Nil for rows as they are stored, which fit any.
        var normalization: Normalization?
        var range: Range<Int>
        var rows: any AnyObject & Sendable
    }

    private let held = Mutex<[String: Held]>([:])

    /// What is kept as `name` for this normalization with the rows of `range`, or what `make` makes; nil where that is nothing.
    func rows<S: Scalar>(
        _ name: String, _ normalization: Normalization, _ range: Range<Int>, make: () throws -> ResidentRows<S>?
    ) throws -> ResidentRows<S>? {
        // One at a time: two loaders over one dataset must not both read it whole.
        try held.withLock { held in
            if let known = held[name], known.normalization == normalization,
                known.range.lowerBound <= range.lowerBound, range.upperBound <= known.range.upperBound,
                let rows = known.rows as? ResidentRows<S>
            {
                return rows
            }
            guard let made = try make() else { return nil }
            if held[name] == nil { held[name] = Held(normalization: normalization, range: range, rows: made) }
            return made
        }
    }

    /// What is kept as `name` in the form of the files.
    func array(_ name: String, _ range: Range<Int>, make: () throws -> StoredArray?) throws -> StoredArray? {
        try held.withLock { held in
            if let known = held[name], known.range.lowerBound <= range.lowerBound,
                range.upperBound <= known.range.upperBound, let array = known.rows as? StoredArray
            {
                return array
            }
            guard let made = try make() else { return nil }
            if held[name] == nil { held[name] = Held(normalization: nil, range: range, rows: made) }
            return made
        }
    }
}
