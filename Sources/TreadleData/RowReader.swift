internal import CDecode
internal import Glibc
internal import HDF5
internal import TreadleBase

/// Where the stored rows of one array in one file come from.
///
/// Rows are numbered within the file. Any number of tasks may read at once, each with its own scratch.
protocol RowReader: AnyObject, Sendable {
    /// How each number of a row is stored in what `visit` hands out.
    var number: StoredNumber { get }

    /// Hands `rows` to `body` in ascending pieces, each of which lies row after row without gaps.
    func visit(
        _ rows: Range<Int>, _ scratch: ReadScratch,
        _ body: (_ bytes: UnsafeRawPointer, _ rows: Range<Int>) throws -> Void
    ) throws

    /// Begins to fetch `rows`, which will be wanted soon; returns at once.
    func readAhead(_ rows: Range<Int>)

    /// Says that single rows from anywhere will be wanted.
    func expectRandomRows()

    /// How many rows are decoded together; nil where each can be read alone.
    var bandRows: Int? { get }

    /// Begins to decode the bands that follow the one of `row`; returns at once.
    func readOn(after row: Int, bands: Int)
}

extension RowReader {
    func expectRandomRows() {}
    var bandRows: Int? { nil }
    func readOn(after row: Int, bands: Int) {}
}

/// What one task keeps between reads: buffers, and the band that it read from last.
@safe final class ReadScratch {
    /// What a buffer is for.
    enum Use: Int, CaseIterable { case rows, stored, whole }

    private var buffers: [UnsafeMutableRawBufferPointer] = unsafe Use.allCases.map { _ in
        unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
    var band: (key: BandCache.Key, band: Band)?
    private(set) lazy var decoder = ChunkDecoder()

    deinit {
        for use in Use.allCases { unsafe buffers[use.rawValue].deallocate() }
    }

    /// `count` bytes; what was in them before is gone.
    func buffer(_ use: Use, _ count: Int) -> UnsafeMutableRawBufferPointer {
        if unsafe buffers[use.rawValue].count < max(count, 1) {
            unsafe buffers[use.rawValue].deallocate()
            unsafe buffers[use.rawValue] = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(count, 1), alignment: 64)
        }
        return unsafe UnsafeMutableRawBufferPointer(rebasing: buffers[use.rawValue][..<count])
    }
}

/// Rows that lie in one piece in the file, read into a buffer.
///
/// Read, not mapped: pages that are mapped count as this process's memory, which has a limit, and a page that
/// the file has lost since would end the process where a read returns an error.
final class FileRows: RowReader {
    let number: StoredNumber
    private let file: DataFile
    private let offset: Int
    private let rowBytes: Int

    init(_ file: DataFile, offset: Int, rowBytes: Int, number: StoredNumber) {
        self.file = file
        self.offset = offset
        self.rowBytes = rowBytes
        self.number = number
    }

    func visit(
        _ rows: Range<Int>, _ scratch: ReadScratch, _ body: (UnsafeRawPointer, Range<Int>) throws -> Void
    ) throws {
        // Small enough to stay in the second-level cache until it is converted.
        let most = max(1, 256 << 10 / max(rowBytes, 1))
        guard let buffer = unsafe scratch.buffer(.rows, min(most, rows.count) * rowBytes).baseAddress else { return }
        var row = rows.lowerBound
        while row < rows.upperBound {
            let upper = min(row + most, rows.upperBound)
            unsafe try file.read(buffer, offset: offset + row * rowBytes, size: (upper - row) * rowBytes)
            unsafe try body(UnsafeRawPointer(buffer), row..<upper)
            row = upper
        }
    }

    func expectRandomRows() {
        // 0 is the rest of the file.
        file.advise(POSIX_FADV_RANDOM, offset: offset, size: 0)
    }

    func readAhead(_ rows: Range<Int>) {
        file.advise(POSIX_FADV_WILLNEED, offset: offset + rows.lowerBound * rowBytes, size: rows.count * rowBytes)
    }
}

/// Files used as memory. One that shrinks meanwhile would end the process with SIGBUS, which only a handler survives.
package enum MappedFiles {
    /// Allows them: installs that handler. For a program that owns its process; a library in somebody else's reads instead.
    package static func allow() { _ = cd_guard_mappings() }

    static var areAllowed: Bool { cd_guards_mappings() != 0 }
}

/// Rows that lie in one piece in the file, used where the kernel maps them.
@safe final class MappedRows: RowReader, @unchecked Sendable {
    let number: StoredNumber
    /// The first row.
    let bytes: UnsafeRawPointer
    private let file: DataFile
    private let rowBytes: Int
    private let mapping: OpaquePointer

    init(_ file: DataFile, offset: Int, rowBytes: Int, rows: Int, number: StoredNumber) throws {
        // A length that goes beyond the file would only be noticed page by page.
        guard let mapping = unsafe cd_map(file.descriptor, UInt64(offset), max(rows * rowBytes, 1)) else {
            throw TreadleError.reading(file.path, "mmap", errno)
        }
        unsafe self.mapping = unsafe mapping
        unsafe bytes = unsafe cd_mapping_bytes(mapping)
        self.file = file
        self.rowBytes = rowBytes
        self.number = number
    }

    deinit {
        unsafe cd_unmap(mapping)
    }

    func visit(
        _ rows: Range<Int>, _ scratch: ReadScratch, _ body: (UnsafeRawPointer, Range<Int>) throws -> Void
    ) throws {
        unsafe try body(bytes + rows.lowerBound * rowBytes, rows)
        try checkIntact()
    }

    /// Throws when a page that was read had gone from the file: zeros stood in its place.
    func checkIntact() throws {
        guard unsafe cd_mapping_broken(mapping) != 0 else { return }
        try file.checkUnchanged()
        throw TreadleError(.inputOutput, "\(file.path): a part of it could not be read; check its disk and file system")
    }

    func readAhead(_ rows: Range<Int>) {
        let start = unsafe UnsafeMutableRawPointer(mutating: bytes + rows.lowerBound * rowBytes)
        let page = Int(getpagesize())
        let lead = Int(bitPattern: start) % page
        // A hint alone: without it the pages are read when they are touched.
        _ = unsafe madvise(start - lead, rows.count * rowBytes + lead, MADV_WILLNEED)
    }
}

/// Rows that are copies in memory, as they are stored in a file.
@safe final class HeldRows: RowReader, @unchecked Sendable {
    let number: StoredNumber
    private let region: Region
    private let offset: Int
    private let rowBytes: Int
    private let first: Int

    /// The rows from `first` on, which begin `offset` bytes into `region`.
    init(_ region: Region, offset: Int, rowBytes: Int, first: Int, number: StoredNumber) {
        self.region = region
        self.offset = offset
        self.rowBytes = rowBytes
        self.first = first
        self.number = number
    }

    func visit(
        _ rows: Range<Int>, _ scratch: ReadScratch, _ body: (UnsafeRawPointer, Range<Int>) throws -> Void
    ) throws {
        let start = offset + (rows.lowerBound - first) * rowBytes
        precondition(rows.lowerBound >= first && start + rows.count * rowBytes <= region.count, "rows are held")
        unsafe try body(UnsafeRawPointer(region.bytes + start), rows)
    }

    func readAhead(_ rows: Range<Int>) {}
}
