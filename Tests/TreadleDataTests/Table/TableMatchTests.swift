import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleModel

/// Other files of a table are read by its schema: by name, in any order, with the same codes.
@Suite struct TableMatchTests {
    let directory: TemporaryDirectory
    private let schema: TableSchema

    init() throws {
        directory = try TemporaryDirectory()
        var lines = ["id,city,paid,price,when,smoker,label"]
        for row in 0..<120 {
            let city = row < 10 ? "R\(row)" : ["Oslo", "Rome", "Bern"][row % 3]
            let price = row % 10 == 3 ? "" : "$\(row % 7),\(100 + row)"
            lines.append(
                "k\(row),\(city),\(row).5,\"\(price)\",\(1 + row % 28)/2/2026,\(["yes", "no"][row % 2]),\(["a", "b", "c"][row % 3])"
            )
        }
        let path = try directory.write(lines.joined(separator: "\n"), to: "train.csv")
        let kinds = [RequestedKind("when", .date(format: "d/m/Y"))]
        schema = try TableConversion(
            inputs: [path], output: directory.file("train.h5"),
            options: TableOptions(targets: ["label"], kinds: kinds, rare: 2)
        ).write(workers: Workers(count: 2)).schema
    }

    private func like(
        _ texts: String..., ignoresTargets: Bool = false, options: TableOptions = TableOptions()
    ) throws -> TableConversion.Outcome {
        let paths = try texts.enumerated().map { try directory.write($0.element, to: "new\($0.offset).csv") }
        return try TableConversion(
            inputs: paths, output: directory.file("new.h5"), replacing: true, options: options, like: schema,
            ignoresTargets: ignoresTargets
        ).write(workers: Workers(count: 2))
    }

    private func rows() throws -> [[Float]] {
        let dataset = try H5File.open(directory.file("new.h5")).dataset("/x")
        let width = dataset.shape[1]
        let x = try dataset.read(as: Float.self)
        return stride(from: 0, to: x.count, by: width).map { Array(x[$0..<$0 + width]) }
    }

    private func messages(_ body: () throws -> Void) -> [String] {
        do { try body() } catch {
            return TreadleError(of: error).messages.map { $0.replacing(directory.path + "/", with: "") }
        }
        return []
    }

