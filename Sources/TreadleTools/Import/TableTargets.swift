internal import TreadleBase
internal import TreadleData

/// What a table's target columns become, decided by what is in them: classes, whole numbers or fractions.
struct TableTargets {
    /// Names to store in the file, in the order of their numbers.
    private(set) var classes: [String]?
    /// The names whose numbers take the place of the texts; nil where the numbers in the table stay.
    private(set) var mapping: [String]?
    private(set) var type: OutputElement
    private(set) var notes: [String] = []

    init(
        _ survey: TableSurvey, _ format: TableFormat, _ selection: ColumnSelection, _ request: ImportRequest,
        path: String
    ) throws {
        let columns = ColumnReferences(format: format, path: path)
        let values = selection.targets.map { survey.columns[$0] ?? TableSurvey.Values() }
        type = request.float64 ? .float64 : .float32
        guard let only = values.first else { return }
        let name = columns.name(selection.targets[0])

        guard values.count == 1 else {
            if let worded = zip(selection.targets, values).first(where: { $0.1.hasWords }) {
                throw TreadleError(
                    .badData,
                    "\(path): of several targets each must hold numbers, but \(columns.name(worded.0)) holds words")
            }
            guard !request.table.labels, request.table.classes == nil else {
                throw TreadleError(.usage, "--labels and --classes go with one target, not with \(values.count)")
            }
            if values.allSatisfy({ $0.isInteger && !$0.hasMissing }) { type = .int32 }
            return
        }

        if only.hasWords || request.table.labels {
            try take(classesFrom: only, name, request, path)
            return
        }
        if only.isInteger && !only.hasMissing { type = .int32 }
        if only.hasMissing {
            notes.append("\(name) is empty in places: train with data.non_finite \"drop_row\", or complete it")
        }
        if let given = request.table.classes {
            if only.texts.isSubset(of: given), !only.tooManyNumbers {
                mapping = given
            } else {
                guard only.isInteger, !only.hasMissing, only.smallest >= 0, only.largest < Double(given.count) else {
                    throw TreadleError(
                        .badData,
                        "\(path): \(name) holds numbers from \(only.smallest) to \(only.largest), "
                            + "but the \(given.count) classes have the numbers 0 to \(given.count - 1)")
                }
            }
            classes = given
            type = .int32
        } else if only.isInteger, !only.tooManyNumbers, only.texts.count <= 100, only.smallest != 0, !only.hasMissing {
            notes.append(
                "\(name) holds \(only.texts.count) different whole numbers from \(Int(only.smallest)) to "
                    + "\(Int(only.largest)); to learn them as classes, import with --labels")
        }
    }

    private mutating func take(
        classesFrom values: TableSurvey.Values, _ name: String, _ request: ImportRequest, _ path: String
    ) throws {
        let names = request.table.classes ?? values.sorted
        guard !values.tooManyNumbers || request.table.classes != nil, names.count <= TableSurvey.mostValues else {
            throw TreadleError(
                .badData,
                "\(path): \(name) has too many different values to be classes; "
                    + "is it the right target? For numbers, leave --labels out and clean the words")
        }
        guard Set(names).count == names.count else { throw TreadleError(.usage, "--classes names a class twice") }
        classes = names
        mapping = names
        type = .int32
    }
}
