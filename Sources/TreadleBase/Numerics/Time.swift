/// Days of the calendar.
package enum Day {
    /// Days from one date to another, each written 2026-01-31; nil where one is no such date.
    package static func distance(from start: String, to end: String) -> Double? {
        if start == end { return 0 }
        guard let first = number(start), let last = number(end) else { return nil }
        return Double(last - first)
    }

    /// Days since 1970-01-01 of a date written 2026-01-31, which a time of day may follow; nil where it is none.
    package static func number(_ text: String) -> Int? {
        let parts = text.prefix(10).split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2],
            (1...9999).contains(year), (1...12).contains(month), (1...inMonth(month, of: year)).contains(day)
        else { return nil }
        return number(year: year, month: month, day: day)
    }

    /// Days since 1970-01-01 by the Gregorian calendar.
    package static func number(year: Int, month: Int, day: Int) -> Int {
        // Howard Hinnant's days_from_civil: years begin in March, so that the leap day is their last; eras have 400 of them.
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    package static func inMonth(_ month: Int, of year: Int) -> Int {
        if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
        return [4, 6, 9, 11].contains(month) ? 30 : 31
    }
}

extension Duration {
    /// The duration in seconds, to the nanosecond.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
