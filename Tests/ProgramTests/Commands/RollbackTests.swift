import Foundation
import TestSupport
import Testing
import TreadleRun

@Suite struct RollbackTests {
    @Test(arguments: ["float32", "bfloat16", "bfloat16x3"])
    func `a rate that is too large is lowered from the last epoch on, to the same bits each time`(
        precision: String
    ) throws {
        let directory = try directoryWithJob(precision)
        let policy = ["--set", "stop.on_nan=rollback", "--set", "stop.rollback_factor=1e-6"]
        let run = try Program.start(["train", "job.json5", "--quiet"] + policy, directory: directory).finish()
        #expect(run.code == 0, "\(run.errors)")
        #expect(run.errors.hasPrefix("warning: the loss is not finite at step "))
        #expect(run.errors.contains("returned to the end of epoch 0 with the rate multiplied by"))
        let checkpoint = try CheckpointFile.read(directory.file("runs/job/final.h5"))
        #expect((1...3).contains(checkpoint.progress.rollbacks))
        #expect(try checkpoint.firstNonFinite == nil)
        let again = try Program.run("reproduce", "runs/job/final.h5", "--quiet", "--threads", "1", directory: directory)
        #expect(again.code == 0, "\(again.output)")
    }

    @Test func `the epoch's end to return to outlives any number of newer checkpoints`() throws {
        let directory = try directoryWithJob()
        // Grows until it overflows in the fourth epoch.
        let growing = ["model.hidden=[]", "optimizer.lr=1.5", "stop.epochs=6", "stop.rollback_factor=0.1"]
        let settings = (growing + ["stop.on_nan=rollback"]).flatMap { ["--set", $0] }
        var digests: Set<String> = []
        for every in ["{ epochs: 1, steps: null, time: null }", "{ epochs: null, steps: 1, time: null }"] {
            let run = try Program.start(
                ["train", "job.json5", "--quiet", "--fresh", "--set", "checkpoint.every=\(every)"] + settings,
                directory: directory
            ).finish()
            #expect(run.code == 0, "\(run.errors)")
            #expect(run.errors.contains("returned to the end of epoch 3 with the rate multiplied by 0.1 (return 1 of"))
            digests.insert(try CheckpointFile.read(directory.file("runs/job/final.h5")).parameterDigest)
        }
        #expect(digests.count == 1)
        let again = try Program.run("reproduce", "runs/job/final.h5", "--quiet", "--threads", "1", directory: directory)
        #expect(again.code == 0, "\(again.output)")
    }

    @Test(arguments: ["float32", "bfloat16", "bfloat16x3"])
    func `without a rollback the run ends with 1, and says where the first such number arose`(precision: String) throws
    {
        let directory = try directoryWithJob(precision)
        let run = try Program.run("train", "job.json5", "--quiet", directory: directory)
        #expect(run.code == 1)
        #expect(
            run.errors.hasPrefix(
                "error: the loss is not finite at step 2 (epoch 1, rows 33 to 64 of its order, rate 100000000.0): "))
        #expect(run.errors.contains("the loss of them is not") || run.errors.contains("layer dense"))
    }

    private func directoryWithJob(_ precision: String = "float32") throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let made = try Program.run("generate", "regression", "--rows", "400", "-o", directory.file("data.h5"))
        #expect(made.code == 0, "\(made.errors)")
        try directory.write(
            """
            { name: "job", task: "regression", data: { train: { files: ["data.h5"] }, batch_size: 32 },
              model: { hidden: [ { units: 16, activation: "relu" }, { units: 16, activation: "relu" } ],
                precision: "\(precision)" },
              optimizer: { type: "sgd", lr: 1e8 }, stop: { epochs: 2, early: null } }
            """, to: "job.json5")
        return directory
    }
}
