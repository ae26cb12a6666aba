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

    var result: Result
    var note = ""
    /// Its range, or its most frequent values.
    var values = ""

    let survey: ColumnSurvey
    private let request: RequestedKind.Kind?
    private let name: String
    let limits: CategoryLimits
    /// Whether numbers are stored in 64 bits.
    private let keepsDigits: Bool
    private let asking: TableOptions.Asking

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
        keepsDigits: Bool, asking: TableOptions.Asking, around surroundings: Surroundings
    ) {
        self.survey = survey
        self.keepsDigits = keepsDigits
        self.asking = asking
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
        } else if !survey.words.hasManyNumbers, !survey.words.hasForgotten {
            decideCategory(isAsked: false)
        } else {
            result = .question(
                "holds numbers, and in \(words) of \(survey.present) rows words\(firstWord); say what it is with "
                    + "\(hint("number")) (words count as missing), \(hint("category")) or \(hint("drop"))")
        }
    }

    var firstWord: String {
        guard let word = survey.firstWord else { return "" }
        return " (\"\(TableError.short(word.text))\" in \(word.path):\(word.place))"
    }

    /// What is said of values that are not of the column's kind.
    func strangers(_ count: Int, one: String, many: String) -> String {
        "\(count) value\(count == 1 ? " \(one)" : "s \(many)")\(firstWord): taken as missing"
    }

    /// How a person says of which kind the column is.
    func hint(_ kind: String) -> String {
        let answer = "\(name)=\(kind)"
        return asking == .configuring ? "data.kinds: [\"\(answer.printable)\"]" : "--kind \(answer.shellWord)"
    }

    // MARK: Numbers

    private mutating func decideNumber(_ rows: Int, _ surroundings: Surroundings) {
        let form = survey.form(surroundings) ?? TableSchema.NumberForm()
        let strange = form.isPlain ? survey.others : survey.others - survey.formatted
        guard survey.numbers + survey.formatted > 0, survey.present > strange else {
            result = .question("holds no numbers\(firstWord), but is to be one; leave \(hint("number")) out")
            return
        }
        if strange > 0 {
            note = strangers(strange, one: "is no number", many: "are no numbers")
        }
        if request == nil, survey.others == 0, survey.isInteger {
            let isCounter =
                survey.isSequence && survey.numbers == rows && rows > 2
                && (name.isEmpty || name.hasPrefix("column ") || ColumnName(name).mayNumberRows)
            if isCounter, survey.first == 0 || survey.first == 1 { return result = .unused("only numbers the rows") }
            if let different = survey.identifiers, different.count == min(survey.numbers, 1 << 20), survey.numbers > 2,
                survey.numbers == rows
            {
                return result = .unused("is called as an identifier is, and all its numbers are different")
            }
            if survey.hasLeadingZeros {
                if !survey.words.hasManyNumbers { return decideCategory(isAsked: false) }
                note = "begins with zeros, as codes do; if they are codes: \(hint("category"))"
            }
        }
        let lacking = rows - survey.present + strange
        let indicator = lacking >= 10 && Double(lacking) >= 0.01 * Double(rows)
        result = .used(.number(form, indicator: indicator))
        values = survey.numbers > 0 ? "\(text(survey.smallest)) … \(text(survey.largest))" : ""
        if !form.isPlain {
            values = survey.words.frequent.prefix(3).map { $0.word.printable }.joined(separator: ", ")
            if note.isEmpty { note = "written as \(form.example)" }
        } else if survey.numbers > 1, survey.smallest == survey.largest {
            note = note.isEmpty ? "is always \(text(survey.smallest))" : note
        } else if request == nil, note.isEmpty, survey.isInteger, !survey.words.hasManyNumbers,
            (3...20).contains(survey.words.count), rows >= 100
        {
            note = "\(survey.words.count) different values; if they are names: \(hint("category"))"
        }
        if survey.inexact > 0, !keepsDigits {
            let way = asking == .importing ? "--float64 keeps them, and " : ""
            note =
                "\(survey.inexact) whole number\(survey.inexact == 1 ? " has" : "s have") more digits than float32 keeps (7 to 8): "
                + "\(way)model.precision \"float64\" \(way.isEmpty ? "keeps" : "computes with") them"
        }
    }

    private func text(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : "\(Float(number))"
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

/// What a column's name alone suggests about it.
struct ColumnName {
    private let name: String
    private let lower: String

    init(_ name: String) {
        self.name = name
        lower = name.lowercased()
    }

    /// Whether its values may say which row is which: they are left out if they are all different.
    var mayIdentifyRows: Bool {
        Self.ofBoth.contains(lower) || ["uuid", "guid", "key"].contains(lower)
            || ["_id", " id", "-id", ".id"].contains { lower.hasSuffix($0) } || name.hasSuffix("Id")
            || name.hasSuffix("ID")
    }

    /// Whether its values may be the rows' numbers, as programs write them in front: they are left out if they count up.
    var mayNumberRows: Bool {
        Self.ofBoth.contains(lower)
            || ["rownames", "row", "row_names", "unnamed: 0", "x1", "..1"].contains(lower)
    }

    private static let ofBoth = ["id", "index", "rowid"]
}
