import Foundation
import Glibc
import TestSupport
import Testing
import TreadleRun

/// A disk that is full from some byte on: the same command, once there is room, ends as if nothing had been. `Scripts/faults`
/// tries more places.
@Suite(.enabled(if: Faults.isAvailable)) struct FullDiskTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try writeThreeClasses(to: directory.file("data.h5"))
        try directory.write("a,b,class\n" + (0..<50).map { "\($0),\($0 % 7),\($0 % 2)\n" }.joined(), to: "rows.csv")
        try directory.write(
            """
            { name: "job", task: "classification",
              data: { train: { files: ["data.h5"] }, valid: { fraction: 0.2 }, batch_size: 200 },
              model: { hidden: [ { units: 4 } ] }, stop: { epochs: 2, early: null },
              checkpoint: { dir: "run", keep_last: 2 }, retrain: { promote: { to: "model.h5" } } }
            """, to: "job.json5")
    }

    @Test(arguments: [
        (command: ["train", "job.json5", "--quiet"], result: "run/final.h5", step: 12_000),
        (command: ["retrain", "job.json5", "--quiet"], result: "model.h5", step: 17_000),
        (command: ["import", "rows.csv", "--target", "class", "-o", "new.h5", "--force"], result: "new.h5", step: 700),
    ])
    func `a full disk is an error of the disk, and nothing is lost by it`(
        command: [String], result: String, step: Int
    ) throws {
        func digest() throws -> [UInt8] {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: directory.file(result)))
            return result == "new.h5"
                ? Array(bytes) : Array(try CheckpointFile.verify(directory.file(result)).parameterDigest.utf8)
        }
        func clean() {
            for name in ["run", "run.lock", "model.h5", "new.h5", "reached"] {
                try? FileManager.default.removeItem(atPath: directory.file(name))
            }
        }
        #expect(try Program.run(command, in: directory).code == 0)
        let expected = try digest()
        var full = 0
        for bytes in stride(from: 0, to: 40 * step, by: step) {
            clean()
            let environment = Faults.environment(.bytes, .fails(ENOSPC), at: bytes, reached: directory.file("reached"))
            let ended = try Program.start(command, environment: environment, directory: directory).finish()
            guard FileManager.default.fileExists(atPath: directory.file("reached")) else { break }
            full += 1
            let said: Comment = "\(bytes): \(ended.code) \(ended.errors)"
            #expect(ended.code == 74 || ended.code == 0, said)
            #expect(ended.code == 0 || ended.errors.contains("No space left on device"), said)
            #expect(try directory.contents().allSatisfy { !$0.hasSuffix(".tmp") }, said)
            let again = try Program.run(command, in: directory)
            let now = try digest()
            #expect(again.code == 0 && now == expected, "\(bytes): \(again.errors)")
        }
        #expect(full > 3)
    }
}
