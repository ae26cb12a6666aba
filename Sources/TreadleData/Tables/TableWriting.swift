internal import HDF5
internal import TreadleBase
internal import TreadleModel

/// The second reading of a table: its records become numbers, and the numbers rows of a file.
struct TableWriting<S: ParsedNumber & H5Number> {
    private let parts: TableParts
    private let plan: TableConversion.Plan
    private let file: DatasetWriter
    private let isCompressed: Bool

    init(_ parts: TableParts, _ plan: TableConversion.Plan, _ file: DatasetWriter, isCompressed: Bool) {
        self.parts = parts
        self.plan = plan
        self.file = file
        self.isCompressed = isCompressed
    }

    @specialized(where S == Float)
    @specialized(where S == Double)
    func run(_ workers: Workers, _ stop: Stop, _ progress: (Int) -> Void) throws -> TableTally {
        let parsed = (0..<workers.count * 2).map { _ in ParsedBlock<S>() }
        var tally = TableTally()
        var next = 0
        try parts.forEachGroup(stop, progress) { fileIndex, blocks, skip in
            let path = parts.files[fileIndex].path
            let layout = plan.layouts[fileIndex]
            try workers.forEachTrying(blocks.count) { index, _ in
                try parsed[index].parse(blocks[index], skip: index == 0 ? skip : 0, layout, path: path)
            }
            let starts = parsed[..<blocks.count].map { block in
                defer { next += block.rows }
                return next
            }
            guard next <= plan.rows else { throw changed(path) }
            let store = { (index: Int) in
                let block = parsed[index]
                let rows = starts[index]..<starts[index] + block.rows
                try file.write(block.inputs, count: block.rows * layout.inputCount, rows: rows, of: 0)
                if layout.targetCount > 0 {
                    try block.writeTargets(block.rows * layout.targetCount, as: plan.targetType, rows: rows, to: file)
                }
            }
            if isCompressed {
                for index in blocks.indices { try store(index) }
            } else {
                try workers.forEachTrying(blocks.count) { index, _ in try store(index) }
            }
            for (block, parsed) in zip(blocks, parsed) { tally.add(parsed, block, layout, path) }
        }
        guard next == plan.rows else { throw changed(parts.files[0].path) }
        return tally
    }

    private func changed(_ path: String) -> TreadleError {
        TreadleError(.inputOutput, "\(path) changed while it was read; import it again when it is complete")
    }
}

/// What was found in the values while they were written.
struct TableTally {
    private var overflows = 0
    /// By place in x: values that the column does not know, and the first of them.
    private var strangers: [Int: (count: Int, path: String, line: Int)] = [:]

    mutating func add<S: ParsedNumber>(
        _ block: ParsedBlock<S>, _ records: RecordBlock, _ layout: TableLayout, _ path: String
    ) {
        overflows += block.overflows
        for (field, found) in block.strangers {
            guard let place = layout.roles[field].place else { continue }
            let first = strangers[place]
            strangers[place] = (
                found.count + (first?.count ?? 0), first?.path ?? path, first?.line ?? records.line(at: found.place)
            )
        }
    }

    /// For each column of a schema how many values of a category are none of those that it knows.
    func unseen(_ schema: TableSchema) -> [Int64] {
        var place = 0
        return schema.columns.map { column in
            defer { place += column.storedWidth }
            guard case .category = column.kind else { return 0 }
            return Int64(strangers[place]?.count ?? 0)
        }
    }

    /// What to say of them; an error where a column is not what it should be.
    func notes(_ plan: TableConversion.Plan, remedy: String?) throws -> [String] {
        var notes: [String] = []
        var problems: [String] = []
        var place = 0
        // A schema that was made from these very rows comes with findings, which tell of such values already.
        for column in plan.schema.columns where plan.findings.isEmpty {
            defer { place += column.storedWidth }
            guard let found = strangers[place] else { continue }
            let values = "\(found.count) value\(found.count == 1 ? "" : "s") of \"\(column.name.printable)\""
            let first = "the first in \(found.path):\(found.line)"
            switch column.kind {
            case .category(_, let hasOther, _):
                // The schema keeps no list of the values that were pooled as rare, so a rare value and an unseen one
                // look alike here.
                let was = (found.count == 1 ? "was" : "were") + (hasOther ? " rare or" : "")
                notes.append("\(values) \(was) not seen in training (\(first)): taken as \"other\"")
            case .number, .flag, .date:
                guard 2 * found.count <= plan.rows else {
                    problems.append(
                        "\"\(column.name.printable)\" is a \(column.kind.word) for the model, but \(found.count) of "
                            + "\(plan.rows) rows hold something else, \(first)" + (remedy.map { "; " + $0 } ?? ""))
                    continue
                }
                notes.append(
                    "\(values) \(found.count == 1 ? "is" : "are") no \(column.kind.word) (\(first)): taken as missing")
            }
        }
        guard problems.isEmpty else { throw TreadleError(.badData, messages: problems) }
        if overflows > 0 {
            notes.append(
                "\(overflows) value\(overflows == 1 ? " is" : "s are") infinite or beyond float32; --float64 reaches further"
            )
        }
        return notes
    }
}

extension TableLayout.Role {
    /// The first column of x that is made from it.
    fileprivate var place: Int? {
        switch self {
        case .input(let place), .number(let place, _), .flag(let place, _, _), .category(let place, _),
            .date(let place, _, _, _):
            place
        case .skipped, .oneHot, .target, .label: nil
        }
    }
}

extension ParsedBlock {
    fileprivate func writeTargets(
        _ count: Int, as type: OutputElement, rows: Range<Int>, to output: DatasetWriter
    ) throws {
        switch type {
        case .uint8: try output.write(targets[..<count].map { UInt8($0) }, count: count, rows: rows, of: 1)
        case .int32: try output.write(targets[..<count].map { Int32($0) }, count: count, rows: rows, of: 1)
        case .int64: try output.write(targets[..<count].map { Int64($0) }, count: count, rows: rows, of: 1)
        case .float32: try output.write(targets[..<count].map { Float($0) }, count: count, rows: rows, of: 1)
        case .float64: try output.write(targets, count: count, rows: rows, of: 1)
        case .text: preconditionFailure("targets are stored as numbers")
        }
    }
}
