import Dispatch
import Foundation
import HDF5
import TestSupport
import Testing

@Suite struct ConcurrencyTests {
    @Test func `many threads open, read, fail and close at once`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        do {
            let file = try H5File.create(path)
            for number in 0..<8 {
                try file.write(
                    [Int](repeating: number, count: 1000), to: "/x\(number)",
                    options: DatasetOptions(chunk: [100], deflate: 1))
            }
        }
        let shared = try H5File.open(path)
        DispatchQueue.concurrentPerform(iterations: 400) { turn in
            let number = turn % 8
            do {
                let file = turn % 3 == 0 ? try H5File.open(path) : shared
                let dataset = try file.dataset("/x\(number)")
                let values = try dataset.read(as: Int.self)
                #expect(values == [Int](repeating: number, count: 1000))
                // An error's stack belongs to the thread that failed.
                let error = #expect(throws: H5Error.self) { try file.dataset("/missing\(turn)") }
                #expect(error?.subject.hasSuffix("/missing\(turn)") == true)
                let image = try H5File.image { try $0.write([turn], to: "n") }
                let written = directory.file("image-\(turn).h5")
                try image.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: written)) }
                #expect(try H5File.open(written).dataset("n").read(as: Int.self) == [turn])
            } catch {
                Issue.record(error)
            }
        }
    }
}
