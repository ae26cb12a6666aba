import Foundation
import HDF5
import Synchronization
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel

/// Rows of tables as networks read them, against an expansion that knows the words and no codes.
@Suite struct TableRowsTests {
    private let directory: TemporaryDirectory
    private let table = SampleTable(rows: 700)

    init() throws {
        MappedFiles.allow()
        directory = try TemporaryDirectory()
    }

    private func open(
        _ files: [String], like known: TableSchema? = nil, access: Access = .auto, limit: Int = 1 << 28,
        note: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) throws -> Dataset {
        var source = DataFixture.source()
        source.files = files
        return try Dataset.open(
            source,
            DataFixture.settings(directory, access: access, limit: limit, nonFinite: .imputeMean, note: note),
            targets: .learn(.classification), like: known.map { KnownColumns(.table($0), owner: "the model m.h5") })
    }

    private func rows<S: Scalar>(_ dataset: Dataset, _ normalization: Normalization, as: S.Type) throws -> [[S]] {
        let loader = try BatchLoader<S>(
            RowSet(dataset), normalization: normalization, order: .sequential, batchSize: 48,
            workers: dataset.settings.workers)
        return try DataFixture.epoch(loader, features: dataset.features).x
    }

    /// Some normalization of ten inputs of which only numbers are scaled.
    private static let normalization = Normalization(
        shift: [41.25, 0, 0, 0, 0, 0, 0, 0, 30, 0], factor: [0.0625, 1, 1, 1, 1, 1, 1, 1, 0.01, 1],
        imputation: [44.5, 0, 0, 0, 0, 0, 0, 0, 0, 0])

    private static func expected<S: Scalar>(_ row: SampleTable.Row, as: S.Type) -> [S] {
        SampleTable.inputs(row).enumerated().map { place, value in
            let known = value.isNaN ? normalization.imputation[place] : value
            return S((known - normalization.shift[place]) * normalization.factor[place])
        }
    }

