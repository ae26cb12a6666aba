internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleModel

/// What is asked of the columns of a table that no schema describes yet, and the plan that follows from their values.
struct TableRequest {
    private let options: TableOptions
    private let format: TableFormat
    private let path: String
    private let names: [String]
    /// Columns that are targets, and those to learn from, in their order.
    private let targets: [Int]
    private let inputs: [Int]
    /// What columns are to be, by column.
    private let kinds: [Int: RequestedKind.Kind]

    /// The survey to make, still empty.
    var survey: TableSurvey {
        var readings = [ColumnSurvey.Reading](repeating: .ignored, count: names.count)
        for column in inputs + targets { readings[column] = reading(column) }
        return TableSurvey(readings, targets: targets, identifiers: identifiers)
    }

    private func reading(_ column: Int) -> ColumnSurvey.Reading {
        switch kinds[column] {
        case nil, .number: .any
        case .category, .flag: .words
        case .date(let format): .dates(format.flatMap { DateFormat(rawValue: $0) })
        case .drop: .ignored
        }
    }

    /// Columns that are called as identifiers are; of a few, all numbers are remembered.
    private var identifiers: Set<Int> {
        let called = inputs.filter { column in
            kinds[column] == nil && ColumnName(names[column]).mayIdentifyRows
        }
        return Set(called.prefix(8))
    }

    init(_ parts: TableParts, _ options: TableOptions, ignoresTargets: Bool, needsTarget: Bool) throws {
        self.options = options
        path = parts.files[0].path
        format = parts.formats[0]
        names = format.names ?? (1...format.width).map(String.init)
        let columns = ColumnReferences(format: format, path: path)
        var problems: [String] = []
        func attempt<Value>(_ fallback: Value, _ body: () throws -> Value) -> Value {
            do { return try body() } catch {
                problems += TreadleError(of: error).messages
                return fallback
            }
        }
        if needsTarget, options.targets.isEmpty {
            problems.append(
                "\(path): which column is to be predicted? Name it with --target, or import inputs alone with "
                    + "--no-target; \(columns.listing)")
        }
        targets = options.targets.flatMap { target in attempt([]) { try columns.fields([target]) } }
        if Set(targets).count < targets.count {
            problems.append("a target is named twice in \(options.targets.joined(separator: ","))")
        }
        var kinds: [Int: RequestedKind.Kind] = [:]
        for request in options.kinds {
            for column in attempt([], { try columns.fields([request.column]) }) {
                if let other = kinds[column], other != request.kind {
                    problems.append("\(path): \(columns.name(column)) is asked to be of two kinds; name one")
                }
                kinds[column] = request.kind
            }
        }
        self.kinds = kinds
        let chosen = options.inputs.map { list in list.flatMap { name in attempt([]) { try columns.fields([name]) } } }
        var seen = Set(targets)
        inputs = (chosen ?? Array(0..<format.width)).filter { seen.insert($0).inserted }
        for target in targets {
            switch kinds[target] {
            case .drop, .date: problems.append("\(path): \(columns.name(target)) is the target: number or category")
            default: break
            }
        }
        for column in kinds.keys.sorted() where !inputs.contains(column) && !targets.contains(column) {
            problems.append("\(path): \(columns.name(column)) is given a kind, but is none of --columns")
        }
        guard problems.isEmpty else { throw TreadleError(.usage, messages: problems) }
        guard inputs.contains(where: { kinds[$0] != .drop }) else {
            throw TreadleError(.usage, "\(path): no column is left to learn from; \(columns.listing)")
        }
    }

