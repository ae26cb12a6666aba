internal import TreadleBase
internal import TreadleModel

extension TableSchema.DatePart {
    /// The part of a time as a number; days count from `origin`, seconds from 1970 in UTC.
    ///
    /// Month, weekday and hour are those of the clocks there, and go round in circles: a month's days and an hour's
    /// minutes are parts of their way.
    func value(of time: CalendarTime, origin: Int) -> Double {
        switch self {
        case .days: Double(time.instant - origin) / 86_400
        case .year: Double(time.year)
        case .monthSine: Circle.sine(time.partOfYear)
        case .monthCosine: Circle.cosine(time.partOfYear)
        case .weekdaySine: Circle.sine(Double(time.weekday) / 7)
        case .weekdayCosine: Circle.cosine(Double(time.weekday) / 7)
        case .hourSine: Circle.sine(Double(time.second) / 86_400)
        case .hourCosine: Circle.cosine(Double(time.second) / 86_400)
        }
    }
}

extension CalendarTime {
    /// How much of the year has gone by, with months of equal length.
    fileprivate var partOfYear: Double {
        let days = Double(Day.inMonth(month, of: year))
        return (Double(month - 1) + Double(day - 1) / days) / 12
    }

    /// The date that a number of days after 1970-01-01 is.
    init(dayNumber: Int) {
        // Howard Hinnant's civil_from_days.
        let shifted = dayNumber + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        self.init(
            year: yearOfEra + era * 400 + (month >= 10 ? 1 : 0), month: month < 10 ? month + 3 : month - 9, day: day)
    }

    /// `2026-01-31`
    var dateText: String {
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }
}
