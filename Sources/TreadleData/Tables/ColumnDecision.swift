internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleModel

/// What kind a column is of, by what is in it.
struct ColumnDecision {
    enum Result {
        case used(TableSchema.Kind)
        case unused(String)
        /// Only a person can say; a sentence, after the column's name.
        case question(String)
    }

    private(set) var result: Result
    private(set) var note = ""
    /// Its range, or its most frequent values.
    private(set) var values = ""

    private let survey: ColumnSurvey
    private let request: RequestedKind.Kind?
    private let name: String
    private let limits: CategoryLimits

    /// In how many rows a value of a category is, and how many values a category has.
    struct CategoryLimits {
        var rare: Int
        var mostValues: Int

        init(_ options: TableOptions, rows: Int) {
            // Of few rows every value counts; of many, one that ten rows have can be learned from.
            rare = options.rare ?? (rows < 100 ? 1 : max(2, min(10, rows / 1_000)))
            mostValues = options.mostValues ?? (rows >= 100_000 ? 250 : max(10, min(100, rows / 20)))
        }
    }

    /// How the other columns of the file write their numbers, which decides where one column could be read in two ways.
    struct Surroundings {
        var hasDecimalCommas: Bool
        var isSemicolonSeparated: Bool
    }

    init(
        _ survey: ColumnSurvey, name: String, rows: Int, request: RequestedKind.Kind?, limits: CategoryLimits,
        around surroundings: Surroundings
    ) {
        self.survey = survey
        self.request = request
        self.name = name
        self.limits = limits
        result = .unused("has no values")
        guard survey.present > 0 else { return }
        switch request {
        case .drop: result = .unused("as asked")
        case .category: decideCategory(isAsked: true)
        case .flag: decideFlag()
        case .date: decideDate()
        case .number: decideNumber(rows, surroundings)
        case nil: decide(rows, surroundings)
        }
    }

    private mutating func decide(_ rows: Int, _ surroundings: Surroundings) {
        let form = survey.form(surroundings)
        let words = form == nil ? survey.others : survey.others - survey.formatted
        let dated = survey.dates.values.map(\.count).max() ?? 0
        if words == 0 {
            decideNumber(rows, surroundings)
        } else if dated > 0, survey.numbers == 0, Double(survey.others - dated) <= 0.05 * Double(survey.present) {
            decideDate()
        } else if words == survey.present {
            decideCategory(isAsked: false)
        } else if Double(words) <= 0.05 * Double(survey.present) {
            decideNumber(rows, surroundings)
        } else if !survey.hasManyNumbers, !survey.hasForgotten {
            decideCategory(isAsked: false)
        } else {
            result = .question(
                "holds numbers, and in \(words) of \(survey.present) rows words\(firstWord); say what it is with "
                    + "\(hint("number")) (words count as missing), \(hint("category")) or \(hint("drop"))")
        }
    }

    private var firstWord: String {
        guard let word = survey.firstWord else { return "" }
        return " (\"\(TableError.short(word.text))\" in \(word.path):\(word.place))"
    }

    private func hint(_ kind: String) -> String { "--kind \("\(name)=\(kind)".shellWord)" }

    // MARK: Numbers

