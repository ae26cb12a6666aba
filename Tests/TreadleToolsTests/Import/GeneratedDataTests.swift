import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleTools

/// Made-up data are the same everywhere, however they are cut and whoever makes them.
@Suite struct GeneratedDataTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func made(_ kind: GeneratedData, _ rows: Range<Int>, threads: Int = 2) throws -> H5File {
        let path = directory.file("\(kind)-\(rows).h5")
        _ = try kind.write(to: path, rows: rows, replacing: true, workers: Workers(count: threads))
        return try H5File.open(path)
    }

    @Test(arguments: GeneratedData.allCases) func `any cut gives the same rows`(kind: GeneratedData) throws {
        let all = try made(kind, 0..<3000)
        let tail = try made(kind, 2000..<2100, threads: 1)
        #expect(
            try tail.dataset("/x").read(as: Float.self) == all.dataset("/x").read(as: Float.self, rows: 2000..<2100))
        #expect(
            try tail.dataset("/y").read(as: Float.self) == all.dataset("/y").read(as: Float.self, rows: 2000..<2100))
    }

    // From a second implementation, of Philox4x32-10 and of the formulas, in Python.
    @Test func `the first rows are these, on every machine`() throws {
        let table = try made(.regression, 0..<2)
        #expect(
            try table.dataset("/x").read(as: Float.self).prefix(3).map(\.bitPattern) == [
                0x3f7a_fd8f, 0x3f19_8b22, 0x3f46_2efd,
            ])
        #expect(try table.dataset("/y").read(as: Float.self) == [19.347387882978918, 11.384801054429387])
        let images = try made(.images, 0..<8)
        #expect(try images.dataset("/y").read(as: Int.self) == [8, 0, 4, 6, 0, 2, 4, 6])
        #expect(try images.dataset("/x").read(as: Int.self).reduce(0, +) == 344_891)
    }

    @Test func `every class occurs about as often as it should`() throws {
        let labels = try made(.images, 0..<2000).dataset("/y").read(as: Int.self)
        for number in 0..<10 { #expect((120...280).contains(labels.count { $0 == number })) }
        let leaving = try made(.churn, 0..<2000).dataset("/y").read(as: Int.self).reduce(0, +)
        #expect((300...900).contains(leaving))
    }
}
