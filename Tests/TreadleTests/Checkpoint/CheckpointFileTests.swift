import Foundation
import TestSupport
import Testing
import TreadleBase
import TreadleData
import TreadleModel
import TreadleRun

@Suite struct CheckpointFileTests {
    @Test(arguments: [Precision.float32, .float64], [true, false])
    func `what was written is read`(precision: Precision, bias: Bool) throws {
        let directory = try TemporaryDirectory()
        var checkpoint = sampleCheckpoint(precision: precision, bias: bias)
        let length = try CheckpointFile.write(checkpoint, to: directory.file("a.h5"))
        #expect(try CheckpointFile.read(directory.file("a.h5")) == checkpoint)
        #expect(try FileManager.default.attributesOfItem(atPath: directory.file("a.h5"))[.size] as? Int == length)

        checkpoint.created = 1_700_000_000.25
        checkpoint.classes = nil
        checkpoint.columns = nil
        checkpoint.normalization = .none
        checkpoint.optimizer = OptimizerState()
        checkpoint.history = []
        checkpoint.progress = TrainingProgress()
        try CheckpointFile.write(checkpoint, to: directory.file("a.h5"))
        #expect(try CheckpointFile.read(directory.file("a.h5")) == checkpoint)
    }

    @Test func `a linear model and layers beyond the tenth keep their order`() throws {
        let directory = try TemporaryDirectory()
        for hidden in [[], [Int](repeating: 2, count: 12)] {
            let checkpoint = sampleCheckpoint(hidden: hidden)
            try CheckpointFile.write(checkpoint, to: directory.file("a.h5"))
            #expect(try CheckpointFile.read(directory.file("a.h5")) == checkpoint)
        }
    }

    @Test func `equal checkpoints give equal bytes`() throws {
        let directory = try TemporaryDirectory()
        for name in ["a", "b"] { try CheckpointFile.write(sampleCheckpoint(), to: directory.file(name)) }
        #expect(
            FileManager.default.contents(atPath: directory.file("a"))
                == FileManager.default.contents(atPath: directory.file("b")))
    }

    @Test func `the digest is of the parameters alone`() throws {
        var checkpoint = sampleCheckpoint(hidden: [], inputs: 1, outputs: 1)
        checkpoint.parameters = [
            LayerParameters(
                name: "dense", weight: Tensor(shape: [1, 1], storage: .float32([1])),
                bias: Tensor(shape: [1], storage: .float32([-2])))
        ]
        // sha256sum of 00 00 80 3f 00 00 00 c0.
        #expect(
            checkpoint.parameterDigest == "ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b")
        let digest = checkpoint.parameterDigest
        checkpoint.optimizer.step += 1
        checkpoint.normalization = .none
        #expect(checkpoint.parameterDigest == digest)
    }

    @Test func `what is not finite is never written, and its place is named`() throws {
        let directory = try TemporaryDirectory()
        var checkpoint = sampleCheckpoint()
        checkpoint.parameters[1].weight = Tensor(
            shape: [5, 3], storage: .float32((0..<15).map { $0 == 7 ? .nan : 0 }))
        let error = #expect(throws: TreadleError.self) {
            try CheckpointFile.write(checkpoint, to: directory.file("a.h5"))
        }
        #expect(error?.kind == .diverged)
        #expect(error?.description.contains("model/dense_1/weight [2, 1] is not finite") == true)
        #expect(try directory.contents() == [])
    }
}
