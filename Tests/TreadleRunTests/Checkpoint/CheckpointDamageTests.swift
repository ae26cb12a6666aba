import Foundation
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleRun
import RunTestSupport

@Suite struct CheckpointDamageTests {
    @Test func `a flipped bit anywhere is detected`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        let good = try bytes(of: sampleCheckpoint(), at: path)
        let random = Philox(seed: 5, purpose: .sampling)
        // Every bit of the header's fields, then bits all over.
        let places = Array(0..<112 * 8) + (0..<1200).map { Int(random.words(at: UInt64($0))[0]) % (good.count * 8) }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        func put(_ byte: UInt8, at place: Int) throws {
            try file.seek(toOffset: UInt64(place))
            try file.write(contentsOf: [byte])
        }
        for place in places {
            let byte = good[place / 8]
            try put(byte ^ 1 << UInt8(place % 8), at: place / 8)
            let error = #expect(throws: TreadleError.self, "bit \(place)") { try CheckpointFile.read(path) }
            #expect(error?.kind == .badData)
            try put(byte, at: place / 8)
        }
        #expect(try CheckpointFile.read(path) == sampleCheckpoint())
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

    @Test func `of a large file, which all cores check, a flipped bit is detected wherever it is`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        let checkpoint = sampleCheckpoint(hidden: [1500], inputs: 1500)
        let good = [UInt8](try bytes(of: checkpoint, at: path))
        #expect(good.count > 16 << 20 && good[12] == 2)
        let image = Array(good[UserBlock.size...])
        #expect(SHA256.digest(of: image) == Array(good[24..<56]))
        #expect(try CheckpointFile.read(path) == checkpoint)

        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        func put(_ bytes: [UInt8], at place: Int) throws {
            try file.seek(toOffset: UInt64(place))
            try file.write(contentsOf: bytes)
        }
        let ends = DigestWaypoints.bounds(of: image.count, inOnePiece: false).map { $0 + UserBlock.size }
        let places = Array(0..<UserBlock.size) + ends.dropLast() + ends.dropFirst().map { $0 - 1 }
        for (index, place) in places.enumerated() {
            try put([good[place] ^ 1 << UInt8(index % 8)], at: place)
            let error = #expect(throws: TreadleError.self, "byte \(place)") { try SealedFile(path).checkDigest() }
            #expect(error?.kind == .badData)
            try put([good[place]], at: place)
        }

        // Programs that know the digest alone may change such a file and put the digest right.
        var other = good
        other[ends[3]] ^= 1
        other.replaceSubrange(24..<56, with: SHA256.digest(of: Array(other[UserBlock.size...])))
        other.replaceSubrange(80..<112, with: SHA256.digest(of: Array(other[..<80])))
        try put(Array(other[..<UserBlock.size]), at: 0)
        try put([other[ends[3]]], at: ends[3])
        try SealedFile(path).checkDigest()
    }

    @Test func `a newer format is refused with the version that is needed`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        var checkpoint = sampleCheckpoint()
        checkpoint.programVersion = "7.8.9"
        let good = try bytes(of: checkpoint, at: path)
        var header = Array(good.prefix(80))
        header[12] = 3
        try (Data(header + SHA256.digest(of: header)) + good[112...]).write(to: URL(fileURLWithPath: path))
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
