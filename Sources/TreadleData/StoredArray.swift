internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleModel

/// One array over all files of a dataset: N rows of `width` numbers.
final class StoredArray: Sendable {
    /// A file's share of the rows.
    struct Segment: Sendable {
        var firstRow: Int
        var rows: Int
        var file: DataFile
        var reader: any RowReader
        /// Where the rows begin in the file, if they lie there in one piece.
        var contiguousOffset: Int?
        /// How it is read: mmap, chunks or library; auto for rows that are read where they lie.
        var path: Access
        /// For people: how it is stored, and how it is read.
        var report: String
    }

    /// The path in the files, such as "/x".
    let path: String
    /// The extents of a row; empty for single numbers.
    let rowShape: [Int]
    let width: Int
    let rows: Int
    let segments: [Segment]

    init(path: String, rowShape: [Int], segments: [Segment]) {
        self.path = path
        self.rowShape = rowShape
        width = rowShape.reduce(1, *)
        self.segments = segments
        rows = segments.reduce(0) { $0 + $1.rows }
    }

    /// The place in `segments` of the one that holds `row`.
    func segment(of row: Int) -> Int {
        var (low, high) = (0, segments.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if segments[middle].firstRow <= row { low = middle } else { high = middle }
        }
        return low
    }

    /// Hands `rows` to `body` in ascending pieces, each of which lies row after row.
    func visit(
        _ rows: Range<Int>, _ scratch: ReadScratch,
        _ body: (_ bytes: UnsafeRawPointer, _ number: StoredNumber, _ rows: Range<Int>) throws -> Void
    ) throws {
        guard !rows.isEmpty else { return }
        for segment in segments[segment(of: rows.lowerBound)...] {
            let first = segment.firstRow
            let local = (rows.lowerBound - first..<rows.upperBound - first).clamped(to: 0..<segment.rows)
            guard !local.isEmpty else {
                if first >= rows.upperBound { return }
                continue
            }
            let number = segment.reader.number
            unsafe try segment.reader.visit(local, scratch) { bytes, piece in
                unsafe try body(bytes, number, piece.lowerBound + first..<piece.upperBound + first)
            }
        }
    }

    /// About `rows` rows: whole bands, where rows are decoded in bands, so that tasks do not wait for each other's.
    func block(of rows: Int) -> Int {
        let band = segments.lazy.compactMap(\.reader.bandRows).max() ?? 1
        return max(1, rows / band) * band
    }

    /// Begins to decode what follows `row`, where rows are decoded in bands.
    func readOn(after row: Int, bands: Int) {
        let segment = segments[segment(of: row)]
        segment.reader.readOn(after: row - segment.firstRow, bands: bands)
    }

    /// Begins to fetch `rows`.
    func readAhead(_ rows: Range<Int>) {
        for segment in segments {
            let first = segment.firstRow
            let local = (rows.lowerBound - first..<rows.upperBound - first).clamped(to: 0..<segment.rows)
            if !local.isEmpty { segment.reader.readAhead(local) }
        }
    }

    /// How messages call a row: the file, the path and the row's number in that file, counted from 0.
    func subject(_ row: Int) -> String {
        let segment = segments[segment(of: row)]
        return "\(segment.file.path):\(path) row \(row - segment.firstRow)"
    }

    /// What the numbers in `bytes` are, as doubles.
    static func doubles(_ bytes: UnsafeRawPointer, _ number: StoredNumber, width: Int) -> [Double] {
        unsafe [Double](unsafeUninitializedCapacity: width) { buffer, count in
            if let start = buffer.baseAddress {
                _ = unsafe ColumnTransform.identity.convert(bytes, number, width: width, into: start)
            }
            count = width
        }
    }

    /// The error for a row in which some value is not finite, or becomes so in this precision.
    func nonFinite(_ row: Int, _ bytes: UnsafeRawPointer, _ number: StoredNumber, precision: NumberType) -> TreadleError
    {
        let values = unsafe Self.doubles(bytes, number, width: width)
        guard let column = values.firstIndex(where: { !$0.isFinite }) else {
            let largest = values.indices.max { values[$0].magnitude < values[$1].magnitude } ?? 0
            return TreadleError(
                .badData,
                "\(subject(row)), column \(largest) is \(values[largest]), which is beyond \(precision.rawValue) after normalization; set model.precision to \"float64\" or scale the data"
            )
        }
        let value = values[column].isNaN ? "NaN" : values[column] > 0 ? "infinite" : "negative infinite"
        return TreadleError(
            .badData,
            "\(subject(row)), column \(column) is \(value); set data.non_finite to \"drop_row\" or \"impute_mean\", or clean the file"
        )
    }
}
