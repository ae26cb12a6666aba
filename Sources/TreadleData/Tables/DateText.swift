internal import TreadleBase

/// How a column writes its dates. A time of day may follow in each of them: `T` or a space, hours and minutes, seconds
/// and fractions where there are any, AM or PM, and a time zone. A time of day may also stand alone.
enum DateFormat: String, CaseIterable, Sendable {
    /// `2026-01-31`, also with `/` or `.`, or without the day.
    case yearMonthDay = "Y-m-d"
    /// `31/1/2026`, also with `-` or `.`; years of two digits are those of 1970 to 2069.
    case dayMonthYear = "d/m/Y"
    case monthDayYear = "m/d/Y"
    /// `31-Jan-2026`, `31 January 2026`
    case dayNameYear = "d b Y"
    /// `Jan 31, 2026`
    case nameDayYear = "b d Y"
    /// `20260131`, which is taken for a number unless asked.
    case digits = "Ymd"
    /// `13:45`, `1:45:30 PM`: no day.
    case time = "H:M"

    /// Those that are looked for without being asked.
    static let found = allCases.filter { $0 != .digits }
}

/// A date and a time of day as they stand in a text.
struct CalendarTime: Equatable {
    var year: Int
    var month: Int
    var day: Int
    /// Seconds since midnight; whole ones.
    var second = 0
    /// Whether a time of day was written.
    var hasTime = false
    /// Seconds that clocks there are ahead of UTC.
    var offset = 0

    /// Days from 1970-01-01 to the date, as written.
    var dayNumber: Int { Day.number(year: year, month: month, day: day) }

    /// Seconds from 1970-01-01 00:00 UTC.
    var instant: Int { dayNumber * 86_400 + second - offset }
    /// 0 is Monday.
    var weekday: Int { ((dayNumber + 3) % 7 + 7) % 7 }

    /// The time that `text` is in this format; nil where it is none, or no day of the calendar.
    init?(_ text: ShortText, _ format: DateFormat) {
        var reader = DateReader(text)
        if format == .time {
            guard let (second, _) = reader.timeOfDay() else { return nil }
            self.init(year: 1970, month: 1, day: 1)
            self.second = second
            hasTime = true
            return
        }
        guard let (year, month, day) = reader.date(format), (1...12).contains(month), day >= 1,
            day <= Day.inMonth(month, of: year)
        else { return nil }
        self.init(year: year, month: month, day: day)
        guard !reader.isAtEnd else { return }
        guard let (second, offset) = reader.time() else { return nil }
        self.second = second
        self.offset = offset
        hasTime = true
    }

    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }
}

/// Reads the parts of a date one after the other.
private struct DateReader {
    private let text: ShortText
    private var position = 0

    init(_ text: ShortText) { self.text = text }

    var isAtEnd: Bool { position == text.count }

    private var next: UInt8 { text[position] }

    private mutating func skip(_ byte: Character) -> Bool {
        guard let byte = byte.asciiValue, next == byte, !isAtEnd else { return false }
        position += 1
        return true
    }

    /// A number of so many digits.
    private mutating func number(_ digits: ClosedRange<Int>) -> Int? {
        var value = 0
        var count = 0
        while count < digits.upperBound, case let digit = next &- 48, digit <= 9 {
            value = value * 10 + Int(digit)
            position += 1
            count += 1
        }
        guard count >= digits.lowerBound else { return nil }
        // A digit more: it is another number than the one that was looked for.
        if case let digit = next &- 48, digit <= 9, digits.upperBound > 2 || digits.lowerBound == 1 { return nil }
        return value
    }

    /// What stands between day, month and year: the same in both places.
    private mutating func separator() -> UInt8? {
        let byte = next
        guard byte == UInt8(ascii: "/") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") else { return nil }
        position += 1
        return byte
    }

    /// A year of four digits, or of two.
    private mutating func year() -> Int? {
        let start = position
        guard let value = number(2...4) else { return nil }
        switch position - start {
        case 4: return value > 0 ? value : nil
        case 2: return value < 70 ? 2000 + value : 1900 + value
        default: return nil
        }
    }

