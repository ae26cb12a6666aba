import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct ImageTests {
    private func sample() throws -> H5Image {
        try H5File.image { file in
            let weights = try file.write(
                (0..<10_000).map { Float($0) }, to: "/layers/dense/vars/0", shape: [100, 100])
            try file.link("/model/dense/weight", to: weights)
            try file.write(text: String(repeating: "{}", count: 100_000), to: "/treadle/config")
            try file.write(strings: ["cat", "dog"], to: "/treadle/classes")
            try file.setAttribute("format", "1")
        }
    }

    /// The image as a file on disk, open.
    private func written(_ image: H5Image, to path: String) throws -> H5File {
        try image.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: path)) }
        return try H5File.open(path)
    }

    @Test func `an image is a whole file`() throws {
        let directory = try TemporaryDirectory()
        let file = try written(sample(), to: directory.file("a.h5"))
        #expect(try file.dataset("/model/dense/weight").read(as: Float.self, rows: 99..<100).last == 9999)
        #expect(try file.dataset("/treadle/config").readStrings()[0].count == 200_000)
        #expect(
            try file.dataset("/layers/dense/vars/0").identity == file.dataset("/model/dense/weight").identity)
        #expect(try file.dataset("/model/dense/weight").identity.hardLinks == 2)
    }

    @Test func `equal contents give equal bytes`() throws {
        let (first, second) = (try sample(), try sample())
        #expect(first.withUnsafeBytes { Data($0) } == second.withUnsafeBytes { Data($0) })
    }

    @Test func `what is set aside and not written reads as zeros, and the rest is where it belongs`() throws {
        // 64 GiB, none of which is touched.
        let count = 1 << 34
        var place: Int?
        let image = try H5File.image { file in
            try file.write([1, 2], to: "before")
            let large = try file.createDataset("large", type: .float32, shape: [count], options: .reserved)
            if case .contiguous(let offset, _) = large.storage { place = offset }
            try file.write([3, 4], to: "after")
        }
        #expect(image.count > 4 * count)
        let large = try #require(place)
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        try image.withUnsafeBytes { bytes in
            #expect(bytes[large] == 0 && bytes[large + 4 * count - 1] == 0)
            // On disk it is as sparse as in memory.
            _ = FileManager.default.createFile(atPath: path, contents: nil)
            let file = try #require(FileHandle(forWritingAtPath: path))
            try file.write(contentsOf: bytes[..<large])
            try file.seek(toOffset: UInt64(large + 4 * count))
            try file.write(contentsOf: bytes[(large + 4 * count)...])
            try file.truncate(atOffset: UInt64(bytes.count))
        }
        let file = try H5File.open(path)
        #expect(try file.dataset("large").shape == [count])
        #expect(try file.dataset("large").read(as: Float.self, rows: count - 2..<count) == [0, 0])
        #expect(try file.dataset("before").read(as: Int.self) == [1, 2])
        #expect(try file.dataset("after").read(as: Int.self) == [3, 4])
    }

    @Test(.enabled(if: Python.available)) func `behind a user block h5py reads it, and so do we`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        var bytes = Data(repeating: 0x54, count: 512)
        try sample().withUnsafeBytes { bytes.append(contentsOf: $0) }
        try bytes.write(to: URL(fileURLWithPath: path))
        let seen = try H5Py.run(
            "f = h5py.File(sys.argv[1]); print(f['model/dense/weight'][99, 99], f.attrs['format'], f.userblock_size)",
            path)
        #expect(seen == "9999.0 1 512")
        let dataset = try H5File.open(path).dataset("/layers/dense/vars/0")
        guard case .contiguous(let offset?, _) = dataset.storage else {
            Issue.record("not contiguous")
            return
        }
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset + 4, as: Float.self) }
        #expect(value == 1)
        #expect(try dataset.read(as: Float.self, rows: 0..<1)[5] == 5)
    }

    @Test func `two images are built at once, and stay apart`() throws {
        let directory = try TemporaryDirectory()
        let images = try H5File.image { outer in
            try outer.write([1], to: "n")
            let inner = try H5File.image { try $0.write([2], to: "n") }
            #expect(try written(inner, to: directory.file("inner.h5")).dataset("n").read(as: Int.self) == [2])
        }
        #expect(try written(images, to: directory.file("outer.h5")).dataset("n").read(as: Int.self) == [1])
    }

    @Test func `objects that outlive the building are harmless`() throws {
        var leaked: H5Dataset?
        let image = try H5File.image { leaked = try $0.write([1, 2], to: "x") }
        #expect(throws: H5Error.self) { try leaked?.read(as: Int.self) }
        leaked = nil
        let directory = try TemporaryDirectory()
        #expect(try written(image, to: directory.file("a.h5")).dataset("x").read(as: Int.self) == [1, 2])
    }

    @Test func `a cut image is an error`() throws {
        let directory = try TemporaryDirectory()
        let whole = try sample().withUnsafeBytes { Data($0) }
        for share in 0..<20 {
            let path = directory.file("\(share).h5")
            try whole.prefix(whole.count * share / 20).write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: H5Error.self) { try H5File.open(path) }
            #expect(error?.kind == (share == 0 ? .notHDF5 : .truncated))
        }
    }
}