    /// What to write, by what the columns hold.
    func plan(_ survey: TableSurvey, _ parts: TableParts, float64: Bool) throws -> TableConversion.Plan {
        guard survey.rows > 0 else {
            throw TreadleError(.badData, "\(path) has no rows below its header; there is nothing to learn from")
        }
        let columns = survey.columns
        let surroundings = ColumnDecision.Surroundings(
            hasDecimalCommas: columns.contains { $0.hasDecimalCommas },
            isSemicolonSeparated: format.delimiter == UInt8(ascii: ";"))
        let goal = TableTargets(
            targets.map { (names[$0], columns[$0]) }, kinds: targets.map { kinds[$0] }, options, float64: float64,
            around: surroundings)
        var problems = goal.problems.map { "\(path): \($0)" }
        var schema = TableSchema(columns: [], targets: goal.targets)
        var findings: [TableFinding] = []
        let limits = ColumnDecision.CategoryLimits(options, rows: survey.rows)
        for column in inputs {
            let name = names[column]
            let decision = ColumnDecision(
                columns[column], name: name, rows: survey.rows, request: kinds[column], limits: limits,
                keepsDigits: float64, asking: options.asking, around: surroundings)
            var finding = TableFinding(
                name: name, kind: "left out", inputs: 0, values: decision.values,
                missing: Double(columns[column].missing) / Double(max(1, survey.rows)), note: decision.note)
            switch decision.result {
            case .used(let kind):
                let used = TableSchema.Column(name: name, kind: kind)
                schema.columns.append(used)
                finding.kind = kind.word
                finding.inputs = used.inputs.count
            case .unused(let reason):
                schema.unused.append(.init(name: name, reason: reason))
                finding.note = reason
            case .question(let question):
                problems.append("\(path): \"\(name.printable)\" \(question)")
            }
            findings.append(finding)
        }
        let asked = Set(inputs + targets)
        for column in names.indices where !asked.contains(column) {
            schema.unused.append(.init(name: names[column], reason: "as asked"))
        }
        guard problems.isEmpty else { throw TreadleError(.badData, messages: problems) }
        guard !schema.columns.isEmpty else {
            let reasons = schema.unused.map { "\"\($0.name.printable)\": \($0.reason)" }
            throw TreadleError(
                .badData, messages: ["\(path): no column is left to learn from"] + reasons.map { "\(path): \($0)" })
        }
        var notes = goal.notes
        let lacking = survey.rows - survey.complete
        if lacking > 0 {
            notes.append(
                "\(lacking) row\(lacking == 1 ? " has" : "s have") no target and \(lacking == 1 ? "is" : "are") left out"
            )
        }
        let places = Dictionary(zip(names, 0...), uniquingKeysWith: { first, _ in first })
        let layouts = parts.formats.indices.map { file in
            // A field is the column of its name, wherever the file has it.
            let fields = Dictionary(zip(parts.orders[file], 0...), uniquingKeysWith: { first, _ in first })
            return TableLayout(schema, parts.formats[file], writesTargets: true) { places[$0].flatMap { fields[$0] } }
        }
        return TableConversion.Plan(
            schema: schema, layouts: layouts, rows: survey.complete, targetType: goal.type,
            classes: goal.targets.first?.classes ?? goal.classNames,
            findings: findings + goal.findings(survey, targets),
            notes: notes)
    }
}

extension ColumnSurvey {
    /// Whether its numbers can only be read with a decimal comma.
    fileprivate var hasDecimalCommas: Bool {
        formatted > 0 && formatted == others && !forms.isEmpty && forms.isDisjoint(with: .points)
    }
}

extension TableTargets {
    fileprivate func findings(_ survey: TableSurvey, _ columns: [Int]) -> [TableFinding] {
        zip(targets, columns).map { target, column in
            let found = survey.columns[column]
            let range = found.numbers > 0 ? "\(Float(found.smallest)) … \(Float(found.largest))" : ""
            let names = target.classes?.prefix(3).map { TableError.short($0) }.joined(separator: ", ")
            let count = target.classes?.count ?? 0
            return TableFinding(
                name: target.name, kind: "target", inputs: 0,
                values: names.map { $0 + (count > 3 ? ", …" : "") } ?? range,
                missing: Double(found.missing) / Double(max(1, survey.rows)),
                note: target.classes == nil ? "a number" : count == 1 ? "1 class" : "\(count) classes")
        }
    }
}

extension TableSchema.Kind {
    /// As `--kind` calls it.
    package var word: String {
        switch self {
        case .number: "number"
        case .flag: "flag"
        case .category: "category"
        case .date: "date"
        }
    }
}
