internal import HDF5
internal import TreadleBase

/// How a delimited text is laid out: what lies between its fields, whether it names its columns, how many there are.
package struct TableFormat: Equatable, Sendable {
    package var delimiter: UInt8
    package var hasHeader: Bool
    /// How many fields each record has.
    package var width: Int
    /// The header's names; nil without one.
    package var names: [String]?
    /// Records before it that are none of the table.
    private var leading = 0
    /// Records before the first row.
    var skip: Int { leading + (hasHeader ? 1 : 0) }

    /// Something about how the table was read that a person should know.
    package var remark: String?

    /// Looks at the first records of a file for what `options` leave open; a header is one where it has a name of `known`.
    package static func detect(
        _ file: InputFile, _ options: TableOptions, known: Set<String> = []
    ) throws -> TableFormat {
        let block = RecordBlock(capacity: 1 << 16)
        // Any delimiter finds the records' ends, unless a lone quote stands in a field: then the first guess decides.
        let guess = options.delimiter ?? (file.path.lowercased().hasTabExtension ? UInt8(ascii: "\t") : nil)
        let cutter = RecordCutter(try ByteSource(text: file), delimiter: guess ?? UInt8(ascii: ","))
        guard try cutter.next(block) else {
            throw TreadleError(.badData, "\(file.path) is empty; a table needs at least one row")
        }
        func records(_ count: Int, _ delimiter: UInt8) throws -> [[String]] {
            try block.withBytes { bytes in
                var position = 0
                var records: [[String]] = []
                while records.count < count {
                    // What is wrong with later records is told when they are read.
                    let isFirst = records.isEmpty
                    do {
                        guard
                            let record = try record(
                                bytes, &position, delimiter,
                                wrong: { TableError.quote($0, file.path, line: block.line(at: $1)) })
                        else { break }
                        records.append(record)
                    } catch {
                        guard !isFirst else { throw error }
                        break
                    }
                }
                return records
            }
        }
        var delimiter = guess ?? block.withBytes { sniff($0) }
        var rows = try records(HeaderGuess.lookedAt + 1, delimiter)
        // Excel writes "sep=;" before a table whose fields are not separated as it expects.
        let told = rows.first.flatMap { separator($0, delimiter) }
        if let told {
            delimiter = options.delimiter ?? told
            rows = Array(try records(HeaderGuess.lookedAt + 2, delimiter).dropFirst())
        }
        guard let first = rows.first else {
            throw TreadleError(.badData, "\(file.path) holds no record, only empty lines")
        }
        // A first record as long as the block leaves the second to the next one.
        if rows.count == 1, try cutter.next(block) { rows += try records(HeaderGuess.lookedAt, delimiter) }
        var format = TableFormat(delimiter: delimiter, hasHeader: false, width: first.count, names: nil)
        format.leading = told == nil ? 0 : 1
        if let header = options.header {
            format.hasHeader = header
        } else if TableFormat.names(known, are: first) {
            format.hasHeader = true
        } else {
            let guess = HeaderGuess(first, Array(rows.dropFirst()), named: options)
            format.hasHeader = guess.isHeader
            format.remark = guess.remark.map { "\(file.path): \($0)" }
        }
        if format.hasHeader { format.take(names: first, file.path) }
        return format
    }

    package init(delimiter: UInt8, hasHeader: Bool, width: Int, names: [String]?) {
        self.delimiter = delimiter
        self.hasHeader = hasHeader
        self.width = width
        self.names = names
    }

    /// What "sep=;" says, however its fields were separated.
    private static func separator(_ record: [String], _ delimiter: UInt8) -> UInt8? {
        if record == ["sep=", ""] { return delimiter }
        guard record.count == 1, record[0].utf8.count == 5, record[0].hasPrefix("sep=") else { return nil }
        return record[0].utf8.last
    }

    /// Whether a record holds names that are known: one of them, or all where they are numbers, which data hold as well.
    private static func names(_ known: Set<String>, are record: [String]) -> Bool {
        let words = known.filter { Int($0) == nil }
        guard words.isEmpty else { return !words.isDisjoint(with: record) }
        return !known.isEmpty && known.isSubset(of: record)
    }

    /// Names columns, each differently: a name that comes again is numbered, as pandas does.
    private mutating func take(names given: [String], _ path: String) {
        var taken = Set(given)
        var seen: Set<String> = []
        var renamed: [String] = []
        names = given.enumerated().map { index, name in
            let name = name.isEmpty ? "column \(index + 1)" : name
            guard !seen.insert(name).inserted else { return name }
            var number = 1
            while taken.contains("\(name).\(number)") { number += 1 }
            let other = "\(name).\(number)"
            taken.insert(other)
            seen.insert(other)
            renamed.append("\"\(other.printable)\"")
            return other
        }
        if given.contains(where: { $0.contains("\u{FFFD}") }) {
            remark =
                "\(path): the columns' names are not UTF-8; convert the file, as with iconv -f WINDOWS-1252 -t UTF-8"
                + (remark.map { "; \($0)" } ?? "")
        }
        guard !renamed.isEmpty else { return }
        let list = renamed.prefix(10).joined(separator: ", ") + (renamed.count > 10 ? ", …" : "")
        remark = "\(path): columns of the same name are told apart as \(list)" + (remark.map { "; \($0)" } ?? "")
    }

    /// The delimiter that splits the first record into the most fields.
    private static func sniff(_ bytes: Span<UInt8>) -> UInt8 {
        var best = UInt8(ascii: ",")
        var most = 1
        for candidate in [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")] {
            var position = 0
            let fields = try? record(bytes, &position, candidate) { TableError.quote($0, "", line: $1) }
            if let fields, fields.count > most {
                most = fields.count
                best = candidate
            }
        }
        return best
    }

    /// The fields of the record at `position`; nil at the end. `wrong` makes an error of a quote and its place.
    private static func record(
        _ bytes: Span<UInt8>, _ position: inout Int, _ delimiter: UInt8,
        wrong: (DelimitedField.End, Int) -> TreadleError
    ) throws -> [String]? {
        guard DelimitedField.skipEmptyLines(bytes, &position) else { return nil }
        var fields: [String] = []
        while true {
            let field = DelimitedField(bytes, &position, delimiter: delimiter)
            fields.append(field.text(bytes))
            switch field.end {
            case .delimiter: continue
            case .record: return fields
            case .unclosedQuote, .textAfterQuote:
                throw wrong(field.end, field.range.lowerBound)
            }
        }
    }
}

