internal import HDF5
package import TreadleBase
package import TreadleModel

/// Turns delimited text into the rows that a `TableSchema` describes, in one HDF5 file: one reading to find out what the
/// columns hold, one to write numbers.
package struct TableConversion {
    /// The parts of one dataset, in order.
    package var inputs: [String]
    package var output: Output
    /// Whether a file of that name may be replaced.
    package var replacing: Bool
    package var compress: Bool
    /// Stores fractions in 64 bits instead of 32.
    package var float64: Bool
    package var options: TableOptions
    /// What the columns are; nil finds it out.
    package var like: TableSchema?
    /// Leaves targets out and keeps the rows that have none: for prediction.
    package var ignoresTargets: Bool
    /// Whether a table without a named target is a mistake.
    package var needsTarget: Bool
    /// What else the file says about itself.
    package var attributes: [(name: String, value: String)]
    /// What the inputs must be, where others rely on their being these very files.
    var identities: [FileIdentity]?
    /// Where `like` says what the columns are: refuses columns that it does not know, and adds to each refusal what to do.
    package var remedy: String?
    /// Whether the table has other parts, which were imported before.
    var hasOthers = false

    /// Where the rows go.
    package enum Output {
        case file(String)
        /// Each part into a file of its own, with `/unseen`, which counts for every column the values of categories that it
        /// does not know. They are named once the columns are known; a part whose name is nil is there already.
        case each((TableSchema) throws -> [String?])
    }

    package init(
        inputs: [String], output: String, replacing: Bool = false, compress: Bool = false, float64: Bool = false,
        options: TableOptions = TableOptions(), like: TableSchema? = nil, ignoresTargets: Bool = false,
        needsTarget: Bool = false, attributes: [(name: String, value: String)] = []
    ) {
        self.inputs = inputs
        self.output = .file(output)
        self.replacing = replacing
        self.compress = compress
        self.float64 = float64
        self.options = options
        self.like = like
        self.ignoresTargets = ignoresTargets
        self.needsTarget = needsTarget
        self.attributes = attributes
    }

    /// What has been written.
    package struct Outcome {
        package struct Array: Equatable, Sendable {
            package var name: String
            package var shape: [Int]
            /// Its element type, as in "float32".
            package var type: String

            package init(name: String, shape: [Int], type: String) {
                self.name = name
                self.shape = shape
                self.type = type
            }
        }

        package var schema: TableSchema
        package var rows: Int
        package var arrays: [Array]
        package var classes: [String]?
        /// What became of each column, in the order of the file; empty where a schema said it.
        package var findings: [TableFinding]
        /// Things worth knowing that are not errors, a sentence each.
        package var notes: [String]
    }

    /// What is to be written, once the columns are known.
    struct Plan {
        var schema: TableSchema
        /// By file.
        var layouts: [TableLayout]
        /// Rows that have their targets, or all.
        var rows: Int
        /// The same of each file.
        var rowsOfFiles: [Int] = []
        var targetType: OutputElement
        var classes: [String]?
        var findings: [TableFinding] = []
        var notes: [String] = []
    }

    /// Writes the file, or the files, each of which appears when it is whole.
    package func write(
        workers: Workers, stop: Stop = Stop(), progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> Outcome {
        let parts = try TableParts(inputs, options, like: like, workers: workers)
        if let identities, identities != parts.files.map(\.identity) {
            throw TreadleError(
                .inputOutput, "\(inputs[0]) was replaced while it was being opened; read it again when it is complete")
        }
        return try parts.confirmed { try write(parts, workers, stop, progress) }
    }

    private func write(
        _ parts: TableParts, _ workers: Workers, _ stop: Stop, _ progress: (_ done: Int, _ total: Int) -> Void
    ) throws -> Outcome {
        let total = 2 * parts.size
        var plan = try plan(parts, workers, stop) { progress($0, total) }
        plan.notes = parts.formats.compactMap(\.remark) + plan.notes
        var outcome = Outcome(
            schema: plan.schema, rows: plan.rows, arrays: [], classes: plan.classes, findings: plan.findings, notes: [])
        var done = parts.size
        switch output {
        case .file(let path):
            guard plan.rows > 0 else {
                throw TreadleError(
                    .badData, "\(inputs[0]) has no rows below its header")
            }
            outcome.arrays = try write(parts, &plan, to: path, workers, stop) { progress(done + $0, total) }
        case .each(let names):
            for (index, path) in try names(plan.schema).enumerated() {
                guard let path else { continue }
                let part = parts.part(index)
                var own = plan.part(index)
                outcome.arrays = try write(part, &own, to: path, workers, stop) { progress(done + $0, total) }
                plan.notes = own.notes
                done += part.size
            }
        }
        outcome.notes = plan.notes
        return outcome
    }

    /// Writes one file, and notes in the plan what is worth knowing of its values.
    private func write(
        _ parts: TableParts, _ plan: inout Plan, to path: String, _ workers: Workers, _ stop: Stop,
        _ progress: (_ done: Int) -> Void
    ) throws -> [Outcome.Array] {
        let x = DatasetWriter.Plan(
            name: "x", shape: [plan.rows, plan.schema.storedWidth], type: float64 ? .float64 : .float32)
        let targets = plan.layouts[0].targetCount
        let y = DatasetWriter.Plan(
            name: "y", shape: targets == 1 ? [plan.rows] : [plan.rows, targets], type: plan.targetType)
        let unseen = DatasetWriter.Plan(name: Self.unseen, shape: [plan.schema.columns.count], type: .int64)
        let countsUnseen = if case .each = output { true } else { false }
        let arrays = (targets > 0 ? [x, y] : [x]) + (countsUnseen ? [unseen] : [])
        let file = try DatasetWriter(
            path, replacing: replacing, compress: compress, arrays,
            texts: plan.classes.map { [("classes", $0)] } ?? [], schema: plan.schema.text, attributes: attributes)
        let tally =
            float64
            ? try TableWriting<Double>(parts, plan, file, isCompressed: compress).run(workers, stop, progress)
            : try TableWriting<Float>(parts, plan, file, isCompressed: compress).run(workers, stop, progress)
        plan.notes += try tally.notes(plan, remedy: remedy)
        if countsUnseen {
            let counts = tally.unseen(plan.schema)
            try file.write(counts, count: counts.count, rows: 0..<counts.count, of: arrays.count - 1)
        }
        // The last moment before others can find it.
        for part in parts.files { try part.checkUnchanged() }
        try file.finish()
        return arrays.map { .init(name: "/\($0.name)", shape: $0.shape, type: "\($0.type.stored)") }
    }

    static let unseen = "unseen"

    private func plan(
        _ parts: TableParts, _ workers: Workers, _ stop: Stop, _ progress: (Int) -> Void
    ) throws -> Plan {
        var rowsOfFiles: [Int] = []
        func survey(_ empty: TableSurvey, orders: [[Int]]) throws -> TableSurvey {
            var total = empty
            rowsOfFiles = parts.files.map { _ in 0 }
            try parts.forEachGroup(stop, progress) { file, blocks, skip in
                let path = parts.files[file].path
                let found = try workers.mapTrying(blocks.count) { index, _ in
                    var part = empty
                    try part.add(
                        blocks[index], skip: index == 0 ? skip : 0, parts.formats[file], order: orders[file], path: path
                    )
                    return part
                }
                for (block, part) in zip(blocks, found) {
                    rowsOfFiles[file] += part.complete
                    total.merge(part, block, path: path)
                }
            }
            return total
        }
        guard let like else {
            let request = try TableRequest(parts, options, ignoresTargets: ignoresTargets, needsTarget: needsTarget)
            let found = try survey(request.survey, orders: parts.orders)
            var plan = try request.plan(found, parts, float64: float64)
            plan.rowsOfFiles = rowsOfFiles
            return plan
        }
        let match = try SchemaMatch(parts, like, ignoresTargets: ignoresTargets, remedy: remedy, hasOthers: hasOthers)
        var plan = match.plan(try survey(match.survey, orders: match.orders), float64: float64)
        plan.rowsOfFiles = rowsOfFiles
        return plan
    }
}

extension TableConversion.Plan {
    /// The plan of one of its files alone.
    fileprivate func part(_ file: Int) -> Self {
        var part = self
        part.layouts = [layouts[file]]
        part.rows = rowsOfFiles[file]
        return part
    }
}

/// What became of a column of a table, for people to look over.
package struct TableFinding: Equatable, Sendable {
    package var name: String
    /// "number", "category", "date", "flag", "target", or "left out".
    package var kind: String
    /// How many numbers a network reads of it.
    package var inputs: Int
    /// Its range, or examples of its values.
    package var values: String
    /// The share of rows that have no value.
    package var missing: Double
    /// Why it is what it is, or what else it could be; empty where that is plain.
    package var note: String
}
