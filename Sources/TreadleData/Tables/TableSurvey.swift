internal import HDF5
internal import TreadleBase

/// What one reading of a table finds out before anything is written: how many rows, and what its columns hold.
struct TableSurvey {
    /// How to read each column, in the order of the first file's.
    let readings: [ColumnSurvey.Reading]
    /// Columns without whose values a row is left out.
    let targets: [Int]
    let identifiers: Set<Int>

    private(set) var columns: [ColumnSurvey]
    /// All rows, and those that have their targets.
    private(set) var rows = 0
    private(set) var complete = 0

    init(_ readings: [ColumnSurvey.Reading], targets: [Int], identifiers: Set<Int> = []) {
        self.readings = readings
        self.targets = targets
        self.identifiers = identifiers
        let mostNumbers = readings.count > 1_000 ? 32 : 100
        columns = readings.enumerated().map { index, reading in
            ColumnSurvey(
                reading, looksLikeIdentifier: identifiers.contains(index),
                mostNumbers: targets.contains(index) ? 1_000 : mostNumbers)
        }
    }

    /// Surveys one block; `skip` records of it are a header, and `order` says which column each field is.
    ///
    /// Throws where records are not as wide as `order`.
    mutating func add(_ block: RecordBlock, skip: Int, _ format: TableFormat, order: [Int], path: String) throws {
        var isTarget = [Bool](repeating: false, count: readings.count)
        for target in targets { isTarget[target] = true }
        try block.withBytes { bytes in
            var position = 0
            var record = 0
            while DelimitedField.skipEmptyLines(bytes, &position) {
                let start = position
                var field = 0
                var more = true
                var isComplete = true
                while more {
                    let value = DelimitedField(bytes, &position, delimiter: format.delimiter)
                    if value.end != .record && value.end != .delimiter {
                        throw TableError.quote(value.end, path, line: block.line(at: value.range.lowerBound))
                    }
                    more = value.end == .delimiter
                    if record >= skip, field < order.count {
                        let column = order[field]
                        if readings[column] != .ignored { columns[column].add(value, bytes) }
                        if isTarget[column], value.isMissing(bytes) { isComplete = false }
                    }
                    field += 1
                }
                guard record < skip || field == order.count else {
                    throw TableError.ragged(path, line: block.line(at: start), fields: field, width: order.count)
                }
                if record >= skip {
                    rows += 1
                    complete += isComplete ? 1 : 0
                }
                record += 1
            }
        }
    }

    /// Adds what was found in `block`, the one that follows.
    mutating func merge(_ other: TableSurvey, _ block: RecordBlock, path: String) {
        rows += other.rows
        complete += other.complete
        for index in columns.indices where readings[index] != .ignored {
            columns[index].merge(other.columns[index], line: block.line, path: path)
        }
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
        TreadleError(
            .badData,
            "\(path):\(line): \(layout.name(ofField: field)) holds \"\(short(text))\" where a number is due; the model "
                + "learned from numbers there; write one"
                + (layout.isByName ? "" : ", or name the columns as in training"))
    }

    static func target(_ text: String, _ layout: TableLayout, field: Int, _ path: String, line: Int) -> TreadleError {
        TreadleError(
            .badData,
            "\(path):\(line): the target, \(layout.name(ofField: field)), is \"\(short(text))\" where a number is due; "
                + "write one, or leave it empty")
    }

    static func label(_ text: String, _ layout: TableLayout, field: Int, _ path: String, line: Int) -> TreadleError {
        TreadleError(
            .badData,
            "\(path):\(line): the target, \(layout.name(ofField: field)), is \"\(short(text))\", "
                + "which is none of the classes" + (layout.remedy.map { "; " + $0 } ?? ""))
    }

    static func short(_ text: String) -> String {
        (text.count > 40 ? text.prefix(40) + "…" : text[...]).description.printable
    }
}