    @Test func `the table has the kinds that the other tests rely on`() throws {
        #expect(schema.columns.map(\.name) == ["city", "paid", "price", "when", "smoker"])
        #expect(
            schema.columns[0].kind == .category(values: ["Bern", "Oslo", "Rome"], hasOther: true, hasMissing: false))
        #expect(schema.columns[2].kind == .number(.init(thousands: ",", sign: "$"), indicator: true))
        #expect(schema.targets == [.init(name: "label", classes: ["a", "b", "c"])])
        #expect(schema.unused.map(\.name) == ["id"])
        // days, weekday (2): all days are of one month.
        #expect(schema.storedWidth == 7)
    }

    @Test func `columns may stand in any order, more are ignored, and the file says the same schema`() throws {
        let outcome = try like("label,extra,smoker,when,price,paid,city,id\nb,9,no,3/2/2026,\"$1,000\",7,Rome,1\n")
        let row = try rows()[0]
        #expect(Array(row[0...3]) == [4, 7, 1000, 2] && row[6] == 0)
        #expect(outcome.schema == schema)
        let file = try H5File.open(directory.file("new.h5"))
        #expect(try TableSchema(ofDataFile: directory.file("new.h5")) == schema)
        #expect(try file.dataset("/y").read(as: Int.self) == [1])
        #expect(try file.dataset("/classes").readStrings() == ["a", "b", "c"])
        #expect(outcome.notes.count == 1 && outcome.notes[0].contains("\"extra\" is ignored"))
    }

    @Test func `missing columns are refused by name, those of all files at once`() {
        let found = messages { _ = try like("city,paid,when\nRome,1,3/2/2026\n", "city\nRome\n") }
        #expect(
            found == [
                "new0.csv lacks the columns \"price\", \"smoker\"; all others are there",
                "new1.csv lacks the columns \"paid\", \"price\", \"when\", \"smoker\"; all others are there",
            ])
    }

    @Test func `a missing target is said, and no y is written`() throws {
        let outcome = try like("city,paid,price,when,smoker\nRome,1,2,3/2/2026,yes\n")
        #expect(outcome.arrays.map(\.name) == ["/x"])
        #expect(outcome.notes.contains { $0.contains("\"label\"") && $0.contains("no /y") })
    }

    @Test func `rows without a target are left out, but kept where targets do not matter`() throws {
        let text =
            "city,paid,price,when,smoker,label\nRome,1,2,3/2/2026,yes,a\nOslo,1,2,3/2/2026,yes,\nBern,1,2,3/2/2026,yes,c\n"
        #expect(try like(text).rows == 2)
        #expect(try rows().map { $0[0] } == [4, 2])
        #expect(try like(text, ignoresTargets: true).arrays.map(\.shape) == [[3, 7]])
    }

    @Test func `values that training has not seen are other, counted and said with their place`() throws {
        let lines = (0..<10).map { "\(["Rome", "Atlantis", "", "Oslo"][$0 % 4]),1,2,3/2/2026,yes" }
        let outcome = try like("city,paid,price,when,smoker\n" + lines.joined(separator: "\n"))
        #expect(try rows().map { $0[0] } == (0..<10).map { [4, 0, 1, 3][$0 % 4] })
        let note = try #require(outcome.notes.first { $0.contains("not seen") })
        #expect(note.contains("3 values of \"city\" were rare or not seen in training") && note.contains("new0.csv:3"))
    }

    @Test func `a few words where numbers are due are missing, many are another column`() throws {
        let header = "city,paid,price,when,smoker\n"
        let good = "Rome,1,$2,3/2/2026,Yes\n"
        let outcome = try like(header + good + good + "Rome,x,two,2026-02-03,maybe\n")
        let row = try rows()[2]
        #expect(row[1].isNaN && row[2].isNaN && row[3].isNaN && row[6].isNaN)
        #expect(try rows()[0][6] == 1)
        for column in ["paid", "price", "when", "smoker"] {
            #expect(
                outcome.notes.contains { $0.contains("1 value of \"\(column)\" is no ") && $0.contains("new0.csv:4") })
        }
        let found = messages { _ = try like(header + good + "Rome,x,$2,3/2/2026,yes\nRome,y,$2,3/2/2026,yes\n") }
        #expect(found.count == 1 && found[0].contains("\"paid\" is a number for the model, but 2 of 3 rows"))
        #expect(try !directory.contents().contains { $0.hasSuffix(".tmp") })
    }

    @Test func `several files are each matched on their own`() throws {
        _ = try like(
            "city,paid,price,when,smoker\nRome,1,2,3/2/2026,yes\n",
            "smoker,when,price,paid,city\nno,4/2/2026,3,2,Bern\n")
        #expect(try rows().map { Array($0[0...3]) } == [[4, 1, 2, 2], [2, 2, 3, 3]])
    }

    @Test func `a table without names is matched by its columns' numbers, with or without the target`() throws {
        let path = try directory.write("1.5,x,0.5\n2.5,y,1.5\n3.5,x,0\n1.25,y,7\n", to: "bare.csv")
        let bare = try TableConversion(
            inputs: [path], output: directory.file("bare.h5"), options: TableOptions(targets: ["-1"])
        ).write(workers: Workers(count: 1)).schema
        #expect(bare.columns.map(\.name) == ["1", "2"])
        for text in ["7,y,1\n", "7,y\n"] {
            let new = try directory.write(text, to: "n.csv")
            _ = try TableConversion(
                inputs: [new], output: directory.file("new.h5"), replacing: true, like: bare
            ).write(workers: Workers(count: 1))
            #expect(try rows() == [[7, 1]])
        }
        #expect(throws: TreadleError.self) {
            let new = try directory.write("7\n", to: "n.csv")
            _ = try TableConversion(inputs: [new], output: directory.file("new.h5"), replacing: true, like: bare)
                .write(workers: Workers(count: 1))
        }
    }

    @Test func `a schema that speaks of unknown dates is refused`() {
        var odd = schema
        odd.columns[3].kind = .date(parts: [.days], origin: "someday", format: nil)
        #expect(throws: TreadleError.self) {
            let new = try directory.write("city,paid,price,when,smoker\nRome,1,2,3/2/2026,yes\n", to: "n.csv")
            _ = try TableConversion(inputs: [new], output: directory.file("new.h5"), like: odd).write(
                workers: Workers(count: 1))
        }
    }
}
