internal import HDF5
internal import TreadleBase
internal import TreadleModel

/// A number for each row that depends on what is in it alone: on the words of its categories and not on their codes, on its
/// numbers and dates, on its target; not on the order of rows, columns or categories, nor on the file.
struct RowContents: Sendable {
    private let first: Int
    private let numbers: [UInt64]

    subscript(row: Int) -> UInt64 { numbers[row - first] }

    /// Of all that a row holds: its inputs and its targets.
    init(_ dataset: Dataset) throws {
        try self.init(dataset, countsTargets: true) { segment in dataset.columnContents(segment, nil) }
    }

    /// Of one column, or of a dataset such as `/customer` that has a value for each row.
    init(_ dataset: Dataset, group: String) throws {
        if group.hasPrefix("/") {
            self = try Self.values(of: group, dataset)
            return
        }
        let names = dataset.schema?.columns.map(\.name) ?? dataset.columns ?? []
        guard names.contains(group) else {
            let shown = names.prefix(12).map(\.printable).joined(separator: ", ")
            throw TreadleError(
                .badData,
                "\(dataset.files[0].path): data.test.group names the column \"\(group.printable)\", which is not there"
                    + (names.isEmpty
                        ? ": the columns have no names; name a dataset with a value for each row, such as \"/customer\""
                        : "; its columns are \(shown)\(names.count > 12 ? ", …" : "")"))
        }
        try self.init(dataset, countsTargets: false) { segment in dataset.columnContents(segment, group) }
    }

    /// How a column's value becomes a number.
    struct Column {
        /// Its place in the stored row.
        var from: Int
        /// The hash of its name.
        var name: UInt64
        /// Added to it: the day that days are counted from.
        var offset: Double = 0
        /// The hashes of the words that codes stand for; nil for numbers.
        var words: [UInt64]?
    }

    private init(_ dataset: Dataset, countsTargets: Bool, columns: (_ segment: Int) -> [Column]) throws {
        let range = dataset.range
        first = range.lowerBound
        let x = dataset.x
        let names = dataset.classes?.map(Self.hash)
        let recipes = x.segments.indices.map(columns)
        let block = x.block(of: 1 << 13)
        let parts = try RowSweep(dataset.settings).map(range, block: block) { _, rows, scratch in
            var sums = [UInt64](repeating: 0, count: rows.count)
            unsafe try x.visit(rows, scratch) { bytes, form, piece in
                for (index, row) in piece.enumerated() {
                    let stored = unsafe StoredArray.doubles(
                        bytes + index * form.rowBytes, form.number, width: form.width)
                    for column in recipes[form.segment] {
                        sums[row - rows.lowerBound] &+= Self.term(stored[column.from], column)
                    }
                }
            }
            switch dataset.targets {
            case .classes(let labels) where countsTargets:
                for row in rows {
                    let label = labels[row]
                    let key = names.map { $0[label] } ?? UInt64(label)
                    sums[row - rows.lowerBound] &+= Self.mixed(1 &+ key)
                }
            case .values(let y) where countsTargets:
                unsafe try y.visit(rows, scratch) { bytes, form, piece in
                    let values = unsafe StoredArray.doubles(bytes, form.number, width: piece.count * y.width)
                    for (place, value) in values.enumerated() {
                        let row = piece.lowerBound + place / y.width
                        let key = UInt64(place % y.width) &+ Self.mixed(Self.bits(value))
                        sums[row - rows.lowerBound] &+= Self.mixed(key)
                    }
                }
            default: break
            }
            return sums
        }
        numbers = Array(parts.joined())
    }

    private init(first: Int, numbers: [UInt64]) {
        self.first = first
        self.numbers = numbers
    }

    /// The values of a dataset of texts or numbers.
    private static func values(of path: String, _ dataset: Dataset) throws -> RowContents {
        var numbers: [UInt64] = []
        var firstRow = 0
        for (file, segment) in zip(dataset.files, dataset.x.segments) {
            let values = try file.dataset(path)
            guard values.shape == [segment.rows] || values.shape == [segment.rows, 1] else {
                throw TreadleError(
                    .badData,
                    "\(file.path):\(path): has the shape \(values.shape), where one value for each of \(segment.rows) rows is due"
                )
            }
            let rows = dataset.range.clamped(to: firstRow..<firstRow + segment.rows)
            firstRow += segment.rows
            guard !rows.isEmpty else { continue }
            let local = rows.lowerBound - segment.firstRow..<rows.upperBound - segment.firstRow
            do {
                if case .string = values.type {
                    numbers += try values.readStrings(rows: local).map(hash)
                } else {
                    let read: [Double] = try values.read(rows: local)
                    numbers += read.map { mixed(bits($0)) }
                }
            } catch {
                throw TreadleError(reading: error)
            }
        }
        return RowContents(first: dataset.range.lowerBound, numbers: numbers)
    }

    /// Stands for a missing word; the words of codes 0 and 1 are others and missing ones.
    fileprivate static let missing: UInt64 = 1

    private static func term(_ value: Double, _ column: Column) -> UInt64 {
        let key: UInt64
        if let words = column.words {
            let isCode = value >= 0 && value < Double(words.count)
            key = isCode ? words[Int(value)] : missing
        } else {
            key = bits(value + column.offset)
        }
        return mixed(column.name &+ mixed(key))
    }

    /// The same for all that counts as the same number.
    private static func bits(_ value: Double) -> UInt64 {
        value.isNaN ? 0x7ff8_0000_0000_0000 : value == 0 ? 0 : value.bitPattern
    }

    static func hash(of text: String) -> UInt64 {
        var hash = SHA256()
        hash.add(Array(text.utf8))
        return hash.digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): a bijection in which every bit moves every other.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

extension Dataset {
    /// How the columns of a file, or the one that is called `only`, count in a row's contents.
    fileprivate func columnContents(_ segment: Int, _ only: String?) -> [RowContents.Column] {
        switch fileColumns[segment] {
        case .table(let schema):
            let known = Set(self.schema?.columns.map(\.name) ?? schema.columns.map(\.name))
            var result: [RowContents.Column] = []
            var from = 0
            for column in schema.columns {
                if known.contains(column.name), only == nil || only == column.name {
                    result += contents(of: column, from)
                }
                from += column.storedWidth
            }
            return result
        case .named(let names):
            return names.indices.filter { only == nil || names[$0] == only }.map {
                .init(from: $0, name: RowContents.hash(of: names[$0]))
            }
        case .unnamed(let count): return (0..<count).map { .init(from: $0, name: UInt64($0)) }
        }
    }

    private func contents(of column: TableSchema.Column, _ from: Int) -> [RowContents.Column] {
        let name = RowContents.hash(of: column.name)
        switch column.kind {
        case .number: return [.init(from: from, name: name)]
        case .flag(let no, let yes):
            return [.init(from: from, name: name, words: [RowContents.hash(of: no), RowContents.hash(of: yes)])]
        case .category(let values, _, _):
            return [.init(from: from, name: name, words: [0, RowContents.missing] + values.map(RowContents.hash))]
        case .date(let parts, let origin, _):
            // The number of days determines the whole date. A column without it is hashed by the parts that it has.
            if let days = parts.firstIndex(of: .days) {
                return [.init(from: from + days, name: name, offset: Double(Day.number(origin) ?? 0))]
            }
            return parts.enumerated().map { index, part in
                .init(from: from + index, name: name &+ RowContents.hash(of: part.rawValue))
            }
        }
    }
}
