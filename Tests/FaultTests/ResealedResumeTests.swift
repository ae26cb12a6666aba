import Foundation
import Glibc
import RunTestSupport
import TestSupport
import Testing
import TreadleRun

/// Checkpoints that somebody changed, under a digest that is right again, in the directory of a run that continues.
@Suite struct ResealedResumeTests {
    @Test
    func `a run continues from the newest good checkpoint, whatever lies beside it, and within the limits of verify`()
        throws
    {
        let directory = try TemporaryDirectory()
        try writeThreeClasses(to: directory.file("data.h5"))
        try directory.write(
            """
            { name: "job", task: "classification", data: { train: { files: ["data.h5"] }, valid: null },
              model: { hidden: [ { units: 4 } ] }, stop: { epochs: 2, early: null },
              checkpoint: { dir: "run", every: { steps: 3, epochs: null, time: null }, keep_last: 100 } }
            """, to: "job.json5")
        #expect(try Program.run("train", "job.json5", "--quiet", directory: directory).code == 0)
        let expected = try CheckpointFile.read(directory.file("run/final.h5")).parameterDigest
        let newest = try #require(directory.newestStep())
        let whole = try Data(contentsOf: URL(fileURLWithPath: newest))
        var skipped = 0
        for seed in 0..<24 {
            var mutator = Mutator(seed: UInt64(seed))
            try sealed(mutator.mutated(Data(whole.dropFirst(512)))).write(to: URL(fileURLWithPath: newest))
            try? FileManager.default.removeItem(atPath: directory.file("run/final.h5"))
            let began = ContinuousClock.now
            let ended = try Program.run("train", "job.json5", "--quiet", directory: directory)
            // verify gives up after five times 4 s by the clock; the rest is for a busy machine.
            #expect(ContinuousClock.now - began < .seconds(60), "seed \(seed)")
            guard ended.errors.contains("continuing from ") else {
                // Taken for good: what was changed has no say in the weights, or is refused with its reason.
                #expect([0, 1, 65, 78].contains(ended.code), "seed \(seed): \(ended.errors)")
                continue
            }
            skipped += 1
            #expect(ended.code == 0, "seed \(seed): \(ended.errors)")
            #expect(ended.errors.contains(newest))
            #expect(try CheckpointFile.read(directory.file("run/final.h5")).parameterDigest == expected, "seed \(seed)")
        }
        #expect(skipped > 5)
    }

    @Test(.enabled(if: Faults.isAvailable), arguments: ["train", "reproduce"])
    func `a stop ends the wait for a checkpoint on which libhdf5 runs in circles`(command: String) throws {
        let directory = try TemporaryDirectory()
        try writeThreeClasses(to: directory.file("data.h5"))
        try directory.write(
            """
            { name: "job", task: "classification",
              data: { train: { files: ["data.h5"] }, valid: { fraction: 0.2 } },
              model: { hidden: [ { units: 4 } ] }, stop: { epochs: 1, early: null }, checkpoint: { dir: "run" } }
            """, to: "job.json5")
        #expect(try Program.run("train", "job.json5", "--quiet", directory: directory).code == 0)
        if command == "train" { try FileManager.default.removeItem(atPath: directory.file("run/final.h5")) }
        // The child that reads a checkpoint has it as its standard input, and opens it by that name.
        let environment = Faults.environment(
            .reads, .hang, at: 1, file: "/fd/0", caller: "libhdf5", reached: directory.file("reached"))
        let job = try Program.start(
            [command, command == "reproduce" ? "run/best.h5" : "job.json5", "--quiet"], environment: environment,
            directory: directory)
        #expect(eventually { FileManager.default.fileExists(atPath: directory.file("reached")) || !job.isRunning })
        let asked = ContinuousClock.now
        job.send(SIGTERM)
        let ended = try job.finish()
        #expect(ended.code == 75 && ended.errors == "error: stopped by SIGTERM\n", "\(ended)")
        // Without the stop the wait takes five times 4 s.
        #expect(ContinuousClock.now - asked < .seconds(15))
    }
}
