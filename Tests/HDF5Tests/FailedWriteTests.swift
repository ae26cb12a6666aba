import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct FailedWriteTests {
    @Test func `a full disk is an error, whichever call finds it`() throws {
        // /dev/full refuses every write.
        let file = try H5File.create("/dev/full")
        let error = #expect(throws: H5Error.self) {
            for number in 0..<100 {
                try file.write(
                    [Float](repeating: 1, count: 10_000), to: "x\(number)",
                    options: DatasetOptions(chunk: [1000], deflate: 1))
            }
            try file.close()
        }
        #expect(error?.kind == .failedWrite(ENOSPC))
        // Closing after a failure says the same again.
        #expect(#expect(throws: H5Error.self) { try file.close() }?.kind == .failedWrite(ENOSPC))
    }

    @Test func `a file is whole once it is closed, and its objects are of no use any more`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        let file = try H5File.create(path)
        let dataset = try file.write([1, 2, 3], to: "x")
        try file.close()
        #expect(throws: H5Error.self) { try dataset.read(as: Int.self) }
        #expect(try H5File.open(path).dataset("x").read(as: Int.self) == [1, 2, 3])
    }

    @Test func `a file stays open as long as an object of it`() throws {
        let directory = try TemporaryDirectory()
        let dataset = try H5File.create(directory.file("a.h5")).write([1, 2, 3], to: "x")
        try dataset.write([4, 5, 6])
        #expect(try dataset.read(as: Int.self) == [4, 5, 6])
    }

    @Test func `a file that is being written is left as it is`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        do {
            let first = try H5File.create(path)
            try first.write([1, 2, 3], to: "x")
            let second = #expect(throws: H5Error.self) { try H5File.create(path) }
            #expect(second?.kind == .locked || second?.kind == .other)
            #expect(throws: H5Error.self) { try H5File.create(path, replacing: false) }
        }
        #expect(try H5File.open(path).dataset("x").read(as: Int.self) == [1, 2, 3])
    }
}
