import Foundation
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleTools

/// Files of text and arrays that somebody writes to while they are read: what was read then need not belong together.
@Suite struct ChangedTableTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try write(rows: 60_000)
    }

    private func write(rows: Int, first: Int = 0) throws {
        try directory.write(
            "a,b,y\n" + (first..<first + rows).map { "\($0 % 1000),\($0 % 7),\($0 % 2)\n" }.joined(), to: "a.csv")
    }

    enum Change: CaseIterable { case growth, cut, otherRows }

    private func make(_ change: Change) throws {
        let path = directory.file("a.csv")
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        switch change {
        case .growth:
            try file.seekToEnd()
            try file.write(contentsOf: Data("1,2,0\n".utf8))
        case .cut: try file.truncate(atOffset: 400_000)
        case .otherRows:
            // The same length and the same form: nothing but its time tells.
            try file.seek(toOffset: 200_000)
            try file.write(contentsOf: Data("\n9,9,1\n9,9,1\n9".utf8.prefix(6)))
        }
        try file.close()
    }

    @Test(arguments: Change.allCases) func `an import of it fails and leaves nothing`(change: Change) throws {
        var request = ImportRequest(inputs: [directory.file("a.csv")], output: directory.file("a.h5"))
        request.table.targets = ["y"]
        var changed = false
        let work = Import(request, workers: Workers(count: 1)) { progress in
            // In the second reading: what the first one found is no longer there.
            guard !changed, progress.done > progress.total / 2 else { return }
            changed = true
            #expect(throws: Never.self) { try make(change) }
        }
        let error = #expect(throws: TreadleError.self) { try work.run() }
        #expect(changed)
        #expect(error?.kind == .inputOutput && error?.messages[0].contains("changed while it was read") == true)
        #expect(try directory.contents() == ["a.csv"])
    }

    @Test func `rows to predict end with an error`() throws {
        let rows = try InputRows<Float>(directory.file("a.csv"), inputs: 2, columns: ["a", "b"])
        var values: [Float] = []
        #expect(try rows.next(&values) > 0)
        try make(.growth)
        let error = #expect(throws: TreadleError.self) { while try rows.next(&values) > 0 {} }
        #expect(error?.messages[0].contains("it grew from") == true)
    }

    @Test func `a table that takes another's name between its being named and its being opened is not taken for it`()
        throws
    {
        let before = try FileIdentity(at: directory.file("a.csv"))
        try FileManager.default.removeItem(atPath: directory.file("a.csv"))
        try write(rows: 100, first: 5)
        var conversion = TableConversion(
            inputs: [directory.file("a.csv")], output: directory.file("a.h5"), options: TableOptions(targets: ["y"]))
        conversion.identities = [before]
        let error = #expect(throws: TreadleError.self) { try conversion.write(workers: Workers(count: 1)) }
        #expect(error?.messages[0].contains("was replaced") == true)
        #expect(try directory.contents() == ["a.csv"])
    }
}
