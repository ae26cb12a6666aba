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

    @Test func `an image is a whole file, and opens in place`() throws {
        let image = try sample()
        var file: H5File? = try H5File.open(image: image, name: "checkpoint")
        let dataset = try file?.dataset("/model/dense/weight")
        file = nil
        #expect(try dataset?.read(as: Float.self, rows: 99..<100).last == 9999)
        #expect(dataset?.subject == "checkpoint:/model/dense/weight")
        let again = try H5File.open(image: image, name: "checkpoint")
        #expect(try again.dataset("/treadle/config").readStrings()[0].count == 200_000)
        #expect(
            try again.dataset("/layers/dense/vars/0").identity == again.dataset("/model/dense/weight").identity)
        #expect(try again.dataset("/model/dense/weight").identity.hardLinks == 2)
    }

    @Test func `equal contents give equal bytes`() throws {
        let (first, second) = (try sample(), try sample())
        #expect(first.withUnsafeBytes { Data($0) } == second.withUnsafeBytes { Data($0) })
    }

    @Test func `what is set aside and not written reads as zeros, and the rest is where it belongs`() throws {
        // 64 GiB, none of which is touched.
        let count = 1 << 34
        var offset: Int?
        let image = try H5File.image { file in
            try file.write([1, 2], to: "before")
            let large = try file.createDataset("large", type: .float32, shape: [count], options: .reserved)
            if case .contiguous(let place, _) = large.storage { offset = place }
            try file.write([3, 4], to: "after")
        }
        #expect(image.count > 4 * count)
        let place = try #require(offset)
        image.withUnsafeBytes { #expect($0[place] == 0 && $0[place + 4 * count - 1] == 0) }
        let file = try H5File.open(image: image, name: "i")
        #expect(try file.dataset("large").shape == [count])
        #expect(try file.dataset("large").read(as: Float.self, rows: count - 2..<count) == [0, 0])
        #expect(try file.dataset("before").read(as: Int.self) == [1, 2])
        #expect(try file.dataset("after").read(as: Int.self) == [3, 4])
    }

    @Test(.enabled(if: Python.available))
    func `behind a user block h5py reads it from disk, and it opens from memory`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        var bytes = Data(repeating: 0x54, count: 512)
        try sample().withUnsafeBytes { bytes.append(contentsOf: $0) }
        try bytes.write(to: URL(fileURLWithPath: path))
        let seen = try H5Py.run(
            "f = h5py.File(sys.argv[1]); print(f['model/dense/weight'][99, 99], f.attrs['format'], f.userblock_size)",
            path)
        #expect(seen == "9999.0 1 512")
        let fromDisk = try H5File.open(path).dataset("/layers/dense/vars/0")
        guard case .contiguous(let offset?, _) = fromDisk.storage else {
            Issue.record("not contiguous")
            return
        }
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset + 4, as: Float.self) }
        #expect(value == 1)
        let kept = NSData(data: bytes)
        let raw = UnsafeRawBufferPointer(start: kept.bytes, count: kept.count)
        let fromMemory = try H5File.open(raw, owner: Kept(kept), name: "a.h5")
        #expect(try fromMemory.dataset("/model/dense/weight").read(as: Float.self, rows: 0..<1)[5] == 5)
    }

    @Test func `two images are open at once, and stay apart`() throws {
        let images = try (0..<4).map { number in try H5File.image { try $0.write([number], to: "n") } }
        let files = try images.map { try H5File.open(image: $0, name: "same name") }
        #expect(try files.map { try $0.dataset("n").read(as: Int.self)[0] } == [0, 1, 2, 3])
    }

    @Test func `objects that outlive the building are harmless`() throws {
        var leaked: H5Dataset?
        let image = try H5File.image { leaked = try $0.write([1, 2], to: "x") }
        #expect(throws: H5Error.self) { try leaked?.read(as: Int.self) }
        leaked = nil
        #expect(try H5File.open(image: image, name: "i").dataset("x").read(as: Int.self) == [1, 2])
    }

    @Test func `a cut image is an error`() throws {
        let image = try sample()
        for share in 0..<20 {
            let error = image.withUnsafeBytes { bytes in
                let cut = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count * share / 20)])
                return #expect(throws: H5Error.self) { try H5File.open(cut, owner: image, name: "cut") }
            }
            #expect(error?.kind == (share == 0 ? .notHDF5 : .truncated))
        }
    }

    private final class Kept: Sendable {
        private nonisolated(unsafe) let data: NSData
        init(_ data: NSData) { self.data = data }
    }
}
