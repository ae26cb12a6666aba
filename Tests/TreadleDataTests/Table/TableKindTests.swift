import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleModel

/// Import finds what the columns of a table are, says it, and is told otherwise.
@Suite struct TableKindTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Converts a table of `columns`, each with its values from the top, and a target.
    private func converted(
        _ columns: [(name: String, values: [String])], _ options: TableOptions = TableOptions(), threads: Int = 2,
        float64: Bool = false, delimiter: String = ","
    ) throws -> TableConversion.Outcome {
        var lines = [columns.map(\.name).joined(separator: delimiter)]
        for row in columns[0].values.indices {
            lines.append(
                columns.map { column in
                    let value = column.values[row]
                    return value.contains(delimiter) ? "\"\(value)\"" : value
                }.joined(separator: delimiter))
        }
        let path = try directory.write(lines.joined(separator: "\n") + "\n", to: "in.csv")
        return try TableConversion(
            inputs: [path], output: directory.file("out.h5"), replacing: true, float64: float64, options: options
        ).write(workers: Workers(count: threads))
    }

    private func kind(
        _ values: [String], _ options: TableOptions = TableOptions(), name: String = "a", delimiter: String = ","
    ) throws -> TableSchema.Kind? {
        let columns = [(name, values), ("n", values.indices.map { "\($0 % 9).5" })]
        return try converted(columns, options, delimiter: delimiter).schema.columns.first { $0.name == name }?.kind
    }

    private func x(_ column: Int) throws -> [Float] {
        let dataset = try H5File.open(directory.file("out.h5")).dataset("/x")
        let width = dataset.shape[1]
        return try dataset.read(as: Float.self).enumerated().filter { $0.offset % width == column }.map(\.element)
    }

    private func reason(_ values: [String], name: String = "a") throws -> String? {
        let columns = [(name, values), ("n", values.indices.map { "\($0 % 9).5" })]
        return try converted(columns).schema.unused.first?.reason
    }

    private func problems(_ values: [String], _ options: TableOptions = TableOptions()) -> [String] {
        do {
            _ = try kind(values, options)
            return []
        } catch {
            return (error as? TreadleError)?.messages ?? ["\(error)"]
        }
    }

    @Test func `numbers are numbers, with an indicator where they are missing often enough`() throws {
        #expect(try kind(["1", "-2.5", "3e2"]) == .number(.init(), indicator: false))
        let numbers = (0..<900).map { "\($0 % 77).25" }
        #expect(try kind(numbers + [String](repeating: "NA", count: 9)) == .number(.init(), indicator: false))
        #expect(try kind(numbers + [String](repeating: "", count: 10)) == .number(.init(), indicator: true))
        let many = (0..<2_000).map { "\($0 % 77).25" }
        #expect(try kind(many + [String](repeating: "?", count: 10)) == .number(.init(), indicator: false))
    }

    @Test func `signs, marks and decimal commas are read where the whole column has them`() throws {
        #expect(try kind(["$1,200", "$80", "$7"]) == .number(.init(thousands: ",", sign: "$"), indicator: false))
        #expect(try x(0) == [1200, 80, 7])
        #expect(try kind(["1,5", "2,25", "3"], delimiter: ";") == .number(.init(decimalComma: true), indicator: false))
        #expect(try x(0) == [1.5, 2.25, 3])
        #expect(try kind(["5%", "7 %", "100%"]) == .number(.init(sign: "%"), indicator: false))
        // A share written in two ways is no number that could be right.
        #expect(
            try kind(["5%", "0.07", "5%", "0.07"])
                == .category(values: ["0.07", "5%"], hasOther: false, hasMissing: false)
                || kind(["5%", "0.07", "5%", "0.07"]) == .flag(no: "0.07", yes: "5%"))
    }

    @Test func `what a comma means is told by what lies between fields, and by other columns`() throws {
        #expect(try kind(["1,234", "12,500"]) == .number(.init(thousands: ","), indicator: false))
        #expect(try kind(["1,234", "12,500"], delimiter: ";") == .number(.init(decimalComma: true), indicator: false))
        let columns = [("a", ["1.234", "12.500"]), ("b", ["0,5", "2,75"])]
        let schema = try converted(columns, delimiter: ";").schema
        #expect(schema.columns[0].kind == .number(.init(decimalComma: true, thousands: "."), indicator: false))
        #expect(try x(0) == [1234, 12500])
    }

    @Test func `few words among many numbers are missing values, and that is said`() throws {
        let values = (0..<98).map { "\($0).5" } + ["unknown", "1,5x"]
        let columns = [("a", values), ("n", values.indices.map { "\($0 % 9).5" })]
        let outcome = try converted(columns)
        #expect(outcome.schema.columns[0].kind == .number(.init(), indicator: false))
        #expect(outcome.findings[0].note.contains("2 values are no numbers (\"unknown\" in "))
        #expect(outcome.findings[0].note.contains("in.csv:100)"))
        #expect(try x(0).filter(\.isNaN).count == 2)
    }

    @Test func `a column of numbers and words that cannot be told is a question, and all questions come at once`()
        throws
    {
        let numbers = (0..<300).map { "\($0).5" }
        let words = (0..<100).map { _ in "n.v." }
        let columns = [("a", numbers + words), ("b", words + numbers), ("n", (0..<400).map { "\($0 % 9).5" })]
        do {
            _ = try converted(columns)
            Issue.record("no question")
        } catch let error as TreadleError {
            #expect(error.messages.count == 2)
            #expect(error.messages[0].contains("\"a\" holds numbers, and in 100 of 400 rows words"))
            #expect(error.messages[0].contains("--kind a=number") && error.messages[0].contains("--kind a=drop"))
            #expect(error.messages[1].contains("in.csv:2"))
        }
        let kinds = [RequestedKind("a", .number), RequestedKind("b", .drop)]
        let schema = try converted(columns, TableOptions(kinds: kinds)).schema
        #expect(schema.columns.map(\.name) == ["a", "n"])
        #expect(schema.columns[0].kind == .number(.init(), indicator: true))
    }

    @Test func `words are categories, in the order of their letters, and missing is a value of its own`() throws {
        let words = (0..<60).map { ["b", "a", "c", ""][$0 % 4] }
        #expect(try kind(words) == .category(values: ["a", "b", "c"], hasOther: false, hasMissing: true))
        #expect(try x(0).prefix(4) == [3, 2, 4, 1])
        #expect(
            try kind((0..<60).map { ["b", "a", "c"][$0 % 3] })
                == .category(values: ["a", "b", "c"], hasOther: false, hasMissing: false))
    }

    @Test func `rare values are pooled, by settings that fit the rows`() throws {
        let words = (0..<1000).map { $0 < 990 ? "w\($0 % 5)" : "rare\($0 / 2)" } + ["once"]
        guard case .category(let values, let hasOther, _) = try kind(words) else { throw Missing() }
        #expect(values.count == 10 && hasOther && !values.contains("once"))
        guard case .category(let few, _, _) = try kind(words, TableOptions(rare: 3)) else { throw Missing() }
        #expect(few == ["w0", "w1", "w2", "w3", "w4"])
        guard case .category(let two, _, _) = try kind(words, TableOptions(mostValues: 2)) else { throw Missing() }
        #expect(two == ["w0", "w1"])
        #expect(try x(0)[2] == 0)
    }

    private struct Missing: Error {}

    @Test func `integers are categories when asked, by size, whether or not a program wrote them as fractions`() throws
    {
        let options = TableOptions(kinds: [RequestedKind("a", .category)])
        let kind = try kind((0..<90).map { ["10", "9.0", "9", "2"][$0 % 4] }, options)
        #expect(kind == .category(values: ["2", "9", "10"], hasOther: false, hasMissing: false))
    }

    @Test func `codes with zeros in front are words`() throws {
        #expect(
            try kind((0..<60).map { ["0123", "4567", "0099"][$0 % 3] })
                == .category(values: ["0099", "0123", "4567"], hasOther: false, hasMissing: false))
    }

    @Test func `two values are a flag, whose yes is 1`() throws {
        #expect(try kind((0..<60).map { ["yes", "no"][$0 % 2] }) == .flag(no: "no", yes: "yes"))
        #expect(try x(0).prefix(2) == [1, 0])
        #expect(try kind((0..<60).map { ["TRUE", "FALSE"][$0 % 2] }) == .flag(no: "FALSE", yes: "TRUE"))
        #expect(try kind((0..<60).map { ["t", "f"][$0 % 2] }) == .flag(no: "f", yes: "t"))
        #expect(try kind((0..<60).map { ["male", "female"][$0 % 2] }) == .flag(no: "female", yes: "male"))
        #expect(try kind((0..<60).map { ["0", "1"][$0 % 2] }) == .number(.init(), indicator: false))
        #expect(
            try kind((0..<60).map { ["0", "1"][$0 % 2] }, TableOptions(kinds: [RequestedKind("a", .flag)]))
                == .flag(no: "0", yes: "1"))
        #expect(problems(["a", "b", "c"], TableOptions(kinds: [RequestedKind("a", .flag)])).count == 1)
    }

    @Test func `identifiers, free text and what never changes are left out, with the reason`() throws {
        #expect(try reason((0..<50).map { "k\($0)" }) == "all its values are different: an identifier")
        #expect(
            try reason((0..<50).map { "\(1000 + $0 * 37 % 50)" }, name: "customer_id")?.contains("identifier") == true)
        #expect(try reason((0..<50).map { "\($0)" }, name: "Unnamed: 0") == "only numbers the rows")
        #expect(try reason((0..<50).map { _ in "same" }) == "is always \"same\"")
        #expect(try reason((0..<50).map { _ in "" }) == "has no values")
        #expect(try reason((0..<4000).map { "text \($0 / 4)" })?.hasPrefix("1000 different values") == true)
        // Numbers that are all different are still numbers.
        #expect(try kind((0..<50).map { "\($0 * 3)" }) == .number(.init(), indicator: false))
    }

    @Test func `dates become the parts that vary`() throws {
        let days = (0..<900).map { CalendarTime(dayNumber: 20_000 + $0).dateText }
        #expect(
            try kind(days)
                == .date(
                    parts: [.days, .year, .monthSine, .monthCosine, .weekdaySine, .weekdayCosine], origin: "2024-10-04",
                    format: nil))
        #expect(try x(0) == (0..<900).map { Float($0) })
        #expect(try x(1).first == 2024)
        #expect(
            try kind(["2026-05-04 10:00", "2026-05-04T22:30:00"])
                == .date(parts: [.days, .hourSine, .hourCosine], origin: "2026-05-04", format: nil))
        #expect(try x(0) == [10.0 / 24, 22.5 / 24])
        #expect(try reason(["2026-05-04", "2026-05-04"]) == "is always the same date")
    }

    @Test func `times of day go round in a circle, and durations beyond a day are none`() throws {
        let times = (0..<48).map { "\($0 / 2):\($0 % 2 == 0 ? "00" : "30")" }
        let parts: [TableSchema.DatePart] = [.hourSine, .hourCosine]
        #expect(try kind(times + ["", "NA"]) == .date(parts: parts, origin: "1970-01-01", format: "H:M"))
        let (sines, cosines) = (try x(0), try x(1))
        for hour in 0..<48 {
            // A quarter of the day is a quarter of the circle; Float32 has seven digits.
            #expect(abs(Double(sines[hour]) - sin(2 * .pi * Double(hour) / 48)) < 1e-6)
            #expect(abs(Double(cosines[hour]) - cos(2 * .pi * Double(hour) / 48)) < 1e-6)
        }
        #expect(sines[48].isNaN && cosines[49].isNaN)
        #expect(try reason(times.map { _ in "12:00" }) == "is always the same time")
        let findings = try converted([("a", times), ("n", times.indices.map { "\($0 * 3)" })]).findings
        #expect(findings[0].kind == "date" && findings[0].values == "00:00 … 23:30")
        #expect(findings[0].note == "read as times of day")
        guard case .category = try kind((0..<60).map { "\(25 + $0 % 3):00" }) else { throw Missing() }
    }

    @Test func `a flag with gaps has a value for them`() throws {
        let values = (0..<60).map { ["yes", "no", ""][$0 % 3] }
        #expect(try kind(values) == .category(values: ["no", "yes"], hasOther: false, hasMissing: true))
        let columns = [("a", values), ("n", values.indices.map { "\($0 * 3)" })]
        #expect(try converted(columns).findings[0].note.hasPrefix("a flag with gaps"))
        let asked = try converted(columns, TableOptions(kinds: [RequestedKind("a", .flag)]))
        #expect(asked.schema.columns[0].kind == .flag(no: "no", yes: "yes"))
        #expect(asked.findings[0].note.contains("20 values are missing; --kind a=category"))
        #expect(try x(0).prefix(2) == [1, 0] && x(0)[2].isNaN)
    }

    @Test func `days and months are told apart by the whole column, or asked for`() throws {
        guard case .date(_, let origin, "d/m/Y") = try kind(["01/02/2026", "13/02/2026"]) else { throw Missing() }
        #expect(origin == "2026-02-01")
        guard case .date(_, _, "m/d/Y") = try kind(["01/02/2026", "02/13/2026"]) else { throw Missing() }
        #expect(problems(["01/02/2026", "03/04/2026"])[0].contains("--kind a=date:d/m/Y or --kind a=date:m/d/Y"))
        let asked = TableOptions(kinds: [RequestedKind("a", .date(format: "m/d/Y"))])
        guard case .date(_, "2026-01-02", "m/d/Y") = try kind(["01/02/2026", "03/04/2026"], asked) else {
            throw Missing()
        }
        let digits = TableOptions(kinds: [RequestedKind("a", .date(format: nil))])
        guard case .date(_, "2026-01-31", "Ymd") = try kind(["20260131", "20260301"], digits) else { throw Missing() }
    }

    @Test func `large whole numbers say what is lost, and are kept in 64 bits`() throws {
        let values = ["9007199254740991", "9007199254740990", "16777217"]
        let columns = [("a", values), ("n", ["1.5", "2", "3"])]
        let said = try converted(columns).findings[0].note
        #expect(said.contains("3 whole numbers have more digits than float32 keeps") && said.contains("--float64"))
        let kept = try converted(columns, float64: true)
        #expect(kept.schema.columns[0].kind == .number(.init(), indicator: false) && kept.findings[0].note == "")
        let stored = try H5File.open(directory.file("out.h5")).dataset("/x").read(as: Double.self)
        #expect(stored[0] == 9007199254740991 && stored[4] == 16777217)
    }

    @Test(arguments: [2, 5]) func `the schema and every number are the same on any number of threads`(threads: Int)
        throws
    {
        func table(_ threads: Int) throws -> (TableSchema, [UInt32], [TableFinding]) {
            var random = SplitMix(seed: 7)
            let rows = 30_000
            let columns = [
                ("word", (0..<rows).map { _ in "w\(random.next() % 300)" }),
                ("text", (0..<rows).map { _ in "\(random.next() % 5_000) is what it says here, at some length" }),
                ("day", (0..<rows).map { _ in CalendarTime(dayNumber: Int(random.next() % 9_000)).dateText }),
                (
                    "number",
                    (0..<rows).map { _ in random.next() % 50 == 0 ? "NA" : "\(Double(random.next() % 10_000) / 64)" }
                ),
            ]
            let outcome = try converted(columns, threads: threads)
            let x = try H5File.open(directory.file("out.h5")).dataset("/x").read(as: Float.self)
            return (outcome.schema, x.map(\.bitPattern), outcome.findings)
        }
        let one = try table(1)
        let many = try table(threads)
        #expect(one.0 == many.0 && one.1 == many.1 && one.2 == many.2)
    }

    /// A hundred times as many different words as are kept: what stays in memory does not grow with them.
    @Test func `millions of different words are forgotten but for the frequent ones`() throws {
        var survey = ColumnSurvey(.any)
        for block in 0..<40 {
            var part = ColumnSurvey(.any)
            var text: [UInt8] = []
            for word in 0..<5_000 { text += Array("\(word % 10 == 0 ? "often" : "\(block)-\(word)")\n".utf8) }
            var position = 0
            while position < text.count {
                part.add(DelimitedField(text.span, &position, delimiter: UInt8(ascii: ",")), text.span)
            }
            survey.merge(part, line: { $0 }, path: "")
            #expect(survey.words.count <= WordCounts.mostWords)
        }
        #expect(survey.words.hasForgotten && survey.present == 200_000)
        #expect(survey.words.frequent[0].word == "often" && survey.words.frequent[0].count == 20_000)
    }
}
