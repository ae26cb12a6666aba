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

    /// More different words than this are not counted exactly any more: the most frequent of them are kept.
    static let mostWords = 65_536
    private static let keptWords = 4_096
    /// Longer texts are no names of anything.
    private static let longestWord = 256

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

    /// Different values, and how often each came: of numbers only while they are few.
    private(set) var words = WordTable()
    private(set) var counts: [Int] = []
    /// Rows of words that were forgotten for others.
    private(set) var forgotten = 0
    private(set) var hasForgotten = false
    private(set) var hasManyNumbers = false
    private var differentNumbers = 0
    /// The first value that is no number, or no date where dates are due; its place is a byte of its block, then a line.
    var firstWord: (place: Int, text: String, path: String)?

    private let reading: Reading
    /// So many different numbers are remembered.
    private let mostNumbers: Int

    init(_ reading: Reading, looksLikeIdentifier: Bool = false, mostNumbers: Int = 100) {
        self.reading = reading
        self.mostNumbers = reading == .words ? .max : mostNumbers
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
            count(field, bytes)
        case .dates:
            others += 1
            addDate(field, bytes)
        case .any:
            let range = field.trimmed(bytes)
            var position = range.lowerBound
            if let number = Double.scan(bytes, &position), position == range.upperBound {
                add(number, bytes, range)
                if !hasManyNumbers { count(field, bytes, isNumber: true) }
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
                count(field, bytes)
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

    private mutating func count(_ field: DelimitedField, _ bytes: Span<UInt8>, isNumber: Bool = false) {
        field.withWord(bytes) { word in
            guard word.count <= ColumnSurvey.longestWord else {
                forgotten += 1
                hasForgotten = true
                return
            }
            count(word, times: 1, isNumber: isNumber)
        }
        if differentNumbers > mostNumbers { forgetNumbers() }
    }

    private mutating func count(_ word: Span<UInt8>, times: Int, isNumber: Bool) {
        let number = words.insert(word)
        if number == counts.count {
            counts.append(times)
            differentNumbers += isNumber ? 1 : 0
        } else {
            counts[number] += times
        }
    }

    /// Keeps words alone, whatever came first: how blocks follow each other must not matter.
    private mutating func forgetNumbers() {
        hasManyNumbers = true
        var kept = WordTable()
        var keptCounts: [Int] = []
        for number in counts.indices where !words.withWord(number, ColumnSurvey.isNumber) {
            _ = words.withWord(number) { kept.insert($0) }
            keptCounts.append(counts[number])
        }
        words = kept
        counts = keptCounts
        differentNumbers = 0
    }

    private static func isNumber(_ word: Span<UInt8>) -> Bool {
        var position = 0
        return Double.scan(word, &position) != nil && position == word.count
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
        forgotten += other.forgotten
        hasForgotten = hasForgotten || other.hasForgotten
        let hadManyNumbers = hasManyNumbers
        hasManyNumbers = hasManyNumbers || other.hasManyNumbers
        for number in 0..<other.words.count {
            other.words.withWord(number) { word in
                let isNumber = reading == .any && ColumnSurvey.isNumber(word)
                if isNumber, hasManyNumbers { return }
                count(word, times: other.counts[number], isNumber: isNumber)
            }
        }
        if differentNumbers > mostNumbers || (hasManyNumbers && !hadManyNumbers) { forgetNumbers() }
        if words.count > ColumnSurvey.mostWords { forgetRareWords() }
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

    /// Keeps the words that came most often.
    private mutating func forgetRareWords() {
        let kept = frequent.prefix(ColumnSurvey.keptWords)
        let before = counts.reduce(0, +)
        words = WordTable(kept.map(\.word))
        counts = kept.map(\.count)
        differentNumbers = kept.count { ColumnSurvey.isNumber(Array($0.word.utf8).span) }
        forgotten += before - counts.reduce(0, +)
        hasForgotten = true
    }

    /// The different values, the most frequent first, equals in the order of their letters.
    var frequent: [(word: String, count: Int)] {
        counts.indices.map { (words[$0], counts[$0]) }.sorted {
            $0.1 != $1.1 ? $0.1 > $1.1 : $0.0.utf8.lexicographicallyPrecedes($1.0.utf8)
        }
    }
}

/// What dates of one format have in a column.
struct DateSurvey {
    var count = 0
    /// Values that are no dates in this format.
    var failures = 0
    var first = Int.max
    var last = Int.min
    var years = Int.max...Int.max
    private var months: UInt16 = 0
    private var weekdays: UInt8 = 0
    private var time: Int?
    private var timesVary = false

    mutating func add(_ time: CalendarTime?) {
        guard let time else {
            failures += 1
            return
        }
        years = count == 0 ? time.year...time.year : min(years.lowerBound, time.year)...max(years.upperBound, time.year)
        count += 1
        first = min(first, time.instant)
        last = max(last, time.instant)
        months |= 1 << UInt16(time.month)
        weekdays |= 1 << UInt8(time.weekday)
        addTime(time.second)
    }

    private mutating func addTime(_ second: Int) {
        if let time, time != second { timesVary = true }
        time = second
    }

    mutating func merge(_ other: DateSurvey) {
        failures += other.failures
        guard other.count > 0 else { return }
        years =
            count == 0
            ? other.years
            : min(years.lowerBound, other.years.lowerBound)...max(years.upperBound, other.years.upperBound)
        count += other.count
        first = min(first, other.first)
        last = max(last, other.last)
        months |= other.months
        weekdays |= other.weekdays
        timesVary = timesVary || other.timesVary
        if let second = other.time { addTime(second) }
    }

    /// Whether the date is always the same but for the time of day, and so on: what does not vary says nothing.
    var varying: (days: Bool, years: Bool, months: Bool, weekdays: Bool, times: Bool) {
        (
            first < last, years.lowerBound < years.upperBound, months.nonzeroBitCount > 1,
            weekdays.nonzeroBitCount > 1, timesVary
        )
    }
}