    @Test func `every element type and storage gives the same inputs, from memory and from the file`() throws {
        let forms: [(String, ElementType, [Int]?)] = [
            ("f32", .float32, nil), ("f64", .float64, nil), ("f32-chunks", .float32, [64, 5]),
            ("f64-odd", .float64, [37, 2]), ("f64-big", .float(.double(.big)), nil),
            ("f32-big-chunks", .float(.single(.big)), [100, 5]),
        ]
        for (name, type, chunk) in forms {
            try table.write(directory.file(name + ".h5"), as: type, chunk: chunk)
            for access in [Access.auto, .memory, .library] {
                let dataset = try open([name + ".h5"], access: access)
                #expect(dataset.features == 10 && dataset.x.growsWhenRead)
                let single = try rows(dataset, Self.normalization, as: Float.self)
                #expect(single == table.rows.map { Self.expected($0, as: Float.self) }, "\(name), \(access)")
                let double = try rows(dataset, Self.normalization, as: Double.self)
                #expect(double == table.rows.map { Self.expected($0, as: Double.self) }, "\(name), \(access)")
            }
            // So little memory that rows are read batch by batch.
            let streamed = try rows(try open([name + ".h5"], limit: 12_000), Self.normalization, as: Float.self)
            #expect(streamed == table.rows.map { Self.expected($0, as: Float.self) }, "\(name), streamed")
        }
        let names = try open(["f32.h5"]).columns
        #expect(
            names == [
                "age", "age is missing", "city=Lima", "city=Oslo", "city=Rome", "city=(other)", "city=(missing)",
                "member=yes", "day (days)", "day (weekday, sine)",
            ])
    }

    @Test func `columns in another order, other vocabularies and days from another origin give the same inputs`() throws
    {
        let known = SampleTable.schema()
        try table.write(directory.file("known.h5"), known)
        let others = [
            SampleTable.schema(order: ["day", "member", "city", "age"]),
            SampleTable.schema(cities: ["Rome", "Cairo", "Lima", "Oslo"], hasOther: false, hasMissing: false),
            SampleTable.schema(origin: "2024-02-29", order: ["city", "day", "age", "member"]),
        ]
        let expected = try rows(try open(["known.h5"]), Self.normalization, as: Double.self)
        for (index, schema) in others.enumerated() {
            try table.write(directory.file("other-\(index).h5"), schema)
            let dataset = try open(["other-\(index).h5"], like: known)
            #expect(dataset.schema == known)
            #expect(try rows(dataset, Self.normalization, as: Double.self) == expected, "\(index)")
            // The same beside each other in one dataset, where the first file decides.
            let both = try open(["known.h5", "other-\(index).h5", "known.h5"])
            #expect(try rows(both, Self.normalization, as: Double.self) == expected + expected + expected)
        }
    }

    @Test func `unseen categories are other ones and are counted, additional columns are left out and said`() throws {
        let known = SampleTable.schema()
        var schema = SampleTable.schema(cities: ["Bern", "Lima", "Oslo", "Quito", "Rome"])
        schema.columns.insert(.init(name: "note", kind: .number(.init(), indicator: false)), at: 1)
        let table = SampleTable(rows: 100, cities: ["Rome", "Bern", "Quito", "Bern"])
        try table.write(directory.file("new.h5"), schema)
        let notes = Mutex<[String]>([])
        let dataset = try open(["new.h5"], like: known) { level, text in
            notes.withLock { $0.append("\(level): \(text)") }
        }
        #expect(
            try rows(dataset, Self.normalization, as: Float.self)
                == table.rows.map { Self.expected($0, as: Float.self) })
        let unseen = table.rows.count { $0.city == "Bern" || $0.city == "Quito" }
        let said = notes.withLock { $0 }
        #expect(said.count == 2, "\(said)")
        #expect(said.first?.contains("\"note\"") == true && said.first?.hasPrefix("info") == true, "\(said)")
        #expect(said.last?.contains("\(unseen) rows have a value of \"city\"") == true, "\(said)")
        #expect(
            said.last?.contains("\"Bern\", \"Quito\"") == true && said.last?.hasPrefix("warning") == true, "\(said)")

        // Where training had no other ones, a value that it did not know is none of its values.
        let strict = SampleTable.schema(hasOther: false)
        let rows = try rows(try open(["new.h5"], like: strict), Self.normalization, as: Float.self)
        for (row, inputs) in zip(table.rows, rows) where row.city == "Bern" {
            #expect(Array(inputs[2..<6]) == [0, 0, 0, 0])
        }
    }

    @Test func `columns that are missing or of another kind are refused by name`() throws {
        let known = SampleTable.schema()
        try table.write(directory.file("few.h5"), SampleTable.schema(order: ["member", "age", "day"]))
        let missing = #expect(throws: TreadleError.self) { try open(["few.h5"], like: known) }
        #expect(
            missing?.description.contains("few.h5: has other columns than the model m.h5: it lacks \"city\"") == true)
        #expect(missing?.kind == .badData)
        var other = known
        other.columns[0].kind = .category(values: ["old", "young"], hasOther: false, hasMissing: false)
        try table.write(directory.file("kind.h5"), other)
        let kind = #expect(throws: TreadleError.self) { try open(["kind.h5"], like: known) }
        #expect(
            kind?.description.contains("the column \"age\" is a category there and a number for the model m.h5")
                == true,
            "\(kind?.description ?? "")")
    }

    @Test func `only numbers are measured and scaled`() throws {
        try table.write(directory.file("t.h5"))
        let configuration = try DataFixture.configuration(
            directory, DataFixture.data(DataFixture.source("t.h5"), normalize: .standard, nonFinite: .imputeMean))
        let data = try TrainingData(configuration, workers: Workers(count: 2), cacheDirectory: nil)
        let ages = table.rows.compactMap(\.age)
        let mean = ages.reduce(0, +) / Double(ages.count)
        let spread = (ages.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(ages.count)).squareRoot()
        let normalization = data.normalization
        // Sums in another order differ in their last digits.
        #expect(abs(normalization.shift[0] - mean) < 1e-10 && abs(normalization.factor[0] * spread - 1) < 1e-12)
        #expect(abs(normalization.imputation[0] - mean) < 1e-10)
        #expect(normalization.shift[8] != 0 && normalization.factor[8] != 1)
        for place in [1, 2, 3, 4, 5, 6, 7, 9] {
            #expect(normalization.shift[place] == 0 && normalization.factor[place] == 1)
        }
    }

    @Test func `a code that no value has is refused with its row and column`() throws {
        let schema = SampleTable.schema()
        let file = try H5File.create(directory.file("codes.h5"))
        try file.write([30, 2, 0, 1, 0.5, 31, 7, 0, 1, 0.5] as [Float], to: "x", shape: [2, 5])
        try file.write([0, 1] as [Int32], to: "y")
        try file.write(text: schema.text, to: "schema")
        try file.close()
        let error = #expect(throws: TreadleError.self) {
            _ = try rows(try open(["codes.h5"]), .none, as: Float.self)
        }
        #expect(
            error?.description.contains("codes.h5:/x row 1: the column \"city\" holds 7.0, which is no code") == true,
            "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ("", "no JSON object with a version"), ("[1]", "no JSON object"), ("{\"version\": 2}", "schema of version 2"),
        ("{\"version\": 1}", "has no columns"),
        ("{\"version\":1,\"columns\":[],\"targets\":[],\"unused\":[]}", "no columns"),
        (String(repeating: "[", count: 100_000), "no JSON object"),
    ]) func `a schema that is none is refused`(text: String, reason: String) throws {
        try table.write(directory.file("bad.h5"), text: text)
        let error = #expect(throws: TreadleError.self) { try open(["bad.h5"]) }
        #expect(error?.description.contains("bad.h5:/schema") == true && error?.kind == .badData)
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func `a schema that contradicts itself or the rows is refused`() throws {
        var twice = SampleTable.schema()
        twice.columns[1].name = "age"
        var values = SampleTable.schema()
        values.columns[1].kind = .category(values: ["Rome", "Rome"], hasOther: false, hasMissing: false)
        var narrow = SampleTable.schema()
        narrow.columns.removeLast()
        for (schema, reason) in [
            (twice, "two columns are called \"age\""), (values, "the column \"city\" has a value twice"),
            (narrow, "describes 3 numbers a row, and the rows of /x have 5"),
        ] {
            try table.write(directory.file("bad.h5"), text: schema.text)
            let error = #expect(throws: TreadleError.self) { try open(["bad.h5"]) }
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        }
    }

    @Test func `days between dates are those of the calendar`() {
        for (start, end, days) in [
            ("1970-01-01", "1970-01-01", 0.0), ("1970-01-01", "2000-03-01", 11_017), ("2024-02-28", "2024-03-01", 2),
            ("2100-02-28", "2100-03-01", 1), ("2026-01-31", "2025-01-31", -365), ("1600-01-01", "2000-01-01", 146_097),
        ] {
            #expect(Day.distance(from: start, to: end) == days)
        }
        #expect(Day.distance(from: "yesterday", to: "2026-01-01") == nil)
    }
}

