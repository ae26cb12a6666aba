internal import HDF5
internal import TreadleBase
internal import TreadleModel

/// What a table's target columns become, decided by what is in them: classes, whole numbers or fractions.
struct TableTargets {
    private(set) var targets: [TableSchema.Target] = []
    /// Names to store in the file where the numbers in the table are those of classes already.
    private(set) var classNames: [String]?
    private(set) var type: OutputElement
    private(set) var notes: [String] = []
    /// What is wrong with the targets, a sentence each.
    private(set) var problems: [String] = []

    /// `kinds` says which targets are to be numbers or classes.
    init(
        _ surveys: [(name: String, survey: ColumnSurvey)], kinds: [RequestedKind.Kind?], _ options: TableOptions,
        float64: Bool, around surroundings: ColumnDecision.Surroundings
    ) {
        type = float64 ? .float64 : .float32
        for ((name, survey), kind) in zip(surveys, kinds) {
            take(name, survey, kind, options, isOnly: surveys.count == 1, surroundings)
        }
        let isWhole = surveys.allSatisfy { $0.survey.isWhole }
        if targets.contains(where: { $0.classes != nil }) || classNames != nil || isWhole { type = .int32 }
    }

    private mutating func take(
        _ name: String, _ survey: ColumnSurvey, _ kind: RequestedKind.Kind?, _ options: TableOptions, isOnly: Bool,
        _ surroundings: ColumnDecision.Surroundings
    ) {
        let title = "\"\(name.printable)\""
        guard survey.present > 0 else { return problems.append("\(title) has no values: there is nothing to predict") }
        let form = survey.others > 0 ? survey.form(surroundings) : TableSchema.NumberForm()
        let isNumber = survey.others == 0 || (form != nil && survey.formatted == survey.others)
        if kind == .number, !isNumber {
            let word = survey.firstWord.map { ": \($0.path):\($0.place) holds \"\(TableError.short($0.text))\"" } ?? ""
            return problems.append("\(title) is to be a number, but holds words\(word)")
        }
        guard isOnly else {
            guard isNumber, kind == nil || kind == .number else {
                return problems.append("of several targets each must hold numbers, but \(title) holds words")
            }
            return targets.append(.init(name: name, form: form ?? .init()))
        }
        if !isNumber || kind == .category || kind == .flag {
            takeClasses(name, survey, options.classes)
        } else if let given = options.classes {
            let words = survey.words.hasManyNumbers ? [] : Set(survey.words.frequent.map(\.word))
            if !words.isEmpty, words.isSubset(of: given) {
                targets.append(.init(name: name, classes: given))
            } else if survey.isInteger, survey.others == 0, survey.smallest >= 0, survey.largest < Double(given.count) {
                targets.append(.init(name: name))
                classNames = given
            } else {
                problems.append(
                    "\(title) holds numbers from \(survey.smallest) to \(survey.largest), "
                        + "but the \(given.count) classes have the numbers 0 to \(given.count - 1)")
            }
        } else if kind == nil, survey.areLabels {
            takeClasses(name, survey, nil)
            // Numbers from 0 are how classes are written; others could as well be marks or counts.
            if survey.smallest != 0 || survey.largest > 1 {
                notes.append(
                    "\(title) holds \(survey.words.count) different whole numbers, \(Int(survey.smallest)) to "
                        + "\(Int(survey.largest)), taken as classes; to predict a quantity, say --kind "
                        + "\("\(name)=number".shellWord)")
            }
        } else {
            targets.append(.init(name: name, form: form ?? .init()))
        }
    }

    private mutating func takeClasses(_ name: String, _ survey: ColumnSurvey, _ given: [String]?) {
        let title = "\"\(name.printable)\""
        let found = survey.words.frequent.map(\.word)
        guard given != nil || (!survey.words.hasManyNumbers && !survey.words.hasForgotten) else {
            return problems.append(
                "\(title) has too many different values to be classes; is it the right target? For a quantity, clean its words"
            )
        }
        let names = given ?? ColumnSurvey.inOrder(found)
        if let twice = Dictionary(grouping: names, by: \.self).first(where: { $0.value.count > 1 })?.key {
            return problems.append("the class \"\(twice.printable)\" is named twice")
        }
        if given != nil, let stranger = found.first(where: { !names.contains($0) }) {
            return problems.append("\(title) holds \"\(TableError.short(stranger))\", which is none of the classes")
        }
        if names.count == 1 {
            notes.append("\(title) is always \"\(TableError.short(names[0]))\": there is nothing to tell apart")
        }
        targets.append(.init(name: name, classes: names))
    }
}

extension ColumnSurvey {
    /// Whether all numbers are whole ones that 32 bits hold.
    var isWhole: Bool { isInteger && others == 0 && smallest >= -2_147_483_648 && largest <= 2_147_483_647 }

    /// Whether whole numbers look like names of classes: two in many rows, whatever they are, such as -1 and 1; or few, close to
    /// each other, and each of them often.
    fileprivate var areLabels: Bool {
        guard isWhole, !words.hasManyNumbers, words.count > 1, words.count <= 20 else { return false }
        if words.count == 2, numbers >= 10 { return true }
        return smallest >= 0 && Double(words.count) <= max(2, Double(numbers).squareRoot())
            && largest < Double(2 * words.count + 2)
    }
}