    private mutating func decideNumber(_ rows: Int, _ surroundings: Surroundings) {
        let form = survey.form(surroundings) ?? TableSchema.NumberForm()
        let strange = form.isPlain ? survey.others : survey.others - survey.formatted
        guard survey.numbers + survey.formatted > 0, survey.present > strange else {
            result = .question("holds no numbers\(firstWord), but is to be one; leave \(hint("number")) out")
            return
        }
        if strange > 0 {
            note =
                "\(strange) value\(strange == 1 ? " is no number" : "s are no numbers")\(firstWord): taken as missing"
        }
        if request == nil, survey.others == 0, survey.isInteger {
            let isCounter =
                survey.isSequence && survey.numbers == rows && rows > 2
                && (name.isEmpty || name.hasPrefix("column ") || isIndexName)
            if isCounter, survey.first == 0 || survey.first == 1 { return result = .unused("only numbers the rows") }
            if let different = survey.identifiers, different.count == min(survey.numbers, 1 << 20), survey.numbers > 2,
                survey.numbers == rows
            {
                return result = .unused("is called as an identifier is, and all its numbers are different")
            }
            if survey.hasLeadingZeros {
                if !survey.hasManyNumbers { return decideCategory(isAsked: false) }
                note = "begins with zeros, as codes do; if they are codes: \(hint("category"))"
            }
        }
        let lacking = rows - survey.present + strange
        let indicator = lacking >= 10 && Double(lacking) >= 0.01 * Double(rows)
        result = .used(.number(form, indicator: indicator))
        values = survey.numbers > 0 ? "\(text(survey.smallest)) … \(text(survey.largest))" : ""
        if !form.isPlain {
            values = survey.frequent.prefix(3).map { $0.word.printable }.joined(separator: ", ")
            if note.isEmpty { note = "written as \(form.example)" }
        } else if survey.numbers > 1, survey.smallest == survey.largest {
            note = note.isEmpty ? "is always \(text(survey.smallest))" : note
        } else if request == nil, note.isEmpty, survey.isInteger, !survey.hasManyNumbers,
            (3...20).contains(survey.counts.count), rows >= 100
        {
            note = "\(survey.counts.count) different values; if they are names: \(hint("category"))"
        }
        if survey.inexact > 0 {
            note =
                "\(survey.inexact) whole number\(survey.inexact == 1 ? " has" : "s have") more digits than float32 keeps (7 to 8)"
        }
    }

    private var isIndexName: Bool {
        ["index", "rownames", "row", "row_names", "rowid", "unnamed: 0", "id", "x1", "..1"].contains(name.lowercased())
    }

    private func text(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : "\(Float(number))"
    }

    // MARK: Dates

    private mutating func decideDate() {
        // The format that fits most; those that fit as well are as likely.
        let most = survey.dates.values.map(\.count).max() ?? 0
        let best = DateFormat.allCases.filter { survey.dates[$0]?.count == most }
        guard most > 0, let format = best.first, let dates = survey.dates[format] else {
            result = .question(
                "is to be a date, but holds none that is known\(firstWord); write them as 2026-01-31, or leave \(hint("date")) out"
            )
            return
        }
        guard best.count == 1 else {
            let choices = best.map { hint("date:\($0.rawValue)") }.joined(separator: " or ")
            result = .question("holds dates that could be read in \(best.count) ways; say \(choices)")
            return
        }
        let varying = dates.varying
        var parts: [TableSchema.DatePart] = []
        if varying.days { parts.append(.days) }
        if varying.years { parts.append(.year) }
        if varying.months { parts += [.monthSine, .monthCosine] }
        if varying.weekdays { parts += [.weekdaySine, .weekdayCosine] }
        if varying.times { parts += [.hourSine, .hourCosine] }
        let origin = CalendarTime(dayNumber: floorDays(dates.first)).dateText
        let end = CalendarTime(dayNumber: floorDays(dates.last)).dateText
        values = origin == end ? origin : "\(origin) … \(end)"
        guard !parts.isEmpty else { return result = .unused("is always the same date") }
        let strange = survey.others - dates.count
        if strange > 0 {
            note = "\(strange) value\(strange == 1 ? " is no date" : "s are no dates")\(firstWord): taken as missing"
        } else if format != .yearMonthDay {
            note = "read as \(format.rawValue)"
        }
        result = .used(.date(parts: parts, origin: origin, format: format == .yearMonthDay ? nil : format.rawValue))
    }

    private func floorDays(_ seconds: Int) -> Int { (seconds - (seconds % 86_400 + 86_400) % 86_400) / 86_400 }

    // MARK: Words

    private mutating func decideFlag() {
        let words = survey.frequent.map(\.word)
        guard words.count == 2 || words.count == 1, !survey.hasForgotten else {
            result = .question("has \(words.count) different values, but a flag has two; say \(hint("category"))")
            return
        }
        let pair = ColumnDecision.pair(words.count == 2 ? words : words + ["(not \(words[0]))"])
        result = .used(.flag(no: pair.no, yes: pair.yes))
        values = words.sorted().map(\.printable).joined(separator: ", ")
    }

