import Foundation
import Testing
@testable import TreadleModel

/// How many numbers a table's columns become, and what they are called.
@Suite struct TableSchemaTests {
    private let schema = TableSchema(
        columns: [
            .init(name: "age", kind: .number(.init(), indicator: false)),
            .init(name: "rent", kind: .number(.init(decimalComma: true, thousands: ".", sign: "€"), indicator: true)),
            .init(name: "pet", kind: .flag(no: "no", yes: "yes")),
            .init(name: "city", kind: .category(values: ["Bonn", "Ulm"], hasOther: true, hasMissing: true)),
            .init(name: "zip", kind: .category(values: ["1"], hasOther: false, hasMissing: false)),
            .init(name: "since", kind: .date(parts: TableSchema.DatePart.allCases, origin: "2020-01-01", format: nil)),
        ],
        targets: [.init(name: "left", classes: ["no", "yes"])], unused: [.init(name: "id", reason: "an identifier")])

    @Test func `a file stores a code a category, and a network reads a number for each of its values`() {
        let dateParts = TableSchema.DatePart.allCases.count
        #expect(schema.columns.map(\.storedWidth) == [1, 1, 1, 1, 1, dateParts])
        #expect(schema.columns.map(\.inputs.count) == [1, 2, 1, 4, 1, dateParts])
        #expect(schema.storedWidth == 5 + dateParts && schema.inputWidth == 9 + dateParts)
        #expect(schema.inputs.count == schema.inputWidth)
        #expect(
            schema.inputs.map(\.name) == [
                "age", "rent", "rent is missing", "pet=yes", "city=Bonn", "city=Ulm", "city=(other)", "city=(missing)",
                "zip=1",
                "since (days)", "since (year)", "since (month, sine)", "since (month, cosine)", "since (weekday, sine)",
                "since (weekday, cosine)", "since (hour, sine)", "since (hour, cosine)",
            ])
    }

    @Test func `what has a unit is scaled, what is 0 or 1 is a share, and parts of circles are neither`() {
        let (numbers, shares) = (schema.inputs.filter(\.isNumber), schema.inputs.filter(\.isShare))
        #expect(numbers.map(\.name) == ["age", "rent", "since (days)", "since (year)"])
        #expect(shares.count == 7 && !shares.contains(where: \.isNumber))
        #expect(schema.inputs.filter { !$0.isNumber && !$0.isShare }.allSatisfy { $0.name.hasSuffix("sine)") })
    }

    @Test func `files that were written with the first version are read as they were meant`() throws {
        let text = """
            {"version": 1, "unused": [{"name": "id", "reason": "an identifier"}],
             "targets": [{"name": "left", "classes": ["no", "yes"], "form": {"decimalComma": false}}],
             "columns": [
               {"name": "age", "kind": {"number": {"form": {"decimalComma": false}, "indicator": false}}},
               {"name": "rent", "kind": {"number":
                 {"form": {"decimalComma": true, "thousands": ".", "sign": "€"}, "indicator": true}}},
               {"name": "pet", "kind": {"flag": {"no": "no", "yes": "yes"}}},
               {"name": "city", "kind": {"category": {"values": ["Bonn", "Ulm"], "hasOther": true, "hasMissing": true}}},
               {"name": "zip", "kind": {"category": {"values": ["1"], "hasOther": false, "hasMissing": false}}},
               {"name": "since", "kind": {"date": {"origin": "2020-01-01", "parts": ["days", "year", "monthSine",
                 "monthCosine", "weekdaySine", "weekdayCosine", "hourSine", "hourCosine"]}}}]}
            """
        #expect(try JSONDecoder().decode(TableSchema.self, from: Data(text.utf8)) == schema)
        #expect(try JSONDecoder().decode(TableSchema.self, from: JSONEncoder().encode(schema)) == schema)
    }
}
