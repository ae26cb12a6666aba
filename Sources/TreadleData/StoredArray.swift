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
        /// Numbers of a stored row.
        var width: Int
        /// How the inputs are made of them; nil where they are the inputs.
        var reading: InputReading?
        /// Where the rows begin in the file, if they lie there in one piece.
        var contiguousOffset: Int?
        /// How it is read: mmap, chunks or library; auto for rows that are read where they lie.
        var path: Access
        /// For people: how it is stored, and how it is read.
        var report: String
    }

    /// The path in the files, such as "/x".
    let path: String
    /// The extents of a stored row of the first file; empty for single numbers.
    let rowShape: [Int]
    /// The numbers of a row as it is handed out: F, for inputs.
    let width: Int
    /// What these are called, where they have names: for messages.
    let names: [String]?
    let rows: Int
    let segments: [Segment]
    /// Whether its rows are copies in memory, that no file can change.
    let isCopy: Bool

    init(
        path: String, rowShape: [Int], segments: [Segment], width: Int? = nil, names: [String]? = nil,
        isCopy: Bool = false
    ) {
        self.path = path
        self.rowShape = rowShape
        self.width = width ?? rowShape.reduce(1, *)
        self.names = names
        self.segments = segments
        rows = segments.reduce(0) { $0 + $1.rows }
        self.isCopy = isCopy
    }

    /// How rows that lie one after the other are stored: all that are handed out at once are of one file.
    struct Form: Sendable {
        let number: StoredNumber
        /// Numbers of a stored row.
        let width: Int
        let reading: InputReading?
        /// The place of their file among the segments.
        let segment: Int

        var rowBytes: Int { width * number.size }
    }

    /// Whether rows are the inputs as they are, in all files.
    var isPlain: Bool { segments.allSatisfy { $0.reading == nil } }

    /// What each segment's rows go through.
    func transforms(
        shift: [Double] = [], factor: [Double] = [], imputation: [Double] = [], clip: [Double] = []
    ) -> [ColumnTransform] {
        let plain = ColumnTransform(shift: shift, factor: factor, imputation: imputation, clip: clip)
        return segments.map { segment in
            segment.reading.map {
                ColumnTransform(shift: shift, factor: factor, imputation: imputation, clip: clip, reading: $0)
            } ?? plain
        }
    }

    /// The same for inputs, as a model normalizes them.
    func transforms(inputs normalization: Normalization) -> [ColumnTransform] {
        transforms(
            shift: normalization.shift, factor: normalization.factor, imputation: normalization.imputation,
            clip: normalization.clip)
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
        _ body: (_ bytes: UnsafeRawPointer, _ form: Form, _ rows: Range<Int>) throws -> Void
    ) throws {
        guard !rows.isEmpty else { return }
        for place in segment(of: rows.lowerBound)..<segments.count {
            let segment = segments[place]
            let first = segment.firstRow
            let local = (rows.lowerBound - first..<rows.upperBound - first).clamped(to: 0..<segment.rows)
            guard !local.isEmpty else {
                if first >= rows.upperBound { return }
                continue
            }
            let form = Form(
                number: segment.reader.number, width: segment.width, reading: segment.reading, segment: place)
            unsafe try segment.reader.visit(local, scratch) { bytes, piece in
                unsafe try body(bytes, form, piece.lowerBound + first..<piece.upperBound + first)
            }
        }
    }

    /// Reads the first and the last row of each file, to see whether that can be done.
    func readEdges() throws {
        let scratch = ReadScratch()
        for segment in segments where segment.rows > 0 {
            for row in [0, segment.rows - 1] { try unsafe segment.reader.visit(row..<row + 1, scratch) { _, _ in } }
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

    /// How messages call a row: the file, the path and the row's number in that file, counted from 0; of a table its row below
    /// the header, counted from 1.
    func subject(_ row: Int) -> String {
        let segment = segments[segment(of: row)]
        if let table = segment.file.table { return "\(table.name): row \(row - segment.firstRow + 1)" }
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

    /// The inputs of the row in `bytes`, as doubles.
    func inputs(_ bytes: UnsafeRawPointer, _ form: Form) -> [Double] {
        let transform = form.reading.map { ColumnTransform(reading: $0) } ?? .identity
        return unsafe [Double](unsafeUninitializedCapacity: width) { buffer, count in
            if let start = buffer.baseAddress {
                _ = unsafe transform.convert(bytes, form.number, width: form.width, into: start)
            }
            count = width
        }
    }

    /// How messages call a column of the rows: by its place, counted from 0, and its name.
    func columnName(_ column: Int) -> String {
        if let names, segments[0].file.table != nil { return "column \"\(names[column].printable)\"" }
        return names.map { "column \(column) (\"\($0[column].printable)\")" } ?? "column \(column)"
    }

    /// The error for a row in which a category has no code of it; nil where all have.
    func unknownCode(_ row: Int, _ bytes: UnsafeRawPointer, _ form: Form) -> TreadleError? {
        guard let reading = form.reading else { return nil }
        let stored = unsafe Self.doubles(bytes, form.number, width: form.width)
        guard let unknown = reading.unknownCode(in: stored) else { return nil }
        return TreadleError(
            .badData,
            "\(subject(row)): the column \"\(unknown.column.printable)\" holds \(unknown.value), which is no code of its values in /schema; make the file anew with treadle import"
        )
    }

    /// The error for a row in which some value is not finite, or becomes so in this precision.
    func nonFinite(_ row: Int, _ bytes: UnsafeRawPointer, _ form: Form, precision: NumberType) -> TreadleError {
        if let unknown = unsafe unknownCode(row, bytes, form) { return unknown }
        let values = unsafe inputs(bytes, form)
        guard let column = values.firstIndex(where: { !$0.isFinite }) else {
            let largest = values.indices.max { values[$0].magnitude < values[$1].magnitude } ?? 0
            return TreadleError(
                .badData,
                "\(subject(row)), \(columnName(largest)) is \(values[largest]), which is beyond \(precision.rawValue) after normalization; set model.precision to \"float64\" or scale the data"
            )
        }
        let value = values[column].isNaN ? "NaN" : values[column] > 0 ? "infinite" : "negative infinite"
        return TreadleError(
            .badData,
            "\(subject(row)), \(columnName(column)) is \(value); set data.non_finite to \"drop_row\" or \"impute_mean\", or clean the file"
        )
    }
}
