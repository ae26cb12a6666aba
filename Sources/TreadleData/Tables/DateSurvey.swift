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