/// Whether the first record of a table names its columns, told by how it differs from those below.
struct HeaderGuess {
    /// Records below the first that are compared with it.
    static let lookedAt = 100

    private(set) var isHeader: Bool
    private(set) var remark: String?

    private enum Form { case missing, number, date, word }

    init(_ first: [String], _ rows: [[String]], named options: TableOptions) {
        let below = rows.filter { $0.count == first.count }
        let forms = first.map(HeaderGuess.form)
        // By column: what all values below are, where they are of one form.
        let common = first.indices.map { column -> Form? in
            let found = Set(below.map { HeaderGuess.form($0[column]) }).subtracting([.missing])
            return found.count == 1 ? found.first : nil
        }
        isHeader = false
        // A name that was asked for and is no place: then it is a name.
        let asked = options.targets + (options.inputs ?? []) + options.kinds.map(\.column)
        if asked.contains(where: { first.contains($0) && (Int($0)?.magnitude ?? .max) > first.count }) {
            isHeader = true
        } else if zip(forms, common).contains(where: { $0 == .word && ($1 == .number || $1 == .date) }) {
            isHeader = true
        } else if zip(forms, common).contains(where: { $0 != .word && $0 != .missing && $0 == $1 }) {
            guard let what = HeaderGuess.series(first, below) else { return }
            isHeader = true
            remark =
                "the first row holds \(what), and is taken for the columns' names; if it is data, say --header no"
        } else if below.isEmpty {
            isHeader = !forms.contains(.number) && !forms.contains(.date)
        } else {
            // Only words: names are all different, and are no values of their columns.
            let isRepeated = first.indices.contains { column in
                forms[column] != .missing && below.contains { $0[column] == first[column] }
            }
            isHeader = Set(first).count == first.count && !isRepeated
        }
    }

    private static func form(_ text: String) -> Form {
        if DelimitedField.isMissing(text) { return .missing }
        if Double(text) != nil { return .number }
        guard let short = ShortText(Array(text.utf8).span) else { return .word }
        return DateFormat.found.contains { CalendarTime(short, $0) != nil } ? .date : .word
    }

    /// What names that are numbers look like: years or places one after the other, where rows have nothing of the kind.
    private static func series(_ first: [String], _ below: [[String]]) -> String? {
        func numbers(_ record: [String]) -> [Int]? {
            let numbers = record.compactMap { Int($0) }
            guard numbers.count == record.count, numbers.count > 1 else { return nil }
            return zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 } ? numbers : nil
        }
        guard let series = numbers(first), below.count > 1, !below.contains(where: { numbers($0) != nil }) else {
            return nil
        }
        if series[0] >= 1800, series[series.count - 1] <= 2200 {
            return "years, \(first[0]) to \(first[first.count - 1])"
        }
        guard series[0] <= 1, series.count > 2 else { return nil }
        return "the numbers from \(first[0]) to \(first[first.count - 1])"
    }
}

extension String {
    fileprivate var hasTabExtension: Bool {
        let name = hasSuffix(".gz") ? String(dropLast(3)) : self
        return name.hasSuffix(".tsv") || name.hasSuffix(".tab")
    }
}
