import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct DatasetTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    static func roundTrip<Element: H5Number & Equatable>(_ values: [Element], _ path: String) throws {
        let file = try H5File.create(path)
        try file.write(values, to: "/a/x", shape: [2, values.count / 2])
        try file.write(
            values, to: "/a/z", shape: [2, values.count / 2],
            options: DatasetOptions(chunk: [1, 2], deflate: 4, shuffle: true, fletcher32: true))
        for name in ["/a/x", "/a/z"] {
            let dataset = try file.dataset(name)
            #expect(dataset.type == Element.elementType)
            #expect(dataset.shape == [2, values.count / 2])
            #expect(try dataset.read(as: Element.self) == values)
            #expect(try dataset.read(as: Element.self, rows: 1..<2) == Array(values[(values.count / 2)...]))
        }
    }

    @Test func `every number comes back as it was written`() throws {
        try Self.roundTrip([Int8.min, -1, 0, .max], directory.file("a"))
        try Self.roundTrip([Int16.min, -1, 0, .max], directory.file("b"))
        try Self.roundTrip([Int32.min, -1, 0, .max], directory.file("c"))
        try Self.roundTrip([Int64.min, -1, 0, .max], directory.file("d"))
        try Self.roundTrip([UInt8.min, 1, 0, .max], directory.file("e"))
        try Self.roundTrip([UInt16.min, 1, 0, .max], directory.file("f"))
        try Self.roundTrip([UInt32.min, 1, 0, .max], directory.file("g"))
        try Self.roundTrip([UInt64.min, 1, 0, .max], directory.file("h"))
        try Self.roundTrip([Float16.leastNonzeroMagnitude, -1.5, 0, .infinity], directory.file("i"))
        try Self.roundTrip([Float.leastNonzeroMagnitude, -1.5, 0, .infinity], directory.file("j"))
        try Self.roundTrip([Double.leastNonzeroMagnitude, -1.5, 0, .infinity], directory.file("k"))
    }

    @Test func `a name that is not there is answered with those that are`() throws {
        let file = try H5File.create(directory.file("a.h5"))
        try file.write([1, 2, 3], to: "/images")
        do {
            _ = try file.dataset("/x")
            Issue.record("opened what is not there")
        } catch {
            #expect(error.kind == .noSuchObject(nearby: ["/images"]))
        }
    }

    @Test func `an extent beyond the largest allowed is an error, not rows of fill values`() throws {
        let path = directory.file("a.h5")
        let file = try H5File.create(path)
        try file.write(
            [Float](repeating: 1, count: 192), to: "/x", shape: [64, 3],
            options: DatasetOptions(maxShape: [64, 3], chunk: [4, 3], deflate: 6))
        try file.close()
        // The dataspace as the file has it: extents, then the largest allowed, as little-endian numbers of 8 bytes.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let extents = [64, 3, 64, 3].flatMap { [UInt8($0)] + [UInt8](repeating: 0, count: 7) }
        let place = try #require(bytes.firstRange(of: Data(extents))?.lowerBound)
        bytes[place + 3] = 8
        try bytes.write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: H5Error.self) { try H5File.open(path).dataset("/x") }
        #expect("\(try #require(error))".contains("an extent of 134217792, where 64 is the largest allowed"))
    }
}
