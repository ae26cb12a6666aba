import Foundation
import TestSupport
import Testing
import TreadleRun

/// `model.precision: "bfloat16"` and its like in the program's commands.
@Suite struct PrecisionCommandTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        let made = try Program.run("generate", "churn", "--rows", "400", "-o", directory.file("data.h5"))
        #expect(made.code == 0, "\(made.errors)")
    }

    private func writeJob(_ precision: String) throws {
        try directory.write(
            """
            { name: "job", task: "classification", data: { train: { files: ["data.h5"] }, batch_size: 64 },
              model: { hidden: [{ units: 24, activation: "tanh", dropout: 0.1 }, { units: 40 }], precision: "\(precision)" },
              optimizer: { type: "adam", lr: 0.01, clip_norm: 1 }, stop: { epochs: 3, early: null } }
            """, to: "job.json5")
    }

    @discardableResult
    private func run(_ arguments: String..., code: Int32 = 0) throws -> Finished {
        let finished = try Program.run(arguments, in: directory)
        #expect(finished.code == code, "\(arguments): \(finished.errors)")
        return finished
    }

    @Test(arguments: ["bfloat16", "bfloat16x3"])
    func `a network that rounds is checked, trained, looked at, reproduced and used`(precision: String) throws {
        try writeJob(precision)
        let checked = try run("check", "job.json5")
        #expect(checked.output.contains("\n\(precision) ") && checked.output.contains("float32's speed"))
        let gradients = try run("gradcheck", "job.json5")
        #expect(gradients.output.hasSuffix("checked in Float64, without the rounding of \(precision)\n"))
        try run("train", "job.json5", "--threads", "2")
        #expect(try run("inspect", "runs/job/final.h5").output.contains("of \(precision)"))
        try run("reproduce", "runs/job/final.h5", "--threads", "1")
        try run("reproduce", "runs/job/final.h5", "--repeat", "--steps", "5")
        try run("eval", "runs/job/final.h5", "--data", "data.h5")
        try run("predict", "runs/job/final.h5", "data.h5", "-o", "p.csv")
    }

    @Test func `a retraining goes on from weights of another precision`() throws {
        try writeJob("float32")
        try run("retrain", "job.json5")
        let old = try CheckpointFile.read(directory.file("models/job.h5"))
        try writeJob("bfloat16x3")
        let retrained = try run("retrain", "job.json5", "--set", "retrain.when=always")
        #expect(!retrained.errors.contains("anew"), "\(retrained.errors)")
        let new = try CheckpointFile.read(directory.file("models/job.h5"))
        #expect(old.precision == .float32 && new.precision == .bfloat16x3)
    }
}
