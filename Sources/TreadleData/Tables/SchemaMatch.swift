internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
package import TreadleModel

/// Finds the columns of a schema in files, by name and in any order.
struct SchemaMatch {
    private let schema: TableSchema
    private let layouts: [TableLayout]
    private var notes: [String] = []
    private let parts: TableParts
    /// By file and field: the number of the target that the field is, or one that is ignored.
    let orders: [[Int]]
    private let targetCount: Int

    /// With a `remedy`, columns that the schema does not know are refused, and it is added to what is wrong; `hasOthers` says
    /// that it helps only once the table's other parts, which the schema fits, are changed like these.
    init(
        _ parts: TableParts, _ schema: TableSchema, ignoresTargets: Bool, remedy: String? = nil, hasOthers: Bool = false
    ) throws {
        self.schema = schema
        self.parts = parts
        var problems = schema.unreadable
        let fields = parts.formats.map { SchemaMatch.fields($0, schema) }
        // Targets are read where every file has them.
        let hasTargets =
            !ignoresTargets && !schema.targets.isEmpty
            && fields.allSatisfy { fields in schema.targets.allSatisfy { fields[$0.name] != nil } }
        let known = schema.columnNames.union(schema.unused.map(\.name))
        for (index, format) in parts.formats.enumerated() {
            let path = parts.files[index].path
            let missing = schema.columns.map(\.name).filter { fields[index][$0] == nil }
            if !missing.isEmpty {
                let more = (format.names ?? []).filter { !known.contains($0) }
                let has =
                    format.names == nil
                    ? "it has \(format.width) columns without names"
                    : more.isEmpty ? "all others are there" : "it has \(more.quotedList) besides"
                problems.append(
                    "\(path) lacks the column\(missing.count == 1 ? "" : "s") \(missing.quotedList); \(has)")
                continue
            }
            let strange = (format.names ?? []).filter { !known.contains($0) }
            if !strange.isEmpty, remedy != nil {
                problems.append(
                    "\(path) has the column\(strange.count == 1 ? "" : "s") \(strange.quotedList), which the model does not know"
                )
            } else if !strange.isEmpty {
                notes.append(
                    "\(path): \(strange.count == 1 ? "column" : "columns") \(strange.quotedList) \(strange.count == 1 ? "is" : "are") ignored: the model does not know \(strange.count == 1 ? "it" : "them")"
                )
            }
        }
        guard problems.isEmpty else {
            let alike =
                "the other files of the table have the model's columns: give this one the same, or change all alike and "
            throw TreadleError(
                .badData, messages: problems.map { $0 + (remedy.map { "; " + (hasOthers ? alike : "") + $0 } ?? "") })
        }
        if !ignoresTargets, !hasTargets, !schema.targets.isEmpty {
            let names = schema.targets.map(\.name)
            notes.append("without \(names.quotedList) there is nothing to learn or to compare with: no /y is written")
        }
        layouts = parts.formats.indices.map { index in
            TableLayout(schema, parts.formats[index], writesTargets: hasTargets, remedy: remedy) { fields[index][$0] }
        }
        let count = hasTargets ? schema.targets.count : 0
        targetCount = count
        orders = layouts.map { layout in
            layout.roles.map { role in
                switch role {
                case .target(let target, _), .label(let target, _): target
                default: count
                }
            }
        }
    }

    /// The fields of a file by the names that a schema has for them.
    private static func fields(_ format: TableFormat, _ schema: TableSchema) -> [String: Int] {
        if let names = format.names { return Dictionary(zip(names, 0...), uniquingKeysWith: { first, _ in first }) }
        // Without a header columns are called by their numbers, as they were when the schema was made: all of them, or all
        // but the targets.
        var names = Set(schema.columns.map(\.name) + schema.unused.map(\.name))
        if names.count != format.width { names.formUnion(schema.targets.map(\.name)) }
        let numbers = names.compactMap { Int($0) }.sorted()
        guard numbers.count == names.count, numbers.count == format.width else { return [:] }
        return Dictionary(zip(numbers.map(String.init), 0...), uniquingKeysWith: { first, _ in first })
    }

