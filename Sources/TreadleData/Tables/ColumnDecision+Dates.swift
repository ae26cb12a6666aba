internal import TreadleModel

/// Columns of dates, and of times of day.
extension ColumnDecision {
    mutating func decideDate() {
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
        guard format != .time else { return decideTime(dates) }
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
        if survey.others > dates.count {
            note = strangers(survey.others - dates.count, one: "is no date", many: "are no dates")
        } else if format != .yearMonthDay {
            note = "read as \(format.rawValue)"
        }
        result = .used(.date(parts: parts, origin: origin, format: format == .yearMonthDay ? nil : format.rawValue))
    }

    /// A time of day alone goes round in a circle: midnight is next to midnight.
    private mutating func decideTime(_ times: DateSurvey) {
        let (first, last) = (clock(times.first), clock(times.last))
        values = first == last ? first : "\(first) … \(last)"
        guard times.varying.times else { return result = .unused("is always the same time") }
        let strange = survey.others - times.count
        note =
            strange > 0
            ? strangers(strange, one: "is no time of day", many: "are no times of day") : "read as times of day"
        result = .used(
            .date(parts: [.hourSine, .hourCosine], origin: "1970-01-01", format: DateFormat.time.rawValue))
    }

    private func clock(_ seconds: Int) -> String {
        let (hour, minute) = (seconds / 3600, seconds / 60 % 60)
        return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
    }

    private func floorDays(_ seconds: Int) -> Int { (seconds - (seconds % 86_400 + 86_400) % 86_400) / 86_400 }
}
