import Foundation
import TestSupport
import Testing
import TreadleBase
import TreadleRun
import RunTestSupport

@Suite struct CheckpointDurabilityTests {
    @Test(arguments: 0..<24)
    func `a writer killed at any instant leaves the old file or the new one`(turn: UInt64) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        try CheckpointFile.write(sampleCheckpoint(seed: 0), to: path)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, turn = turn as UInt64] in
            // As long as some writes take: kills fall on every part of them.
            let microseconds = Philox(seed: turn, purpose: .sampling).words(at: 0)[0] % 30_000
            Thread.detachNewThread {
                usleep(microseconds)
                kill(getpid(), SIGKILL)
            }
            // The bound is for the compiler: a body that never returns does not fit the macro.
            for _ in 0..<1_000_000 {
                for seed: UInt64 in 1...2 { try CheckpointFile.write(sampleCheckpoint(seed: seed), to: path) }
            }
        }
        let found = try CheckpointFile.read(path)
        #expect((0...2).contains { found == sampleCheckpoint(seed: $0) })
        DurableFile.removeLeftovers(in: directory.path)
        #expect(try directory.contents() == ["a.h5"])
    }

    @Test(.enabled(if: SmallDisk.available, "mounting a file system takes root"))
    func `a disk that is full at any point leaves what was there`() throws {
        let disk = try SmallDisk(bytes: 1 << 19)
        let path = disk.path + "/a.h5"
        let old = sampleCheckpoint(seed: 1, hidden: [64, 64])
        let new = sampleCheckpoint(seed: 2, hidden: [64, 64])
        let length = try CheckpointFile.write(old, to: path)
        var refusals = 0
        for room in stride(from: 0, to: length + 8192, by: 2048) {
            try disk.fill(leaving: room)
            do {
                try CheckpointFile.write(new, to: path)
                #expect(try CheckpointFile.read(path) == new)
                try disk.fill(leaving: .max)
                try CheckpointFile.write(old, to: path)
            } catch let error as TreadleError {
                refusals += 1
                #expect(error.kind == .inputOutput)
                #expect(error.description.hasSuffix("No space left on device; free space on its file system"))
                #expect(try CheckpointFile.read(path) == old)
            }
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: disk.path).sorted().prefix(2) == ["a.h5", "fill"])
        }
        #expect(refusals >= length / 2048)
    }
}

/// A file system of a few pages in memory.
private final class SmallDisk {
    static let available = (try? SmallDisk(bytes: 1 << 16)) != nil
    private let directory: TemporaryDirectory
    var path: String { directory.path }

    init(bytes: Int) throws {
        directory = try TemporaryDirectory()
        guard mount("tmpfs", directory.path, "tmpfs", 0, "size=\(bytes)") == 0 else {
            throw CocoaError(.fileWriteUnknown)
        }
    }

    deinit { umount2(directory.path, Int32(MNT_DETACH)) }

    /// Takes all room but so many bytes.
    func fill(leaving room: Int) throws {
        let filler = path + "/fill"
        try Data().write(to: URL(fileURLWithPath: filler))
        let free = try DiskSpace(at: path).available
        try Data(count: max(0, free - room)).write(to: URL(fileURLWithPath: filler))
    }
}
