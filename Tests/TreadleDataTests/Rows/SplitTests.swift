import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel

/// Which rows learn, which judge and which are kept for the test.
@Suite struct SplitTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func data(
        _ file: String, valid: Validation? = nil, test: HeldOut? = nil, task: LearningTask = .classification
    ) throws -> TrainingData {
        var data = DataFixture.data(DataFixture.source(file), valid: valid, nonFinite: .imputeMean)
        data.test = test
        let configuration = try DataFixture.configuration(directory, task: task, data)
        return try TrainingData(configuration, workers: Workers(count: 2), cacheDirectory: nil)
    }

    private func rows(_ set: RowSet?) -> [Int] { set.map { set in (0..<set.count).map { set.row($0) } } ?? [] }

    /// A table whose rows are all different, in this order, with these labels.
    private func write(
        _ name: String, _ table: SampleTable, _ schema: TableSchema = SampleTable.schema(), labels: [Int32]? = nil
    ) throws {
        try table.write(directory.file(name), schema, labels: labels)
    }

    /// Rows of which each is told by its age.
    private func table(_ count: Int) -> SampleTable {
        var table = SampleTable(rows: count)
        for row in table.rows.indices { table.rows[row].age = Double(row) }
        return table
    }

    @Test func `rows of a table are chosen by what is in them, in any order of rows, columns and values`() throws {
        let table = table(900)
        try write("a.h5", table)
        let plain = try data("a.h5", valid: .fraction(0.3), test: .fraction(0.2, group: nil), task: .regression)
        let (train, valid, test) = (rows(plain.train), rows(plain.valid), rows(plain.test))
        #expect((train + valid + test).sorted() == Array(0..<900))
        // Shares of 900 rows within five standard deviations of what they are to be.
        #expect(abs(test.count - 180) < 60 && abs(valid.count - 216) < 65)

        // The same rows backwards, with more of them before, and another vocabulary.
        var other = SampleTable(rows: 100)
        for row in other.rows.indices { other.rows[row].age = Double(-1 - row) }
        other.rows += table.rows.reversed()
        let schema = SampleTable.schema(
            cities: ["Rome", "Bern", "Oslo", "Lima"], origin: "2020-05-01", order: ["day", "city", "member", "age"])
        // What a row's label was goes with it.
        let labels = other.rows.map { row -> Int32 in
            let age = Int(row.age ?? 0)
            return age >= 0 && age % 3 == 1 ? 1 : 0
        }
        try write("b.h5", other, schema, labels: labels)
        let moved = try data("b.h5", valid: .fraction(0.3), test: .fraction(0.2, group: nil), task: .regression)
        func ages(_ set: RowSet?) -> [Int] {
            rows(set).compactMap { other.rows[$0].age.map { Int($0) } }.filter { $0 >= 0 }
        }
        #expect(ages(moved.valid).sorted() == valid)
        #expect(ages(moved.test).sorted() == test)
    }

    @Test func `equal rows are on the same side`() throws {
        var table = SampleTable(rows: 600)
        for row in table.rows.indices { table.rows[row] = SampleTable(rows: 30).rows[row % 30] }
        try write("a.h5", table, labels: (0..<600).map { Int32($0 % 30 % 2) })
        let data = try data("a.h5", valid: .fraction(0.3), test: .fraction(0.25, group: nil))
        let sides = [rows(data.train), rows(data.valid), rows(data.test)].map { Set($0.map { $0 % 30 }) }
        #expect(sides[0].isDisjoint(with: sides[1]) && sides[0].isDisjoint(with: sides[2]))
        #expect(sides[1].isDisjoint(with: sides[2]) && sides.reduce(0) { $0 + $1.count } == 30)
    }

    @Test func `the test has its share of each class, of rare ones at least one row`() throws {
        let file = try H5File.create(directory.file("rare.h5"))
        let labels = (0..<1000).map { Int32($0 < 3 ? 2 : $0 % 4 == 0 ? 1 : 0) }
        try file.write((0..<2000).map(Float.init), to: "x", shape: [1000, 2])
        try file.write(labels, to: "y")
        try file.close()
        let data = try data("rare.h5", test: .fraction(0.2, group: nil))
        let counts = (0..<3).map { label in rows(data.test).count { labels[$0] == Int32(label) } }
        let all = (0..<3).map { label in labels.count { $0 == Int32(label) } }
        #expect(counts == [Int((Double(all[0]) * 0.2).rounded()), Int((Double(all[1]) * 0.2).rounded()), 1])
        #expect(Set(rows(data.train)).isDisjoint(with: rows(data.test)))
    }

    @Test func `all rows of a group are on one side`() throws {
        try write(
            "a.h5", SampleTable(rows: 500, cities: (0..<39).map { "city \($0)" }),
            SampleTable.schema(
                cities: (0..<39).map { "city \($0)" }, hasOther: false))
        let table = SampleTable(rows: 500, cities: (0..<39).map { "city \($0)" })
        let data = try data("a.h5", valid: .fraction(0.3), test: .fraction(0.3, group: "city"))
        let cities = [data.train, data.valid, data.test].map { set in Set(rows(set).map { table.rows[$0].city ?? "" }) }
        #expect(cities.allSatisfy { $0.count > 2 })
        #expect(cities[0].isDisjoint(with: cities[2]) && cities[1].isDisjoint(with: cities[2]))
        #expect(cities[0].isDisjoint(with: cities[1]))
        let unknown = #expect(throws: TreadleError.self) { try self.data("a.h5", test: .fraction(0.3, group: "town")) }
        #expect(unknown?.description.contains("names the column \"town\", which is not there") == true)

        // A dataset of its own, in a file without names.
        let file = try H5File.create(directory.file("plain.h5"))
        try file.write((0..<400).map(Float.init), to: "x", shape: [200, 2])
        try file.write((0..<200).map { Int32($0 % 2) }, to: "y")
        try file.write(strings: (0..<200).map { "c\($0 % 17)" }, to: "customer")
        try file.close()
        let plain = try self.data("plain.h5", test: .fraction(0.4, group: "/customer"))
        let sides = [plain.train, plain.test].map { Set(rows($0).map { $0 % 17 }) }
        #expect(sides[0].isDisjoint(with: sides[1]) && sides[0].count + sides[1].count == 17)
    }

    @Test func `rows from a date on are kept for the test`() throws {
        let table = SampleTable(rows: 450)
        try write("a.h5", table, SampleTable.schema(origin: "2025-11-05"))
        let data = try data("a.h5", test: .after("2026-09-01", column: nil))
        // 243 days after the first of January.
        #expect(rows(data.test) == table.rows.indices.filter { table.rows[$0].day >= 243 })
        #expect(rows(data.train) == table.rows.indices.filter { table.rows[$0].day < 243 })
        let none = #expect(throws: TreadleError.self) { try self.data("a.h5", test: .after("2036-01-01", column: nil)) }
        #expect(none?.description.contains("data.test chooses none of the 450 rows") == true)
        let other = #expect(throws: TreadleError.self) {
            try self.data("a.h5", test: .after("2026-01-01", column: "age"))
        }
        #expect(other?.description.contains("must name one of its dates: \"day\"") == true)
    }

    @Test func `data without a schema are split by their places, as ever`() throws {
        let file = try H5File.create(directory.file("plain.h5"))
        try file.write([Float](repeating: 1, count: 400), to: "x", shape: [200, 2])
        try file.write((0..<200).map { Int32($0 % 2) }, to: "y")
        try file.close()
        let data = try data("plain.h5", valid: .fraction(0.2))
        let seed = try DataFixture.configuration(directory, DataFixture.data(DataFixture.source("plain.h5"))).seed
        let keyed = Philox(seed: seed, purpose: .split)
        let aside = (0..<200).filter { row in
            let words = keyed.words(at: UInt64(row))
            return Double(UInt64(words[1]) << 32 | UInt64(words[0])) < 0.2 * 0x1p64
        }
        #expect(rows(data.valid) == aside)
    }

    @Test(arguments: [
        ("{ fraction: 0.25 }", HeldOut.fraction(0.25, group: nil)),
        ("{ group: \"customer\" }", .fraction(0.2, group: "customer")),
        ("{ group: \"customer\", fraction: 0.1 }", .fraction(0.1, group: "customer")),
        ("{ after: \"2026-01-01\" }", .after("2026-01-01", column: nil)),
        ("{ after: \"2026-01-01\", column: \"sold\" }", .after("2026-01-01", column: "sold")),
    ]) func `data.test says which rows in several ways, and prints them as they are read`(text: String, held: HeldOut)
        throws
    {
        func parse(_ test: String) throws -> Configuration {
            try Configuration.parse(
                text: """
                    { name: "t", task: "regression", data: { train: { files: ["a.h5"] }, test: \(test) }, model: { hidden: [] } }
                    """, file: "t.json5", baseDirectory: "/")
        }
        let configuration = try parse(text)
        #expect(configuration.data.test == held)
        let again = try Configuration.parse(text: configuration.resolvedText, file: "r.json5", baseDirectory: "/")
        #expect(again == configuration)
        // Which rows are kept for the test decides what is learnt; which other files are tested on does not.
        let plain = try parse("null")
        #expect(configuration.meaningText != plain.meaningText)
        #expect(try parse("[\"b.h5\"]").meaningText == plain.meaningText)
    }

    @Test(arguments: [
        ("{ fraction: 0.2, after: \"2026-01-01\" }", "takes files, a fraction"),
        ("{ column: \"sold\" }", "missing key \"after\""), ("{ after: \"soon\" }", "a date such as"),
        ("{ fraction: 1.5 }", "data.test.fraction must be"), ("{ fractoin: 0.2 }", "its keys are fraction"),
    ]) func `what data.test cannot be is said`(text: String, reason: String) {
        let error = #expect(throws: TreadleError.self) {
            try Configuration.parse(
                text: """
                    { name: "t", task: "regression", data: { train: { files: ["a.h5"] }, test: \(text) }, model: { hidden: [] } }
                    """, file: "t.json5", baseDirectory: "/")
        }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
}
