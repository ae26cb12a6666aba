/// The numbers of one block of records: what a worker makes of it.
package final class ParsedBlock<S: ParsedNumber> {
    /// Rows × inputs, and rows × targets, row-major; they may be longer than the rows need.
    package private(set) var inputs: [S] = []
    package private(set) var targets: [Double] = []
    package private(set) var rows = 0
    /// How many finite numbers were too large for S.
    package private(set) var overflows = 0

    package init() {}

    /// Parses `block`, of which `skip` records are a header.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func parse(_ block: RecordBlock, skip: Int, _ layout: TableLayout, path: String) throws {
        rows = 0
        overflows = 0
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
                try parseRecord(bytes, &position, &xs, &ys, layout, block, path)
                rows += 1
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
            if case .input(let column) = layout.roles[field] {
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
            guard let number = value.number(bytes, as: S.self) else {
                throw TableError.text(
                    value.text(bytes), layout, field: field, path, line: block.line(at: value.range.lowerBound))
            }
            x[xRow + column] = number
        case .oneHot(let values):
            for column in values.values { x[xRow + column] = 0 }
            if let column = values[value.text(bytes)] { x[xRow + column] = 1 }
        case .target(let column):
            guard let number = value.number(bytes, as: Double.self) else {
                throw TableError.text(
                    value.text(bytes), layout, field: field, path, line: block.line(at: value.range.lowerBound))
            }
            y[yRow + column] = number
        case .label(let column, let classes):
            let text = value.text(bytes)
            guard let number = classes[text] else {
                throw TableError.target(
                    text, layout, field: field, path, line: block.line(at: value.range.lowerBound))
            }
            y[yRow + column] = Double(number)
        }
    }
}
