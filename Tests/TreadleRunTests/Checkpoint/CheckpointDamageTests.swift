import Foundation
import TestSupport
import Testing
import TreadleBase
import TreadleRun
import RunTestSupport

@Suite struct CheckpointDamageTests {
    @Test func `a flipped bit anywhere is detected`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        let good = try bytes(of: sampleCheckpoint(), at: path)
        let random = Philox(seed: 5, purpose: .sampling)
        // Every bit of the header's fields, then bits all over.
        let places = Array(0..<112 * 8) + (0..<1200).map { Int(random.words(at: UInt64($0))[0]) % (good.count * 8) }
        for place in places {
            var bad = good
            bad[place / 8] ^= 1 << UInt8(place % 8)
            try bad.write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: TreadleError.self, "bit \(place)") { try CheckpointFile.read(path) }
            #expect(error?.kind == .badData)
        }
    }

    @Test func `a cut anywhere is detected, and so are bytes too many`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        let good = try bytes(of: sampleCheckpoint(), at: path)
        for index in 0..<1000 {
            try good.prefix(good.count * index / 1000).write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: TreadleError.self) { try CheckpointFile.read(path) }
            #expect(error?.kind == .badData)
        }
        try (good + [0]).write(to: URL(fileURLWithPath: path))
        #expect(throws: TreadleError.self) { try CheckpointFile.read(path) }
    }

    @Test func `what is no checkpoint is told apart`() throws {
        let directory = try TemporaryDirectory()
        let missing = #expect(throws: TreadleError.self) { try CheckpointFile.read(directory.file("none.h5")) }
        #expect(missing?.kind == .noInput)
        try directory.write("", to: "empty")
        try directory.write("x,y\n1,2\n", to: "table.csv")
        try directory.write(Data([0x89] + Array("HDF\r\n\u{1a}\n".utf8)), to: "data.h5")
        for (name, words) in [
            ("empty", "empty, not a checkpoint"), ("table.csv", "not a checkpoint"),
            ("data.h5", "an HDF5 file, but not a checkpoint"), (".", "is a directory"),
        ] {
            let error = #expect(throws: TreadleError.self) { try CheckpointFile.read(directory.file(name)) }
            #expect(error?.kind == .badData)
            #expect(error?.description.contains(words) == true)
        }
    }

    @Test func `a newer format is refused with the version that is needed`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        var checkpoint = sampleCheckpoint()
        checkpoint.programVersion = "7.8.9"
        let good = try bytes(of: checkpoint, at: path)
        var header = Array(good.prefix(80))
        header[12] = 2
        var hash = SHA256()
        hash.add(header)
        try (Data(header + hash.digest) + good[112...]).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: TreadleError.self) { try CheckpointFile.read(path) }
        #expect(error?.kind == .badData)
        #expect(error?.description.hasSuffix("use treadle 7.8.9 or newer") == true)
        #expect(CheckpointFile.isNewer(path))
    }

    private func bytes(of checkpoint: Checkpoint, at path: String) throws -> Data {
        try CheckpointFile.write(checkpoint, to: path)
        return try Data(contentsOf: URL(fileURLWithPath: path))
    }
}