    /// Counts rows, those that have their targets apart, and looks whether targets are whole numbers.
    var survey: TableSurvey {
        let targets = schema.targets.prefix(targetCount).map { $0.classes == nil ? ColumnSurvey.Reading.any : .ignored }
        return TableSurvey(targets + [.ignored], targets: Array(0..<targetCount))
    }

    func plan(_ survey: TableSurvey, float64: Bool) -> TableConversion.Plan {
        var notes = notes
        let lacking = survey.rows - survey.complete
        if lacking > 0 {
            notes.append(
                "\(lacking) row\(lacking == 1 ? " has" : "s have") no target and \(lacking == 1 ? "is" : "are") left out"
            )
        }
        let isWhole = schema.targets.indices.prefix(targetCount).allSatisfy { index in
            schema.targets[index].classes != nil || survey.columns[index].isWhole
        }
        return TableConversion.Plan(
            schema: schema, layouts: layouts, rows: survey.complete,
            targetType: isWhole ? .int32 : float64 ? .float64 : .float32,
            classes: targetCount > 0 ? schema.targets.first?.classes : nil, notes: notes)
    }
}

extension TableSchema {
    /// The names of all columns that are read, targets among them.
    var columnNames: Set<String> { Set(columns.map(\.name) + targets.map(\.name)) }

    /// Dates that no text could be read as, in a file that someone else wrote.
    fileprivate var unreadable: [String] {
        columns.compactMap { column in
            guard case .date(_, let origin, let format) = column.kind else { return nil }
            guard
                DateFormat.seconds(ofDate: origin) == nil
                    || (format != nil && DateFormat(rawValue: format ?? "") == nil)
            else { return nil }
            return "the schema has \"\(column.name.printable)\" as dates of a form that this program does not know"
        }
    }
}

extension DateFormat {
    /// Seconds from 1970 to a date such as `2026-01-31`.
    static func seconds(ofDate text: String) -> Int? {
        ShortText(Array(text.utf8).span).flatMap { CalendarTime($0, .yearMonthDay) }.map { $0.dayNumber * 86_400 }
    }
}

extension TableLayout {
    /// The layout that reads a schema's columns; `field` says where a column lies.
    init(
        _ schema: TableSchema, _ format: TableFormat, writesTargets: Bool, remedy: String? = nil,
        field: (String) -> Int?
    ) {
        var roles = [Role](repeating: .skipped, count: format.width)
        var place = 0
        for column in schema.columns {
            defer { place += column.storedWidth }
            guard let field = field(column.name) else { continue }
            roles[field] =
                switch column.kind {
                case .number(let form, _): .number(place, form)
                case .flag(let no, let yes): .flag(place, no: no, yes: yes)
                case .category(let values, _, _): .category(place, values: WordTable(values))
                case .date(let parts, let origin, let format):
                    .date(
                        place, parts: parts, origin: DateFormat.seconds(ofDate: origin) ?? 0,
                        format: format.flatMap { DateFormat(rawValue: $0) } ?? .yearMonthDay)
                }
        }
        if writesTargets {
            for (index, target) in schema.targets.enumerated() {
                guard let field = field(target.name) else { continue }
                roles[field] =
                    target.classes.map { .label(index, classes: WordTable($0)) } ?? .target(index, target.form)
            }
        }
        self.init(
            format: format, roles: roles, inputCount: place, targetCount: writesTargets ? schema.targets.count : 0,
            isByName: format.names != nil)
        self.remedy = remedy
    }
}

extension TableSchema {
    /// What the columns of an HDF5 data file are; nil where it does not say.
    package init?(ofDataFile path: String) throws {
        guard let schema = try DataFile(path, policy: .confined).schema() else { return nil }
        self = schema
    }
}
