internal import TreadleBase

/// How a delimited text is laid out: what lies between its fields, whether it names its columns, how many there are.
package struct TableFormat: Equatable, Sendable {
    package var delimiter: UInt8
    package var hasHeader: Bool
    /// How many fields each record has.
    package var width: Int
    /// The header's names; nil without one.
    package var names: [String]?

    /// Looks at the first records of a file for what `options` leave open.
    package static func detect(_ file: InputFile, _ options: TableOptions) throws -> TableFormat {
        let block = RecordBlock(capacity: 1 << 16)
        // Any delimiter finds the records' ends, unless a lone quote stands in a field: then the first guess decides.
        let guess = options.delimiter ?? (file.path.lowercased().hasTabExtension ? UInt8(ascii: "\t") : nil)
        let cutter = RecordCutter(try ByteSource(file), delimiter: guess ?? UInt8(ascii: ","))
        guard try cutter.next(block) else {
            throw TreadleError(.badData, "\(file.path) is empty; a table needs at least one row")
        }
        return try block.withBytes { bytes in
            let delimiter = guess ?? sniff(bytes)
            var position = 0
            let first = try record(bytes, &position, delimiter) {
                TableError.quote($0, file.path, line: block.line(at: $1))
            }
            // What is wrong with later records is told when they are read.
            let second = try? record(bytes, &position, delimiter) { TableError.quote($0, file.path, line: $1) }
            guard let first else { throw TreadleError(.badData, "\(file.path) holds no record, only empty lines") }
            let hasHeader = options.header ?? looksLikeHeader(first, second)
            return TableFormat(
                delimiter: delimiter, hasHeader: hasHeader, width: first.count, names: hasHeader ? first : nil)
        }
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

    /// A header has words where the row below has numbers; where the table is all words, its first row names columns.
    private static func looksLikeHeader(_ first: [String], _ second: [String]?) -> Bool {
        func isNumber(_ text: String) -> Bool { Double(text) != nil }
        if let second, first.count == second.count {
            if zip(first, second).contains(where: { !isNumber($0) && !$0.isEmpty && isNumber($1) }) { return true }
        }
        return !first.contains(where: isNumber)
    }
}

extension String {
    fileprivate var hasTabExtension: Bool {
        let name = hasSuffix(".gz") ? String(dropLast(3)) : self
        return name.hasSuffix(".tsv") || name.hasSuffix(".tab")
    }
}
