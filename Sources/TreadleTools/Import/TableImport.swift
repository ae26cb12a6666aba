internal import HDF5
internal import TreadleBase
internal import TreadleData

/// Imports delimited text: one reading to count rows and find classes, one to write numbers.
struct TableImport {
    private let job: Import
    private let files: [InputFile]
    private let format: TableFormat
    private let selection: ColumnSelection
    private let blocks: [RecordBlock]

    init(_ job: Import, _ files: [InputFile]) throws {
        self.job = job
        self.files = files
        format = try TableFormat.detect(files[0], job.request.table)
        for file in files.dropFirst() {
            let other = try TableFormat.detect(file, job.request.table)
            guard other.width == format.width, other.names == format.names else {
                throw TreadleError(
                    .badData, "\(file.path) has other columns than \(files[0].path); the parts of a table need the same"
                )
            }
        }
        if job.request.needsTarget, job.request.table.targets.isEmpty {
            throw TreadleError(
                .usage,
                "\(files[0].path): which column is to be predicted? Name it with --target, or import inputs alone with "
                    + "--no-target; \(ColumnReferences(format: format, path: files[0].path).listing)")
        }
        selection = try ColumnSelection(format, job.request.table, path: files[0].path)
        blocks = (0..<job.workers.count * 2).map { _ in RecordBlock(capacity: 1 << 20) }
    }

    func run() throws -> ImportSummary {
        let survey = try survey()
        guard survey.rows > 0 else {
            throw TreadleError(
                .badData, "\(files[0].path) has no rows below its header; there is nothing to learn from")
        }
        let targets = try TableTargets(survey, format, selection, job.request, path: files[0].path)
        let categories = try categories(survey)
        let layout = selection.layout(
            format, categories: categories, classes: targets.mapping.map { [selection.targets[0]: $0] } ?? [:])

        let xType = job.request.float64 ? OutputElement.float64 : .float32
        var plans = [DatasetFile.Plan(name: "x", shape: [survey.rows, layout.inputCount], type: xType)]
        if layout.targetCount > 0 {
            let shape = layout.targetCount == 1 ? [survey.rows] : [survey.rows, layout.targetCount]
            plans.append(DatasetFile.Plan(name: "y", shape: shape, type: targets.type))
        }
        var texts: [(name: String, values: [String])] = []
        if let classes = targets.classes { texts.append(("classes", classes)) }
        if let columns = layout.inputNames { texts.append(("columns", columns)) }
        let output = try DatasetFile(
            job.request.output, replacing: job.request.replacing, compress: job.request.compress, plans, texts: texts,
            attributes: job.attributes)
        let overflows =
            job.request.float64
            ? try write(Double.self, layout, survey.rows, targets.type, to: output)
            : try write(Float.self, layout, survey.rows, targets.type, to: output)
        try output.finish()

        var notes = targets.notes
        if overflows > 0 {
            notes.append(
                "\(overflows) value\(overflows == 1 ? " is" : "s are") infinite or beyond float32; --float64 reaches further"
            )
        }
        return ImportSummary(
            arrays: plans.map { .init(name: "/\($0.name)", shape: $0.shape, type: "\($0.type.stored)") },
            classes: targets.classes, columns: layout.inputNames, notes: notes)
    }

    /// The values of the columns that become one column each value.
    private func categories(_ survey: TableSurvey) throws -> [Int: [String]] {
        var categories: [Int: [String]] = [:]
        for field in selection.oneHot {
            let values = survey.columns[field]?.sorted ?? []
            guard values.count <= 1_000 else {
                let name = ColumnReferences(format: format, path: files[0].path).name(field)
                throw TreadleError(
                    .badData,
                    "\(files[0].path): \(name) has more than 1,000 different values, too many for --one-hot; "
                        + "leave it out with --drop")
            }
            categories[field] = values
        }
        return categories
    }

