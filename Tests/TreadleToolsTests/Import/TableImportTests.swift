import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData
import TreadleModel
@testable import TreadleTools

/// Tables become /x and /y, or an error that says which line is wrong.
@Suite struct TableImportTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Imports `texts`, each a file, and opens what came out.
    private func imported(
        _ texts: String..., table: TableOptions = TableOptions(), name: String = "in.csv", threads: Int = 2,
        change: (inout ImportRequest) -> Void = { _ in }
    ) throws -> (file: H5File, summary: ImportSummary) {
        let inputs = try texts.enumerated().map { try directory.write($0.element, to: "\($0.offset)-\(name)") }
        var request = ImportRequest(inputs: inputs, output: directory.file("out.h5"), replacing: true, table: table)
        change(&request)
        let summary = try Import(request, workers: Workers(count: threads)).run()
        return (try H5File.open(request.output), summary)
    }

    private func names(_ file: H5File) throws -> [String] {
        try #require(try TableSchema(ofDataFile: directory.file("out.h5"))).inputs.map(\.name)
    }

    private func message(_ text: String, table: TableOptions = TableOptions()) -> String {
        do {
            _ = try imported(text, table: table)
            return "no error"
        } catch {
            return "\(error)".replacingOccurrences(of: directory.path + "/0-", with: "")
        }
    }

    @Test func `a header, numbers and a target of text become x, y, schema and classes`() throws {
        let (file, summary) = try imported(
            "a,b,kind\n1,2.5,dog\n-3,4e2,cat\n5,,dog\n", table: TableOptions(targets: ["kind"]))
        let x: [Float] = try file.dataset("/x").read()
        #expect(x.dropLast() == [1, 2.5, -3, 400, 5] && x[5].isNaN)
        #expect(try file.dataset("/x").shape == [3, 2])
        #expect(try file.dataset("/y").read(as: Int.self) == [1, 0, 1])
        #expect(try file.dataset("/y").shape == [3])
        #expect(try file.dataset("/classes").readStrings() == ["cat", "dog"])
        #expect(try names(file) == ["a", "b"])
        #expect(summary.arrays.map(\.name) == ["/x", "/y"])
        #expect(try directory.contents() == ["0-in.csv", "out.h5"])
    }

    @Test(arguments: ["\n", "\r\n"], [";", "\t", "|", ","])
    func `delimiters and line ends are found out`(newline: String, delimiter: String) throws {
        let rows = [["a", "b"], ["1", "2"], ["3", "4"]].map { $0.joined(separator: delimiter) }
        let (file, _) = try imported(rows.joined(separator: newline))
        #expect(try file.dataset("/x").read(as: Float.self) == [1, 2, 3, 4])
        #expect(try names(file) == ["a", "b"])
    }

    @Test func `quotes may hold delimiters, quotes and line ends, a byte-order mark is no part of a name`() throws {
        let text = "\u{feff}\"a, first\",\"say \"\"b\"\"\",t\r\n\"1\",\"2\",\"x\ny\"\r\n3,4,\"x,z\"\r\n"
        let (file, _) = try imported(text, table: TableOptions(targets: ["t"]))
        #expect(try names(file) == ["a, first", "say \"b\""])
        #expect(try file.dataset("/classes").readStrings() == ["x\ny", "x,z"])
        #expect(try file.dataset("/x").read(as: Float.self) == [1, 2, 3, 4])
    }

    @Test func `columns are chosen by name, number, span and from the end`() throws {
        let text = "1,2,3,4,5\n6,7,8,9,10\n"
        func x(_ table: TableOptions) throws -> [Float] {
            let (file, _) = try imported(text, table: table)
            return try file.dataset("/x").read(as: Float.self)
        }
        #expect(try x(TableOptions(targets: ["-1"])) == [1, 2, 3, 4, 6, 7, 8, 9])
        #expect(try x(TableOptions(targets: ["2"], kinds: [RequestedKind("4-5", .drop)])) == [1, 3, 6, 8])
        #expect(try x(TableOptions(inputs: ["5", "1-2"])) == [5, 1, 2, 10, 6, 7])
    }

    @Test func `several targets become columns of y`() throws {
        let (file, _) = try imported("a,t,u\n1,0,1\n2,1,1\n", table: TableOptions(targets: ["u", "t"]))
        #expect(try file.dataset("/y").shape == [2, 2])
        #expect(try file.dataset("/y").read(as: Int.self) == [1, 0, 1, 1])
        #expect(try file.dataset("/y").type == .int(32))
    }

    @Test func `fractions in the target stay fractions, labels of numbers become classes when asked for`() throws {
        let (fractions, _) = try imported("1,0.5\n2,3\n", table: TableOptions(targets: ["2"]))
        #expect(try fractions.dataset("/y").type == .float32)
        let (labels, _) = try imported(
            "1,30\n2,9\n3,30\n", table: TableOptions(targets: ["2"], kinds: [RequestedKind("2", .category)]))
        #expect(try labels.dataset("/classes").readStrings() == ["9", "30"])
        #expect(try labels.dataset("/y").read(as: Int.self) == [1, 0, 1])
        let (ratings, summary) = try imported("1,3\n2,5\n", table: TableOptions(targets: ["2"]))
        #expect(try ratings.dataset("/classes").readStrings() == ["3", "5"])
        #expect(summary.notes.count == 1 && summary.notes[0].contains("--kind 2=number"))
        let (quantity, _) = try imported(
            "1,3\n2,5\n", table: TableOptions(targets: ["2"], kinds: [RequestedKind("2", .number)]))
        #expect(try quantity.dataset("/y").read(as: Int.self) == [3, 5])
        #expect(try !quantity.contains("/classes"))
    }

    @Test(arguments: [["-1", "1"], ["0", "100"], ["-20", "7"]]) func `two whole numbers in many rows are two classes`(
        classes: [String]
    ) throws {
        func lines(_ rows: Int) -> String { (0..<rows).map { "\($0),\(classes[$0 % 2])\n" }.joined() }
        let (file, summary) = try imported("x,y\n" + lines(10), table: TableOptions(targets: ["y"]))
        #expect(try file.dataset("/classes").readStrings() == classes)
        #expect(try file.dataset("/y").read(as: Int.self) == (0..<10).map { $0 % 2 })
        #expect(
            summary.notes.filter {
                $0.contains("2 different whole numbers, \(classes[0]) to \(classes[1]), taken as classes")
            }.count == 1)
        // Two of three marks may be all that a few rows show; and what is no whole number is a quantity.
        let (few, _) = try imported("x,y\n" + lines(8), table: TableOptions(targets: ["y"]))
        #expect(try few.contains("/classes") == false)
        let (quantity, _) = try imported("x,y\n10,0.5\n" + lines(10), table: TableOptions(targets: ["y"]))
        #expect(try quantity.contains("/classes") == false)
    }

    @Test func `given classes keep their numbers, also where one is missing`() throws {
        let table = TableOptions(targets: ["t"], classes: ["low", "middle", "high"])
        let (file, _) = try imported("a,t\n1,high\n2,low\n", table: table)
        #expect(try file.dataset("/y").read(as: Int.self) == [2, 0])
        #expect(try file.dataset("/classes").readStrings() == ["low", "middle", "high"])
        let (named, _) = try imported("a,t\n1,2\n2,0\n", table: table)
        #expect(try named.dataset("/y").read(as: Int.self) == [2, 0])
        #expect(message("a,t\n1,2\n2,3\n", table: table).contains("numbers 0 to 2"))
    }

    @Test func `a column of words becomes codes of its values`() throws {
        let (file, _) = try imported(
            "city,n,t\nRome,1,0\nOslo,2,1\n,4,1\nRome,3,1\n", table: TableOptions(targets: ["t"]))
        #expect(try names(file) == ["city=Oslo", "city=Rome", "city=(missing)", "n"])
        #expect(try file.dataset("/x").read(as: Float.self) == [3, 1, 2, 2, 1, 4, 3, 3])
    }

    @Test func `parts follow each other, each with its header`() throws {
        let (file, _) = try imported("a,t\n1,x\n2,y\n", "a,t\n3,x\n", table: TableOptions(targets: ["t"]))
        #expect(try file.dataset("/x").read(as: Float.self) == [1, 2, 3])
        #expect(try file.dataset("/y").read(as: Int.self) == [0, 1, 0])
        #expect(throws: TreadleError.self) { try imported("a,t\n1,2\n", "a,u\n1,2\n") }
    }

    @Test func `parts with the same names in another order are joined by name`() throws {
        let (file, _) = try imported("a,b,t\n1,2,x\n", "t,b,a\ny,4,3\n", table: TableOptions(targets: ["t"]))
        #expect(try file.dataset("/x").read(as: Float.self) == [1, 2, 3, 4])
        #expect(try file.dataset("/y").read(as: Int.self) == [0, 1])
    }

    @Test func `every word for no value is NaN`() throws {
        let (file, _) = try imported("a,b\n1,NA\n2,nan\n3,\n4,?\n5, \n6,null\n7,N/A\n8,0.5")
        let b = try file.dataset("/x").read(as: Float.self).enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        #expect(b.count == 8 && b.dropLast().allSatisfy(\.isNaN) && b[7] == 0.5)
    }

    @Test func `wrong tables are refused with the line and what to do`() {
        let cat = TableOptions(targets: ["t"])
        #expect(message("a,t\n1,x\n1,2,3\n", table: cat).hasPrefix("in.csv:3: 3 fields where the first record has 2;"))
        #expect(message("a,t\n1,x\n1\n", table: cat).hasPrefix("in.csv:3: 1 field where the first record has 2;"))
        #expect(message("a,t\n1,\"x\n2,y\n", table: cat).hasPrefix("in.csv:2: the quoted field that begins here"))
        #expect(message("a,t\n1,\"x\"y\n", table: cat).hasPrefix("in.csv:2: text follows a closing quote;"))
        #expect(message("a,t\n", table: cat).contains("no rows"))
        #expect(message("").contains("is empty"))
        #expect(message("a,t\n1,2\n", table: TableOptions(targets: ["u"])).contains("its columns are a, t"))
    }

    @Test func `nothing is left behind by an import that fails`() throws {
        try directory.write("keep me", to: "out.h5")
        #expect(throws: TreadleError.self) { try imported("a,b\n1,2\n1,2,3\n") }
        #expect(try directory.contents() == ["0-in.csv", "out.h5"])
        #expect(try directory.read("out.h5") == "keep me")
        #expect(throws: TreadleError.self) { try imported("1,2\n", change: { $0.replacing = false }) }
        #expect(try directory.read("out.h5") == "keep me")
    }

    /// Long enough for many blocks, with quoted line ends at every place of a block's border.
    @Test(arguments: [1, 3]) func `blocks cut between records, whatever the threads`(threads: Int) throws {
        var text = "n,text,t\n"
        let rows = 150_000
        for row in 0..<rows { text += "\(row),\"a\n\(row % 7 == 0 ? "\"\"" : "")b, c\",\(row % 3)\n" }
        let (file, _) = try imported(
            text, table: TableOptions(targets: ["t"], kinds: [RequestedKind("text", .drop)]), threads: threads)
        #expect(try file.dataset("/x").read(as: Float.self) == (0..<rows).map { Float($0) })
        #expect(try file.dataset("/y").read(as: Int.self) == (0..<rows).map { $0 % 3 })
    }

    @Test func `compressed chunks hold the same numbers`() throws {
        let text = (0..<5_000).map { "\($0),\($0 % 10)" }.joined(separator: "\n")
        let (file, _) = try imported(text, table: TableOptions(targets: ["2"]), change: { $0.compress = true })
        #expect(try file.dataset("/x").read(as: Float.self) == (0..<5_000).map { Float($0) })
        #expect(try file.dataset("/y").read(as: Int.self) == (0..<5_000).map { $0 % 10 })
        guard case .chunked = try file.dataset("/x").storage else {
            Issue.record("/x is not chunked")
            return
        }
    }
}
