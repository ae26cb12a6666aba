internal import HDF5
internal import TreadleBase

/// What one reading of a table finds out before anything is written: how many rows, and the values of its words.
package struct TableSurvey {
    /// More different words than this in one column are names or free text, not classes or categories.
    package static let mostValues = 65_536
    /// So many different numbers of a target are remembered in case that words follow.
    private static let mostNumbers = 1_000

    /// What a column has that may become classes or categories.
    package struct Values {
        /// The different texts; of numbers only while they are few.
        package var texts: Set<String> = []
        package var hasWords = false
        package var hasMissing = false
        package var tooManyNumbers = false
        /// True while every number is an integer that 32 bits hold.
        package var isInteger = true
        package var largest = -Double.infinity
        package var smallest = Double.infinity

        package init() {}
    }

    package var rows = 0
    /// By field.
    package var columns: [Int: Values] = [:]

    package init() {}

    /// Surveys one block; `skip` records of it are a header.
    ///
    /// Throws where records are not `format.width` fields wide.
    package static func of(
        _ block: RecordBlock, skip: Int, _ format: TableFormat, targets: [Int], categories: Set<Int>,
        countNumbers: Bool, path: String
    ) throws -> TableSurvey {
        var interest = [UInt8](repeating: 0, count: format.width)
        for field in targets { interest[field] = 1 }
        for field in categories { interest[field] = 2 }
        var survey = TableSurvey()
        var found: [Int: Values] = [:]
        for field in targets + Array(categories) { found[field] = Values() }
        try block.withBytes { bytes in
            var position = 0
            var record = 0
            while DelimitedField.skipEmptyLines(bytes, &position) {
                let start = position
                var field = 0
                var more = true
                while more {
                    let value = DelimitedField(bytes, &position, delimiter: format.delimiter)
                    if value.end != .record && value.end != .delimiter {
                        throw TableError.quote(value.end, path, line: block.line(at: value.range.lowerBound))
                    }
                    more = value.end == .delimiter
                    if field < format.width, interest[field] != 0, record >= skip {
                        if interest[field] == 1 {
                            found[field]?.addTarget(value, bytes, countNumbers: countNumbers)
                        } else {
                            found[field]?.addText(value.text(bytes))
                        }
                    }
                    field += 1
                }
                guard field == format.width else {
                    throw TableError.ragged(path, line: block.line(at: start), fields: field, width: format.width)
                }
                record += 1
            }
            survey.rows = max(0, record - skip)
        }
        survey.columns = found
        return survey
    }

    package mutating func merge(_ other: TableSurvey) {
        rows += other.rows
        columns.merge(other.columns) { $0.merging($1) }
    }

    /// Whether numbers still have to be remembered.
    package var countsNumbers: Bool { columns.values.contains { !$0.tooManyNumbers } }
}

extension TableSurvey.Values {
    mutating func addTarget(_ field: DelimitedField, _ bytes: Span<UInt8>, countNumbers: Bool) {
        let range = field.trimmed(bytes)
        guard !range.isEmpty else {
            hasMissing = true
            return
        }
        var position = range.lowerBound
        guard let number = Double.scan(bytes, &position), position == range.upperBound else {
            let text = field.text(bytes)
            if ["nan", "na", "n/a", "null", "?"].contains(text.lowercased()) {
                hasMissing = true
            } else {
                addText(text)
            }
            return
        }
        largest = max(largest, number)
        smallest = min(smallest, number)
        if number != number.rounded() || abs(number) > 2_147_483_647 { isInteger = false }
        guard countNumbers, !tooManyNumbers else { return }
        texts.insert(bytes.text(range))
        if texts.count > TableSurvey.mostNumbers { tooManyNumbers = true }
    }

    mutating func addText(_ text: String) {
        hasWords = true
        if texts.count <= TableSurvey.mostValues { texts.insert(text) }
    }

    func merging(_ other: Self) -> Self {
        var sum = self
        if sum.texts.count <= TableSurvey.mostValues { sum.texts.formUnion(other.texts) }
        sum.hasWords = hasWords || other.hasWords
        sum.hasMissing = hasMissing || other.hasMissing
        let hasMore = !hasWords && sum.texts.count > TableSurvey.mostNumbers
        sum.tooManyNumbers = tooManyNumbers || other.tooManyNumbers || hasMore
        sum.isInteger = isInteger && other.isInteger
        sum.largest = max(largest, other.largest)
        sum.smallest = min(smallest, other.smallest)
        return sum
    }

    /// The texts as names of classes: numbers by size, words by their letters.
    package var sorted: [String] {
        let numbers = texts.compactMap { text in Double(text).map { ($0, text) } }
        if numbers.count == texts.count {
            return numbers.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.1)
        }
        return texts.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
    }
}

/// What can be wrong with a table, in words, with the line.
enum TableError {
    static func ragged(_ path: String, line: Int, fields: Int, width: Int) -> TreadleError {
        TreadleError(
            .badData,
            "\(path):\(line): \(fields) field\(fields == 1 ? "" : "s") where the first record has \(width); "
                + "complete the row, or quote fields that contain the delimiter")
    }

    static func quote(_ end: DelimitedField.End, _ path: String, line: Int) -> TreadleError {
        end == .unclosedQuote
            ? TreadleError(.badData, "\(path):\(line): the quoted field that begins here never ends; close its quote")
            : TreadleError(
                .badData,
                "\(path):\(line): text follows a closing quote; write a quote inside a quoted field twice (\"\")")
    }

    static func text(_ text: String, _ layout: TableLayout, field: Int, _ path: String, line: Int) -> TreadleError {
        let name = (layout.format.names?[field] ?? "\(field + 1)").printable.shellWord
        let isFoundByName = layout.format.names != nil && layout.inputNames != nil
        let advice =
            layout.isForPrediction
            ? "the model learned from numbers there; write one"
                + (isFoundByName ? "" : ", or name the columns as in training")
            : "leave the column out with --drop \(name), or give each of its values a column with --one-hot \(name)"
        return TreadleError(
            .badData,
            "\(path):\(line): \(layout.name(ofField: field)) holds \"\(short(text))\" where a number is due; \(advice)")
    }

    static func target(_ text: String, _ layout: TableLayout, field: Int, _ path: String, line: Int) -> TreadleError {
        text.isEmpty
            ? TreadleError(
                .badData, "\(path):\(line): the target, \(layout.name(ofField: field)), is empty; remove the row")
            : TreadleError(
                .badData,
                "\(path):\(line): the target, \(layout.name(ofField: field)), is \"\(short(text))\", "
                    + "which is none of the classes")
    }

    private static func short(_ text: String) -> String {
        (text.count > 40 ? text.prefix(40) + "…" : text[...]).description.printable
    }
}