/// Files without a schema whose numbers have names.
@Suite struct NamedColumnsTests {
    private let directory: TemporaryDirectory

    init() throws {
        MappedFiles.allow()
        directory = try TemporaryDirectory()
    }

    /// Every number tells its column and its row.
    private func write(_ name: String, _ columns: [String], classes: [String]? = nil) throws {
        let file = try H5File.create(directory.file(name))
        let numbers = ["a": 100, "b": 200, "c": 300, "d": 400]
        let x = (0..<40).flatMap { row in columns.map { Float((numbers[$0] ?? 0) + row) } }
        try file.write(x, to: "x", shape: [40, columns.count])
        try file.write((0..<40).map { Int32($0 % 2) }, to: "y")
        try file.write(strings: columns, to: "columns")
        if let classes { try file.write(strings: classes, to: "classes") }
        try file.close()
    }

    private func open(_ files: String..., like: InputColumns? = nil) throws -> Dataset {
        var source = DataFixture.source()
        source.files = files
        return try Dataset.open(
            source, DataFixture.settings(directory), targets: .learn(.classification),
            like: like.map { KnownColumns($0, owner: "the model m.h5") })
    }

    private func epoch(_ dataset: Dataset) throws -> DataFixture.Rows<Float> {
        let loader = try BatchLoader<Float>(
            RowSet(dataset), normalization: .none, order: .sequential, batchSize: 16, workers: Workers(count: 2))
        return try DataFixture.epoch(loader, features: dataset.features)
    }

    @Test func `another order is put right, in each file of several`() throws {
        try write("abc.h5", ["a", "b", "c"])
        try write("cab.h5", ["c", "a", "b"])
        let straight = try epoch(try open("abc.h5")).x
        #expect(try epoch(try open("abc.h5", "cab.h5")).x == straight + straight)
        #expect(try epoch(try open("cab.h5", like: .named(["a", "b", "c"]))).x == straight)
        // Rows that are used where they lie in the file are so still where nothing is out of order.
        #expect(try open("abc.h5", like: .named(["a", "b", "c"])).x.isPlain)
    }

    @Test func `other names are an error that lists the difference`() throws {
        try write("abc.h5", ["a", "b", "c"])
        try write("abd.h5", ["d", "b", "a"])
        try write("abcd.h5", ["a", "b", "c", "d"])
        try write("aab.h5", ["a", "a", "b"])
        for (file, reason) in [
            ("abd.h5", "has other columns than"), ("abd.h5", "it lacks \"c\", and it has \"d\" instead"),
            ("abcd.h5", "it has \"d\" besides"), ("aab.h5", "two columns are called \"a\""),
        ] {
            let error = #expect(throws: TreadleError.self) { try open("abc.h5", file) }
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        }
    }

    @Test func `classes in another order are put right`() throws {
        try write("no-yes.h5", ["a", "b"], classes: ["no", "yes"])
        try write("yes-no.h5", ["a", "b"], classes: ["yes", "no"])
        try write("more.h5", ["a", "b"], classes: ["no", "maybe"])
        let rows = try epoch(try open("no-yes.h5", "yes-no.h5"))
        #expect(rows.classes == (0..<40).map { $0 % 2 } + (0..<40).map { 1 - $0 % 2 })
        let error = #expect(throws: TreadleError.self) { try open("no-yes.h5", "more.h5") }
        #expect(error?.description.contains("is of the class \"maybe\", which is none of the 2 that are known") == true)
    }
}
