/// Days of the calendar.
package enum Day {
    /// Days from one date to another, each written 2026-01-31; nil where one is no such date.
    package static func distance(from start: String, to end: String) -> Double? {
        if start == end { return 0 }
        guard let first = number(start), let last = number(end) else { return nil }
        return Double(last - first)
    }

    /// Days since 1970-01-01 by the Gregorian calendar.
    package static func number(_ text: String) -> Int? {
        let parts = text.prefix(10).split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2],
            (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        // Years begin in March, so that the leap day is their last.
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.quotientAndRemainder(dividingBy: 400)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
