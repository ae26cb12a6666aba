import Foundation
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData

/// Prediction reads a table by the names that the model learned from.
@Suite struct InputRowsTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func rows(_ text: String, _ columns: [String]?, inputs: Int? = nil) throws -> [Float] {
        let path = try directory.write(text, to: "in.csv")
        let rows = try InputRows<Float>(path, inputs: inputs ?? columns?.count ?? 0, columns: columns)
        var all: [Float] = []
        var values: [Float] = []
        while case let count = try rows.next(&values), count > 0 { all += values[..<(count * rows.inputs)] }
        return all
    }

    @Test func `columns are found by name in any order, and strange ones are left out`() throws {
        #expect(try rows("id,b,a\nx1,1,2\nx2,3,4\n", ["a", "b"]) == [2, 1, 4, 3])
    }

    @Test func `a header is seen by the model's names, even if they are numbers`() throws {
        #expect(try rows("2,1\n10,20\n", ["1", "2"]) == [20, 10])
    }

    @Test func `columns made of words are made of the same words again`() throws {
        let columns = ["city=Oslo", "n", "city=Rome"]
        #expect(try rows("n,city\n1,Rome\n2,Oslo\n3,Paris\n", columns) == [0, 1, 1, 1, 2, 0, 0, 3, 0])
    }

    @Test func `without names the number of columns decides`() throws {
        #expect(try rows("1,2\n3,4\n", ["a", "b"]) == [1, 2, 3, 4])
        #expect(try rows("u,v\n1,2\n", nil, inputs: 2) == [1, 2])
        #expect(throws: TreadleError.self) { try rows("1,2,3\n", ["a", "b"]) }
    }

    @Test func `a missing column is named`() {
        #expect(
            throws: TreadleError(
                .badData,
                "\(directory.file("in.csv")) has no column \"c\", which the model learned from; its columns are a, b")
        ) {
            try rows("a,b\n1,2\n", ["a", "c"])
        }
    }

    @Test func `a table of many blocks comes whole and in order`() throws {
        let text = "a\n" + (0..<300_000).map { "\($0)\n" }.joined()
        #expect(try rows(text, ["a"]) == (0..<300_000).map { Float($0) })
    }
}