    /// Two values as no and yes: by their meaning where it is known, else in the order of their letters.
    private static func pair(_ words: [String]) -> (no: String, yes: String) {
        let lower = words.map { $0.lowercased() }
        for (no, yes) in [("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("off", "on"), ("0", "1")] {
            if lower == [no, yes] { return (words[0], words[1]) }
            if lower == [yes, no] { return (words[1], words[0]) }
        }
        let sorted = ColumnSurvey.inOrder(words)
        return (sorted[0], sorted[1])
    }

    private mutating func decideCategory(isAsked: Bool) {
        let frequent = survey.frequent
        let different = survey.hasForgotten ? "more than \(frequent.count)" : "\(frequent.count)"
        values =
            frequent.prefix(3).map { TableError.short($0.word) }.joined(separator: ", ")
            + (frequent.count > 3 || survey.hasForgotten ? ", …" : "")
        let isEachOnce = !survey.hasForgotten && frequent.count == survey.present
        if !isAsked, isEachOnce, survey.present > 1 {
            return result = .unused("all its values are different: an identifier")
        }
        let kept = frequent.filter { $0.count >= limits.rare }.prefix(limits.mostValues)
        let covered = kept.reduce(0) { $0 + $1.count }
        guard !kept.isEmpty else {
            let rows = "\(limits.rare) row\(limits.rare == 1 ? "" : "s")"
            return result = .unused("none of its \(different) values is in \(rows) or more; --rare 1 keeps them")
        }
        if !isAsked, frequent.count > limits.mostValues, Double(covered) < 0.2 * Double(survey.present) {
            return result = .unused(
                "\(different) different values, of which the \(kept.count) most frequent are in "
                    + "\(100 * covered / survey.present) % of the rows; use it all the same with \(hint("category"))")
        }
        let hasOther = covered < survey.present
        let names = ColumnSurvey.inOrder(kept.map(\.word))
        if !isAsked, names.count == 1, !hasOther, survey.missing == 0 {
            return result = .unused("is always \"\(TableError.short(names[0]))\"")
        }
        if !isAsked, names.count == 2, !hasOther, survey.missing == 0 {
            let pair = ColumnDecision.pair(names)
            return result = .used(.flag(no: pair.no, yes: pair.yes))
        }
        result = .used(.category(values: names, hasOther: hasOther, hasMissing: survey.missing > 0))
        if hasOther { note = "\(different) different values; those beyond \(kept.count) are one, \"other\"" }
    }
}

extension ColumnSurvey {
    /// The form of a column whose numbers are not all plain; nil where they have none in common.
    func form(_ surroundings: ColumnDecision.Surroundings) -> TableSchema.NumberForm? {
        let isShare = sign == "%" || sign == "‰"
        // 5 % and 0.05 in one column are two ways to say the same: no form has both.
        guard !isShare || (numbers == 0 && signed == formatted) else { return nil }
        var forms = forms
        if forms.contains(.commaThousands), forms.contains(.comma), !forms.contains(.plain) {
            // 1,234 is a thousand or one: what separates fields, or another column, tells which.
            let isDecimal = surroundings.isSemicolonSeparated || surroundings.hasDecimalCommas
            forms = isDecimal ? .comma : .commaThousands
        } else if forms.contains(.plain), forms.contains(.pointThousands), surroundings.hasDecimalCommas,
            !isInteger || formatted > 0
        {
            forms = .pointThousands
        }
        return TableSchema.NumberForm(forms, sign: sign)
    }

    /// Texts as names: numbers by size, words by their letters.
    static func inOrder(_ texts: [String]) -> [String] {
        let numbers = texts.compactMap { text in Double(text).map { ($0, text) } }
        if numbers.count == texts.count { return numbers.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.1) }
        return texts.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
    }
}
