import Foundation
@testable import HDF5
import TestSupport
import Testing

/// Where elements are in the file, found without libhdf5's reading them.
@Suite struct StorageTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test func `no size that a damaged file states is too large to be compared`() {
        // 1,100 times what is stored, and 64 KiB of it besides.
        #expect(!H5Dataset.isFarMore(1100 * (1000 + 65_536), than: 1000))
        #expect(H5Dataset.isFarMore(1100 * (1001 + 65_536), than: 1000))
        #expect(!H5Dataset.isFarMore(.max, than: .max) && H5Dataset.isFarMore(.max, than: 0))
        #expect(!H5Dataset.isFarMore(0, than: .max) && !H5Dataset.isFarMore(0, than: 0))
    }

    private func numbers(_ bytes: Data, at offset: Int, count: Int) -> [Int32] {
        bytes[offset..<offset + count * 4].withUnsafeBytes { raw in
            (0..<count).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self) }
        }
    }

    private func count(_ numbers: Int) -> [Double] { (0..<numbers).map { Double($0) } }

    @Test(arguments: [0, 512, 4096])
    func `addresses count from the first byte of the file`(userBlock: Int) throws {
        let path = directory.file("a.h5")
        let written = try LibraryFile(path, userBlock: userBlock)
        try written.add("whole", count(1000), shape: [1000, 1], type: "<i4")
        try written.add("few", count(1000), shape: [1000, 1], type: "<i4", .chunked([100, 1]))
        try written.add("many", count(20_000), shape: [5000, 4], type: "<i4", .chunked([1, 3]))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let file = try H5File.open(path)
        guard case .contiguous(let offset?, size: 4000) = try file.dataset("whole").storage else {
            Issue.record("not contiguous")
            return
        }
        #expect(numbers(bytes, at: offset, count: 1000) == Array(0..<1000))
        let few = try #require(try file.dataset("few").chunks())
        #expect(few.count == 10)
        for chunk in few {
            #expect(numbers(bytes, at: chunk.address, count: 100).first == Int32(chunk.origin[0]))
        }
        // Two chunks to a row, the second one with a single column in use.
        let many = try #require(try file.dataset("many").chunks())
        #expect(many.count == 10_000)
        let origins = (0..<5000).flatMap { [[$0, 0], [$0, 3]] }
        #expect(many.map(\.origin) == origins)
        for chunk in many {
            let first = Int32(chunk.origin[0] * 4 + chunk.origin[1])
            #expect(numbers(bytes, at: chunk.address, count: 1) == [first])
            #expect(chunk.size == 12)
        }
        let data = try file.dataset("many").readChunk(at: [77, 3])
        #expect(data?.bytes.first == UInt8((77 * 4 + 3) & 255))
    }

    @Test func `the newer file format gives the same table, or none`() throws {
        let path = directory.file("a.h5")
        let written = try LibraryFile(path, isNewer: true)
        try written.add("few", count(1000), shape: [1000, 1], type: "<i4", .chunked([100, 1], grows: true))
        try written.add("many", count(5000), shape: [5000, 1], type: "<i4", .chunked([1, 1]))
        let file = try H5File.open(path)
        #expect(try file.dataset("few").chunks()?.map(\.origin) == (0..<10).map { [$0 * 100, 0] })
        if let many = try file.dataset("many").chunks() { #expect(many.count == 5000) }
        #expect(try file.dataset("many").readChunk(at: [4999, 0])?.bytes == [0x87, 0x13, 0, 0])
    }

    @Test func `filters, chunk masks and unwritten chunks are reported`() throws {
        let file = try H5File.create(directory.file("a.h5"))
        let dataset = try file.createDataset(
            "x", type: .float32, shape: [100, 8],
            options: DatasetOptions(
                maxShape: [nil, 8], chunk: [10, 8], deflate: 3, shuffle: true, fletcher32: true))
        #expect(dataset.filters.map(\.id) == [H5Filter.shuffle, H5Filter.deflate, H5Filter.fletcher32])
        #expect(dataset.filters.map(\.name) == ["shuffle", "deflate", "fletcher32"])
        #expect(dataset.filters.map(\.isAvailable) == [true, true, true])
        #expect(dataset.maxShape == [nil, 8])
        #expect(try dataset.chunkCount == 0)
        #expect(try dataset.readChunk(at: [0, 0]) == nil)
        try dataset.write([Float](repeating: 1, count: 80), rows: 50..<60)
        let chunks = try #require(try dataset.chunks())
        #expect(chunks.map(\.origin) == [[50, 0]])
        #expect(chunks[0].filterMask == 0)
        #expect(chunks[0].size == dataset.storedSize)
        #expect(
            try dataset.read(as: Float.self, rows: 49..<51) == [Float](repeating: 0, count: 8)
                + [Float](repeating: 1, count: 8))
        #expect(try dataset.fillValue == [0, 0, 0, 0])
        try dataset.append([Float](repeating: 2, count: 16))
        #expect(dataset.shape == [102, 8])
        #expect(try dataset.read(as: Float.self, rows: 101..<102) == [Float](repeating: 2, count: 8))
    }

    @Test func `a dataset of no rows grows`() throws {
        let file = try H5File.create(directory.file("a.h5"))
        let dataset = try file.createDataset(
            "x", type: .int(16), shape: [0, 3], options: .appendable(rowShape: [3], rows: 4))
        let words = try file.createDataset("w", type: .text, shape: [0], options: .appendable(rowShape: [], rows: 4))
        #expect(try dataset.read(as: Int16.self) == [])
        for row in 0..<10 {
            try dataset.append([Int16](repeating: Int16(row), count: 3))
            try words.append(strings: ["row \(row)"])
        }
        #expect(try dataset.read(as: Int.self, rows: 9..<10) == [9, 9, 9])
        #expect(try words.readStrings(rows: 8..<10) == ["row 8", "row 9"])
    }

    @Test func `a fill value comes in the file's own form`() throws {
        let path = directory.file("a.h5")
        try LibraryFile(path).add("x", [], shape: [4, 1], type: ">i2", .chunked([2, 1]), rows: 0..<0, fill: -2)
        let dataset = try H5File.open(path).dataset("x")
        #expect(try dataset.fillValue == [0xff, 0xfe])
        var raw = [UInt8](repeating: 0, count: 4)
        try raw.withUnsafeMutableBytes { try dataset.readRaw(into: $0, box: dataset.box(rows: 0..<2)) }
        #expect(raw == [0xff, 0xfe, 0xff, 0xfe])
    }
}