    /// The number of a month by its English name, whole or its first three letters.
    private mutating func monthName() -> Int? {
        var letters: [UInt8] = []
        while case let letter = next | 0x20, letter >= UInt8(ascii: "a"), letter <= UInt8(ascii: "z"),
            letters.count < 10
        {
            letters.append(letter)
            position += 1
        }
        guard letters.count >= 3,
            let found = monthNames.firstIndex(where: { $0.starts(with: letters) || $0 == letters })
        else { return nil }
        guard letters.count == 3 || letters.count == monthNames[found].count || letters == Array("sept".utf8) else {
            return nil
        }
        return found + 1
    }

    mutating func date(_ format: DateFormat) -> (year: Int, month: Int, day: Int)? {
        switch format {
        case .yearMonthDay:
            guard let year = number(4...4), year > 0, let first = separator(), let month = number(1...2) else {
                return nil
            }
            guard next == first else { return isAtEnd && first == UInt8(ascii: "-") ? (year, month, 1) : nil }
            position += 1
            guard let day = number(1...2) else { return nil }
            return (year, month, day)
        case .dayMonthYear, .monthDayYear:
            guard let first = number(1...2), let mark = separator(), let second = number(1...2), next == mark else {
                return nil
            }
            position += 1
            guard let year = year() else { return nil }
            if format == .dayMonthYear { return (year, second, first) }
            // Points stand between day and month, never between month and day.
            return mark == UInt8(ascii: ".") ? nil : (year, first, second)
        case .dayNameYear:
            guard let day = number(1...2), skip("-") || skip(" ") || skip("/"), let month = monthName(),
                skip("-") || skip(" ") || skip("/"), let year = year()
            else { return nil }
            return (year, month, day)
        case .nameDayYear:
            guard let month = monthName(), skip(" "), let day = number(1...2) else { return nil }
            _ = skip(",")
            guard skip(" "), let year = year() else { return nil }
            return (year, month, day)
        case .digits:
            guard text.count >= 8, let all = number(8...8) else { return nil }
            return (all / 10_000, all / 100 % 100, all % 100)
        case .time: return nil
        }
    }

    /// What follows a date: seconds of the day, and how far clocks are ahead of UTC.
    mutating func time() -> (second: Int, offset: Int)? {
        guard skip("T") || skip("t") || skip(" ") else { return nil }
        return timeOfDay()
    }

    /// The same without anything before it.
    mutating func timeOfDay() -> (second: Int, offset: Int)? {
        guard var hour = number(1...2), skip(":"), let minute = number(2...2) else { return nil }
        var second = 0
        if skip(":") {
            guard let whole = number(2...2) else { return nil }
            second = whole
            if skip(".") || skip(",") {
                guard case let digit = next &- 48, digit <= 9 else { return nil }
                while case let digit = next &- 48, digit <= 9 { position += 1 }
            }
        }
        let hasSpace = skip(" ")
        let letter = next | 0x20
        if letter == UInt8(ascii: "a") || letter == UInt8(ascii: "p") {
            position += 1
            guard next | 0x20 == UInt8(ascii: "m"), (1...12).contains(hour) else { return nil }
            position += 1
            hour = hour % 12 + (letter == UInt8(ascii: "p") ? 12 : 0)
        } else if hasSpace, isAtEnd {
            return nil
        }
        guard hour <= 23, minute <= 59, second <= 60, let offset = zone(), isAtEnd else { return nil }
        // A leap second is the last of its day.
        return (hour * 3600 + minute * 60 + min(second, 59), offset)
    }

    /// `Z`, `UTC`, `+02:00`, `-0530` or nothing.
    private mutating func zone() -> Int? {
        _ = skip(" ")
        if isAtEnd || skip("Z") || skip("z") { return 0 }
        if skip("U") { return skip("T") && skip("C") ? 0 : nil }
        if skip("G") { return skip("M") && skip("T") ? 0 : nil }
        let isBehind = next == UInt8(ascii: "-")
        guard isBehind || next == UInt8(ascii: "+") else { return nil }
        position += 1
        guard let hours = number(2...2) else { return nil }
        _ = skip(":")
        let minutes = isAtEnd ? 0 : number(2...2)
        guard let minutes, hours <= 15, minutes <= 59 else { return nil }
        return (isBehind ? -1 : 1) * (hours * 3600 + minutes * 60)
    }
}

private let monthNames = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
].map { Array($0.utf8) }
