import Foundation
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
        let steps = try FileManager.default.contentsOfDirectory(atPath: directory.file("run")).sorted().filter {
            $0.hasPrefix("step-")
        }
        let newest = directory.file("run/" + (try #require(steps.last)))
        let whole = try Data(contentsOf: URL(fileURLWithPath: newest))
        var skipped = 0
        for seed in 0..<24 {
            var mutator = Mutator(seed: UInt64(seed))
            try sealed(mutator.mutated(Data(whole.dropFirst(512)))).write(to: URL(fileURLWithPath: newest))
            try? FileManager.default.removeItem(atPath: directory.file("run/final.h5"))
            let began = ContinuousClock.now
            let ended = try Program.run("train", "job.json5", "--quiet", directory: directory)
            // verify gives up after five times 4 s by the clock.
            #expect(ContinuousClock.now - began < .seconds(30), "seed \(seed)")
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
}
