internal import TreadleModel

/// The numbers of one block of records: what a worker makes of it.
package final class ParsedBlock<S: ParsedNumber> {
    /// Rows × inputs, and rows × targets, row-major; they may be longer than the rows need.
    package private(set) var inputs: [S] = []
    package private(set) var targets: [Double] = []
    package private(set) var rows = 0
    /// How many numbers are infinite, or were too large for S.
    private(set) var overflows = 0
    /// By field: how many values are none of what its column has, and where in the block the first of them stands.
    private(set) var strangers: [Int: (count: Int, place: Int)] = [:]
    /// Whether the record being read lacks its target.
    private var isIncomplete = false

    package init() {}

    /// Parses `block`, of which `skip` records are a header.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func parse(_ block: RecordBlock, skip: Int, _ layout: TableLayout, path: String) throws {
        rows = 0
        overflows = 0
        strangers = [:]
        // A record ends a line, and has at least its delimiters: empty lines ask for no memory.
        let lines = block.count == 0 ? 0 : block.line(at: block.count) - block.firstLine + 1
        let most = min(lines, block.count / max(1, layout.roles.count) + 1)
        grow(&inputs, most * layout.inputCount)
        grow(&targets, most * layout.targetCount)
        // Moved out, so that storing into them copies nothing.
        var x: [S] = []
        var y: [Double] = []
        swap(&x, &inputs)
        swap(&y, &targets)
        defer {
            swap(&x, &inputs)
            swap(&y, &targets)
        }
        try block.withBytes { bytes in
            var position = 0
            for _ in 0..<skip where DelimitedField.skipEmptyLines(bytes, &position) {
                while case .delimiter = DelimitedField(bytes, &position, delimiter: layout.format.delimiter).end {}
            }
            var xs = x.mutableSpan
            var ys = y.mutableSpan
            while DelimitedField.skipEmptyLines(bytes, &position) {
                isIncomplete = false
                try parseRecord(bytes, &position, &xs, &ys, layout, block, path)
                rows += isIncomplete ? 0 : 1
            }
        }
    }

    /// Exchanges the inputs' memory with the caller's, who reads them without a copy.
    func exchange(_ values: inout [S]) { swap(&values, &inputs) }

    private func grow<Value: Numeric>(_ values: inout [Value], _ count: Int) {
        if values.count < count { values = [Value](repeating: 0, count: count) }
    }

    @inline(__always)
    private func parseRecord(
        _ bytes: Span<UInt8>, _ position: inout Int, _ x: inout MutableSpan<S>, _ y: inout MutableSpan<Double>,
        _ layout: TableLayout, _ block: RecordBlock, _ path: String
    ) throws {
        let start = position
        let delimiter = layout.format.delimiter
        let xRow = rows * layout.inputCount
        let yRow = rows * layout.targetCount
        var field = 0
        var ended = false
        while !ended && field < layout.roles.count {
            if case let column = layout.plainInputs[field], column >= 0 {
                // Most fields are plain numbers: read once, digits to delimiter.
                let before = position
                if let value = S.scan(bytes, &position),
                    let end = DelimitedField.end(bytes, &position, delimiter: delimiter)
                {
                    x[xRow + column] = value
                    if !value.isFinite { overflows += 1 }
                    field += 1
                    ended = end == .record
                    continue
                }
                position = before
            }
            let value = DelimitedField(bytes, &position, delimiter: delimiter)
            guard value.end == .record || value.end == .delimiter else {
                throw TableError.quote(value.end, path, line: block.line(at: value.range.lowerBound))
            }
            try store(value, field, bytes, &x, xRow, &y, yRow, layout, block, path)
            field += 1
            ended = value.end == .record
        }
        guard ended && field == layout.roles.count else {
            var again = start
            var count = 1
            while case .delimiter = DelimitedField(bytes, &again, delimiter: delimiter).end { count += 1 }
            throw TableError.ragged(path, line: block.line(at: start), fields: count, width: layout.roles.count)
        }
    }

    @inline(never)
    private func store(
        _ value: DelimitedField, _ field: Int, _ bytes: Span<UInt8>, _ x: inout MutableSpan<S>, _ xRow: Int,
        _ y: inout MutableSpan<Double>, _ yRow: Int, _ layout: TableLayout, _ block: RecordBlock, _ path: String
    ) throws {
        switch layout.roles[field] {
        case .skipped:
            break
        case .input(let column):
            guard let number = value.number(bytes, as: S.self, takesTruth: true) else {
                throw TableError.text(
                    value.text(bytes), layout, field: field, path, line: block.line(at: value.range.lowerBound))
            }
            x[xRow + column] = number
        case .number(let column, let form):
            x[xRow + column] = number(value, form, bytes) ?? stranger(field, value)
            if x[xRow + column].isInfinite { overflows += 1 }
        case .flag(let column, let no, let yes):
            x[xRow + column] = flag(value, no, yes, bytes) ?? stranger(field, value)
        case .category(let column, let values):
            let code = code(value, values, bytes)
            if code == 0 { _ = stranger(field, value) }
            x[xRow + column] = S(code)
        case .date(let column, let parts, let origin, let format):
            let text = value.isMissing(bytes) ? nil : ShortText(bytes.extracting(value.trimmed(bytes)))
            let time = text.flatMap { CalendarTime($0, format) }
            if time == nil, !value.isMissing(bytes) { _ = stranger(field, value) }
            for (index, part) in parts.enumerated() {
                x[xRow + column + index] = time.map { S(part.value(of: $0, origin: origin)) } ?? .nan
            }
        case .oneHot(let values):
            for column in values.values { x[xRow + column] = 0 }
            if let column = values[value.text(bytes)] { x[xRow + column] = 1 }
        case .target(let column, let form):
            guard !value.isMissing(bytes) else { return isIncomplete = true }
            guard let number: Double = number(value, form, bytes) else {
                throw TableError.target(
                    value.text(bytes), layout, field: field, path, line: block.line(at: value.range.lowerBound))
            }
            y[yRow + column] = number
        case .label(let column, let classes):
            guard !value.isMissing(bytes) else { return isIncomplete = true }
            guard let number = value.withWord(bytes, { classes.find(anyForm: $0) }) else {
                throw TableError.label(
                    value.text(bytes), layout, field: field, path, line: block.line(at: value.range.lowerBound))
            }
            y[yRow + column] = Double(number)
        }
    }

    /// Counts a value that its column does not know; it is treated as a missing one.
    private func stranger(_ field: Int, _ value: DelimitedField) -> S {
        strangers[field, default: (0, value.range.lowerBound)].count += 1
        return .nan
    }

    /// NaN where the value is missing, nil where it is no number of this form.
    private func number<N: ParsedNumber>(_ value: DelimitedField, _ form: TableSchema.NumberForm, _ bytes: Span<UInt8>)
        -> N?
    {
        if form.isPlain { return value.number(bytes, as: N.self) }
        if value.isMissing(bytes) { return .nan }
        return ShortText(bytes.extracting(value.trimmed(bytes))).flatMap { NumberText($0)?.value(form, as: N.self) }
    }

    private func flag(_ value: DelimitedField, _ no: String, _ yes: String, _ bytes: Span<UInt8>) -> S? {
        if value.isMissing(bytes) { return .nan }
        return value.withWord(bytes) { word in
            if word.equals(no) { return 0 }
            if word.equals(yes) { return 1 }
            // Programs write TRUE, True and true, and mean the same.
            let text = word.text(0..<word.count).lowercased()
            return text == no.lowercased() ? 0 : text == yes.lowercased() ? 1 : nil
        }
    }

    private func code(_ value: DelimitedField, _ values: WordTable, _ bytes: Span<UInt8>) -> Int {
        if value.isMissing(bytes) { return 1 }
        return value.withWord(bytes) { values.find(anyForm: $0).map { $0 + 2 } ?? 0 }
    }
}

extension Span<UInt8> {
    fileprivate func equals(_ text: String) -> Bool {
        let other = text.utf8
        guard other.count == count else { return false }
        for (index, byte) in other.enumerated() where self[index] != byte { return false }
        return true
    }
}

extension WordTable {
    /// The number of a word, also of one that is no valid UTF-8 and was repaired when the table was made.
    fileprivate func find(anyForm word: Span<UInt8>) -> Int? {
        if let number = find(word) { return number }
        for index in word.indices where word[index] >= 0x80 {
            return find(Array(word.text(0..<word.count).utf8).span)
        }
        return nil
    }
}
