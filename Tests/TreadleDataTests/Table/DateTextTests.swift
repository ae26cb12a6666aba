import Foundation
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData

/// Texts are read as the dates that a calendar has.
@Suite struct DateTextTests {
    private func time(_ text: String, _ format: DateFormat = .yearMonthDay) -> CalendarTime? {
        ShortText(Array(text.utf8).span).flatMap { CalendarTime($0, format) }
    }

    @Test(arguments: [
        ("2026-03-01", DateFormat.yearMonthDay), ("2026/3/1", .yearMonthDay), ("2026.03.01", .yearMonthDay),
        ("2026-03", .yearMonthDay), ("1/3/2026", .dayMonthYear), ("01.03.2026", .dayMonthYear),
        ("01-03-26", .dayMonthYear),
        ("3/1/2026", .monthDayYear), ("03-01-2026", .monthDayYear), ("1-Mar-2026", .dayNameYear),
        ("1 March 2026", .dayNameYear), ("Mar 1, 2026", .nameDayYear), ("march 1 2026", .nameDayYear),
        ("20260301", .digits),
    ])
    func `the first of March is read in every form`(text: String, format: DateFormat) {
        #expect(time(text, format) == CalendarTime(year: 2026, month: 3, day: 1), "\(text)")
    }

    @Test(arguments: [
        ("2026-03-01T10:30", 37_800, 0), ("2026-03-01 10:30:05", 37_805, 0), ("2026-03-01T10:30:05.123456", 37_805, 0),
        ("2026-03-01T10:30:05Z", 37_805, 0), ("2026-03-01 10:30:05+02:00", 37_805, 7200),
        ("2026-03-01T10:30:05-0530", 37_805, -19_800), ("2026-03-01 1:05 PM", 47_100, 0),
        ("2026-03-01 12:05 am", 300, 0), ("2026-03-01 10:30:05 UTC", 37_805, 0), ("2026-03-01T23:59:60Z", 86_399, 0),
    ])
    func `a time of day and a zone may follow`(text: String, second: Int, offset: Int) throws {
        let time = try #require(self.time(text))
        #expect(time.hasTime && time.second == second && time.offset == offset)
        #expect(time.instant == CalendarTime(year: 2026, month: 3, day: 1).dayNumber * 86_400 + second - offset)
    }

    @Test(arguments: [
        ("13:45", 49_500), ("1:45 PM", 49_500), ("00:00", 0), ("23:59:59.5", 86_399), ("9:05:07", 32_707),
        ("12:30 am", 1_800),
    ])
    func `a time of day may stand alone`(text: String, second: Int) throws {
        let time = try #require(self.time(text, .time))
        #expect(time.second == second && time.instant == second)
        #expect(self.time(text) == nil)
    }

    @Test(arguments: ["24:00", "13:60", "13", "13:4", ":30", "13:45 PM", "2026-01-01 13:45", "T13:45", "13:45:"])
    func `what no clock shows is no time of day`(text: String) { #expect(time(text, .time) == nil, "\(text)") }

    @Test(arguments: [
        "2026-02-30", "2025-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "26-01-01", "2026-1-1x", "2026-01-01T",
        "2026-01-01 25:00", "2026-01-01 10", "2026-01-01 10:60", "2026-01/01", "20260101", "2026", "", "12026-01-01",
        "2026-01-01 13:00 PM", "2026-01-01 10:00+", "0000-01-01", "2026-01-01 10:30 ",
    ])
    func `what no calendar has is no date`(text: String) {
        #expect(time(text) == nil, "\(text)")
    }

    @Test func `points never stand between month and day`() {
        #expect(time("03.01.2026", .monthDayYear) == nil)
        #expect(time("2000-02-29") != nil && time("1900-02-29") == nil)
    }

    /// Foundation's calendar is another implementation.
    @Test func `days and weekdays are those of another calendar`() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for number in stride(from: -200_000, through: 200_000, by: 997) {
            let date = Date(timeIntervalSince1970: Double(number) * 86_400)
            // Before 1582 Foundation counts by the calendar of the time.
            guard number > -140_000 else { continue }
            let parts = calendar.dateComponents([.year, .month, .day, .weekday], from: date)
            let time = CalendarTime(dayNumber: number)
            #expect(time.year == parts.year && time.month == parts.month && time.day == parts.day)
            #expect(time.dayNumber == number)
            #expect((time.weekday + 1) % 7 + 1 == parts.weekday)
        }
    }

    @Test func `circles begin where they end, and have the sines of mathematics`() {
        for part in stride(from: 0.0, to: 1, by: 1.0 / 64) {
            #expect(abs(Circle.sine(part) - sin(2 * .pi * part)) < 1e-15)
            #expect(abs(Circle.cosine(part) - cos(2 * .pi * part)) < 1e-15)
        }
        #expect(Circle.cosine(0) == 1 && Circle.cosine(0.5) == -1)
    }
}
