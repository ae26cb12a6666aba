import Foundation
import Glibc
import TestSupport
import Testing
import TreadleRun

/// Directories and files that are there and cannot be looked at: no run takes them for absent and starts over.
@Suite(.enabled(if: Faults.isAvailable)) struct UnseenFilesTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try threeClassJob(
            data: "valid: { fraction: 0.2 }, batch_size: 200",
            """
            model: { hidden: [] }, stop: { epochs: 2, early: null },
            checkpoint: { dir: "run", keep_last: 100 }, retrain: { promote: { to: "model.h5" } }
            """)
    }

    /// Does `command` with one of its looks at files of this name failing, each of the first and one in nine of the many
    /// that follow while libhdf5 reads; gives how it ended each time.
    private func strike(
        _ command: [String], file: String?, _ code: Int32, _ body: (Int, Finished) throws -> Void
    ) throws -> Int {
        let reached = directory.file("reached")
        var number = 1
        while true {
            let environment = Faults.environment(.reads, .fails(code), at: number, file: file, reached: reached)
            let ended = try Program.start(command, environment: environment, directory: directory).finish()
            guard FileManager.default.fileExists(atPath: reached) else { return number - 1 }
            try FileManager.default.removeItem(atPath: reached)
            try body(number, ended)
            number += number < 12 ? 1 : 9
        }
    }

    @Test(arguments: [ESTALE, EIO]) func `a directory that cannot be listed is not one without checkpoints`(
        code: Int32
    ) throws {
        let first = try Program.run("train", "job.json5", "--quiet", directory: directory)
        #expect(first.code == 0, "\(first.errors)")
        let job = ["train", "job.json5", "--set", "stop.epochs=3"]
        let listed = { try FileManager.default.contentsOfDirectory(atPath: directory.file("run")).sorted() }
        let before = try listed()
        let step = try #require(before.last { $0.hasPrefix("step-") })
        var failures = 0
        let looks = try strike(job, file: "/run", code) { number, ended in
            let said: Comment = "\(number): \(ended.code) \(ended.errors)"
            let now = try listed()
            #expect(Set(before).isSubset(of: now), said)
            if ended.code == 0 {
                // What it did after all, it did from the checkpoint.
                #expect(ended.errors.contains(step) || ended.errors.contains("nothing"), said)
            } else {
                failures += 1
                #expect(ended.code == 74, said)
                #expect(!ended.errors.contains("no such file"), said)
                let words = code == ESTALE ? "Stale file handle; its server no longer knows" : "Input/output error"
                #expect(ended.errors.contains(words), said)
            }
        }
        #expect(looks > 0 && failures > 0)
    }

    @Test func `a promoted model that cannot be looked at is not one that is missing`() throws {
        let first = try Program.run("retrain", "job.json5", directory: directory)
        #expect(first.code == 0, "\(first.errors)")
        let served = try Data(contentsOf: URL(fileURLWithPath: directory.file("model.h5")))
        var failures = 0
        for file in ["/model.h5", "/retrain.json"] {
            _ = try strike(["retrain", "job.json5"], file: file, ESTALE) { number, ended in
                let said: Comment = "\(file) \(number): \(ended.code) \(ended.output) \(ended.errors)"
                #expect(ended.code == 74 || ended.output.contains("unchanged"), said)
                if ended.code != 0 { failures += 1 }
                let now = try Data(contentsOf: URL(fileURLWithPath: directory.file("model.h5")))
                #expect(now == served, said)
            }
        }
        #expect(failures > 0)
    }

    @Test func `a directory of data that cannot be listed is not one without files`() throws {
        for part in ["a", "b"] {
            try FileManager.default.createDirectory(
                atPath: directory.file("data/\(part)"), withIntermediateDirectories: true)
            try writeThreeClasses(to: directory.file("data/\(part)/rows.h5"))
        }
        let looks = try strike(
            ["check", "job.json5", "--set", "data.train.files=[\"data/*/*.h5\"]"], file: "/data/b", EIO
        ) { number, ended in
            #expect(ended.code == 74, "\(number): \(ended.code) \(ended.errors) \(ended.output)")
        }
        #expect(looks > 0)
    }
}