    private func survey() throws -> TableSurvey {
        var total = TableSurvey()
        try forEachGroup(pass: 0) { file, blocks, skip in
            let found = Slots<TableSurvey>(blocks.count)
            let countsNumbers = total.columns.isEmpty || total.countsNumbers
            try inParallel(blocks.count) { index in
                found[index] = try TableSurvey.of(
                    blocks[index], skip: index == 0 ? skip : 0, format, targets: selection.targets,
                    categories: selection.oneHot, countNumbers: countsNumbers, path: file.path)
            }
            for part in found.values { if let part { total.merge(part) } }
        }
        return total
    }

    /// Writes all rows and returns how many values were too large for S.
    private func write<S: ParsedNumber & H5Number>(
        _: S.Type, _ layout: TableLayout, _ rows: Int, _ targetType: OutputElement, to output: DatasetFile
    ) throws -> Int {
        let parsed = blocks.map { _ in ParsedBlock<S>() }
        var next = 0
        var overflows = 0
        try forEachGroup(pass: 1) { file, blocks, skip in
            try inParallel(blocks.count) { index in
                try parsed[index].parse(blocks[index], skip: index == 0 ? skip : 0, layout, path: file.path)
            }
            let starts = parsed[..<blocks.count].map { block in
                defer { next += block.rows }
                return next
            }
            guard next <= rows else { throw changed(file) }
            let store = { (index: Int) in
                let block = parsed[index]
                let range = starts[index]..<starts[index] + block.rows
                try output.write(block.inputs, count: block.rows * layout.inputCount, rows: range, of: 0)
                if layout.targetCount > 0 {
                    try block.writeTargets(block.rows * layout.targetCount, as: targetType, rows: range, to: output)
                }
            }
            if job.request.compress {
                for index in blocks.indices { try store(index) }
            } else {
                try inParallel(blocks.count, store)
            }
            overflows += parsed[..<blocks.count].reduce(0) { $0 + $1.overflows }
        }
        guard next == rows else { throw changed(files[0]) }
        return overflows
    }

    private func changed(_ file: InputFile) -> TreadleError {
        TreadleError(.inputOutput, "\(file.path) changed while it was read; import it again when it is complete")
    }

    /// Reads all files and hands over some blocks at a time, of whose first `skip` records are a header.
    private func forEachGroup(
        pass: Int, _ body: (_ file: InputFile, _ blocks: ArraySlice<RecordBlock>, _ skip: Int) throws -> Void
    ) throws {
        let size = files.reduce(0) { $0 + $1.size }
        var before = pass * size
        for file in files {
            let cutter = RecordCutter(try ByteSource(file), delimiter: format.delimiter)
            var skip = format.hasHeader ? 1 : 0
            while true {
                var count = 0
                while count < blocks.count, try cutter.next(blocks[count]) { count += 1 }
                if count == 0 { break }
                try body(file, blocks[..<count], skip)
                skip = 0
                try job.stop.check()
                job.progress(ImportProgress(done: before + cutter.position, total: 2 * size))
            }
            before += file.size
        }
    }

    /// Runs `body` for every index on the workers and throws what the first index threw.
    private func inParallel(_ count: Int, _ body: (Int) throws -> Void) throws {
        let failures = Slots<any Error>(count)
        job.workers.forEach(count) { index, _ in
            do { try body(index) } catch { failures[index] = error }
        }
        for failure in failures.values { if let failure { throw failure } }
    }
}

/// A place for each of a number of tasks to leave its result in; tasks may fill different places at the same time.
final class Slots<Value> {
    private final class Slot { var value: Value? }
    private let slots: [Slot]

    init(_ count: Int) { slots = (0..<count).map { _ in Slot() } }

    subscript(index: Int) -> Value? {
        get { slots[index].value }
        set { slots[index].value = newValue }
    }

    var values: [Value?] { slots.map(\.value) }
}

extension ParsedBlock {
    fileprivate func writeTargets(
        _ count: Int, as type: OutputElement, rows: Range<Int>, to output: DatasetFile
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
