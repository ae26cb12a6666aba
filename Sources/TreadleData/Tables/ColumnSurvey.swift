/// What one reading finds out about a column: enough to decide what kind it is of, in memory that does not grow with it.
///
/// Blocks are surveyed on their own and merged in the file's order, so that threads change nothing.
struct ColumnSurvey {
    /// What a column's values are taken for.
    enum Reading: Equatable {
        case ignored
        /// Whatever they seem to be.
        case any
        /// Words, even those that are numbers.
        case words
        case dates(DateFormat?)
    }

    var missing = 0
    /// Plain numbers.
    var numbers = 0
    /// Values that are no plain numbers.
    var others = 0

    // Of numbers:
    var smallest = Double.infinity
    var largest = -Double.infinity
    var isInteger = true
    /// Whole numbers that Float32 does not hold.
    var inexact = 0
    /// Whether each number is the one before it plus 1, from `first` to `last`.
    var isSequence = true
    var first = 0.0
    var last = 0.0
    /// Whether some begin with zeros that numbers do not need, as postal codes do.
    var hasLeadingZeros = false
    /// The different whole numbers, of columns that are called as identifiers are; nil of others, and where one came twice.
    var identifiers: Set<Int>?

    // Of numbers and others:
    /// The forms that all numbers fit, if those that are not plain are numbers at all.
    var forms = NumberText.Forms.all
    var sign: String?
    var signed = 0
    /// Values that are numbers of some form, but not plain.
    var formatted = 0
    var dates: [DateFormat: DateSurvey] = [:]

    /// The different values.
    private(set) var words: WordCounts
    /// The first value that is no number, or no date where dates are due; its place is a byte of its block, then a line.
    var firstWord: (place: Int, text: String, path: String)?

    private let reading: Reading

    init(_ reading: Reading, looksLikeIdentifier: Bool = false, mostNumbers: Int = 100) {
        self.reading = reading
        words = WordCounts(mostNumbers: reading == .words ? .max : mostNumbers)
        identifiers = looksLikeIdentifier ? [] : nil
        if case .dates(let format) = reading {
            for format in format.map({ [$0] }) ?? DateFormat.allCases { dates[format] = DateSurvey() }
        } else if reading == .any {
            for format in DateFormat.found { dates[format] = DateSurvey() }
        }
    }

    /// Values that are not missing.
    var present: Int { numbers + others }

    mutating func add(_ field: DelimitedField, _ bytes: Span<UInt8>) {
        if field.isMissing(bytes) {
            missing += 1
            return
        }
        switch reading {
        case .ignored: break
        case .words:
            others += 1
            words.add(field, bytes)
        case .dates:
            others += 1
            addDate(field, bytes)
        case .any:
            let range = field.trimmed(bytes)
            var position = range.lowerBound
            if let number = Double.scan(bytes, &position), position == range.upperBound {
                add(number, bytes, range)
                if !words.hasManyNumbers { words.add(field, bytes, isNumber: true) }
            } else if field.isInfinite(bytes) {
                numbers += 1
                isInteger = false
                isSequence = false
            } else {
                others += 1
                if !addFormatted(field, bytes), firstWord == nil {
                    firstWord = (range.lowerBound, field.text(bytes), "")
                }
                if !dates.isEmpty { addDate(field, bytes) }
                words.add(field, bytes)
            }
        }
    }

    private mutating func add(_ number: Double, _ bytes: Span<UInt8>, _ range: Range<Int>) {
        smallest = min(smallest, number)
        largest = max(largest, number)
        if numbers == 0 { first = number } else if number != last + 1 { isSequence = false }
        last = number
        numbers += 1
        if number == number.rounded(), abs(number) < 0x1p63 {
            if abs(number) > 0x1p24, Double(Float(number)) != number { inexact += 1 }
            if let before = identifiers?.count, before < 1 << 20 {
                identifiers?.insert(Int(number))
                if identifiers?.count == before { identifiers = nil }
            }
            if bytes[range.lowerBound] == UInt8(ascii: "0"), range.count >= 4,
                bytes[range.lowerBound + 1] != UInt8(ascii: ".")
            {
                hasLeadingZeros = true
            }
        } else {
            isInteger = false
        }
        // A point may stand between thousands, but only until a number says otherwise.
        if !forms.isSubset(of: .points),
            number != number.rounded() || range.contains(where: { bytes[$0] == UInt8(ascii: ".") })
        {
            forms.formIntersection(
                ShortText(bytes.extracting(range)).flatMap { NumberText($0) }?.forms(among: forms) ?? .points)
        }
    }

    /// Whether the value is a number of a form that the others so far have.
    private mutating func addFormatted(_ field: DelimitedField, _ bytes: Span<UInt8>) -> Bool {
        // A word among formatted numbers says nothing about their form.
        guard !forms.isEmpty, let short = ShortText(bytes.extracting(field.trimmed(bytes))),
            let text = NumberText(short),
            text.sign == nil || sign == nil || text.sign == sign
        else { return false }
        let common = text.forms(among: forms)
        guard !common.isEmpty else { return false }
        forms = common
        if text.sign != nil {
            sign = text.sign
            signed += 1
        }
        formatted += 1
        return true
    }

    private mutating func addDate(_ field: DelimitedField, _ bytes: Span<UInt8>) {
        let text = ShortText(bytes.extracting(field.trimmed(bytes)))
        for format in DateFormat.allCases where dates[format] != nil {
            dates[format]?.add(text.flatMap { CalendarTime($0, format) })
            // Words that are no dates need not be asked for ever.
            if reading == .any, let failures = dates[format]?.failures, failures > 64,
                failures > dates[format]?.count ?? 0
            {
                dates[format] = nil
            }
        }
        if case .dates = reading, firstWord == nil, dates.values.contains(where: { $0.failures == 1 && $0.count == 0 })
        {
            firstWord = (field.range.lowerBound, field.text(bytes), "")
        }
    }

    /// Adds what was found in the block that follows.
    mutating func merge(_ other: ColumnSurvey, line: (Int) -> Int, path: String) {
        if firstWord == nil, let word = other.firstWord { firstWord = (line(word.place), word.text, path) }
        if other.numbers > 0 {
            isSequence = isSequence && other.isSequence && (numbers == 0 || other.first == last + 1)
            if numbers == 0 { first = other.first }
            last = other.last
        }
        missing += other.missing
        numbers += other.numbers
        others += other.others
        smallest = min(smallest, other.smallest)
        largest = max(largest, other.largest)
        isInteger = isInteger && other.isInteger
        inexact += other.inexact
        hasLeadingZeros = hasLeadingZeros || other.hasLeadingZeros
        mergeIdentifiers(other.identifiers)
        forms.formIntersection(other.forms)
        if let sign, let theirs = other.sign, sign != theirs { forms = [] }
        sign = sign ?? other.sign
        signed += other.signed
        formatted += other.formatted
        for format in dates.keys {
            if let more = other.dates[format] { dates[format]?.merge(more) } else { dates[format] = nil }
        }
        words.merge(other.words, tellsNumbers: reading == .any)
    }

    private mutating func mergeIdentifiers(_ more: Set<Int>?) {
        guard let more, let count = identifiers?.count else {
            identifiers = nil
            return
        }
        guard count < 1 << 20 else { return }
        identifiers?.formUnion(more)
        if identifiers?.count != count + more.count { identifiers = nil }
    }
}
