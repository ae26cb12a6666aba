import Foundation
import Glibc
import HDF5
import TestSupport
import Testing
import Treadle

/// Damaged and hostile files, made by a seeded mutator. TREADLE_MUTATIONS sets how many.
@Suite struct MutatedFileTests {
    private static let count =
        ProcessInfo.processInfo.environment["TREADLE_MUTATIONS"].flatMap { Int($0) } ?? 60

    /// A file of everything that the library writes, small enough that many mutations hit its structures.
    private func makeForeign(_ path: String) throws {
        let file = try H5File.create(path)
        try file.write([Float](repeating: 1, count: 64), to: "/g/x", shape: [8, 8])
        try file.write(
            (0..<256).map { Double($0) }, to: "/g/packed", shape: [16, 16],
            options: DatasetOptions(maxShape: [nil, 16], chunk: [4, 8], deflate: 6, shuffle: true, fletcher32: true)
        ).setAttribute("names", ["a", "b"])
        try file.write(strings: ["one", "two"], to: "/names")
        try file.write(strings: ["one", "two"], to: "/fixed", size: 5)
        try file.setAttribute("scale", [0.5, 2])
        try file.softLink("/soft", to: "/g/x")
        try file.link("/g/again", to: try file.group("/g"))
    }

    @Test func `no mutated file crashes the program, keeps it, or fills its memory`() throws {
        let directory = try TemporaryDirectory()
        try CheckpointFile.write(smallCheckpoint(), to: directory.file("checkpoint.h5"))
        try makeForeign(directory.file("foreign.h5"))
        let seeds = try ["checkpoint.h5", "foreign.h5"].map {
            try Data(contentsOf: URL(fileURLWithPath: directory.file($0)))
        }
        let outcomes = try (0..<Self.count).map { index -> Int32 in
            var mutator = Mutator(seed: UInt64(index))
            // Most of what libhdf5 sees are foreign files: a checkpoint's digest keeps mutations away from it.
            let mutant = mutator.mutated(seeds[index % 4 == 0 ? 0 : 1])
            let path = try directory.write(mutant, to: "mutant.h5")
            let result = try Program.run("inspect", path)
            #expect(result.code == 0 || result.code == 65, "mutation \(index): \(result.code) \(result.errors)")
            #expect(!result.output.contains("\u{1b}") && !result.errors.contains("\u{1b}"), "mutation \(index)")
            if result.code != 0 { #expect(result.errors.hasPrefix("error: \(path)"), "\(index): \(result.errors)") }
            return result.code
        }
        // Both happen, or the mutator does too little or too much.
        #expect(Set(outcomes) == [0, 65])
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        // Kilobytes of the largest process among children and their children.
        #expect(usage.ru_maxrss < 1 << 20)
    }
}

/// Changes bytes the way broken disks, cut transfers and bad people do; the same for the same seed.
private struct Mutator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x2545_f491_4f6c_dd1d &+ 1 }

    /// SplitMix64.
    private mutating func next(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((z ^ (z >> 31)) % UInt64(bound))
    }

    mutating func mutated(_ whole: Data) -> Data {
        var bytes = [UInt8](whole)
        for _ in 0..<1 + next(4) {
            // Half of all changes go where the structures begin.
            let place = next(next(2) == 0 ? min(2048, bytes.count) : bytes.count)
            let length = min(1 + next(16), bytes.count - place)
            switch next(8) {
            case 0: bytes[place] ^= 1 << UInt8(next(8))
            case 1: for index in place..<place + length { bytes[index] = UInt8(next(256)) }
            case 2: for index in place..<place + length { bytes[index] = 0xFF }
            case 3: for index in place..<place + length { bytes[index] = 0 }
            case 4:
                let from = next(bytes.count - length + 1)
                for index in 0..<length { bytes[place + index] = bytes[from + index] }
            case 5: bytes[place] = bytes[place] &+ 1
            case 6: bytes[place] = [0x7F, 0x80, 0x01, 0x20][next(4)]
            default: if next(4) == 0 { bytes.removeSubrange(max(place, 1)...) }
            }
        }
        return Data(bytes)
    }
}
