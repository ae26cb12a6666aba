import Foundation
import TestSupport
import Testing
import TreadleData
import TreadleModel
import TreadleRun

@Suite struct VerifyTests {
    @Test func `one line a file, and 1 when a file is bad`() throws {
        let directory = try TemporaryDirectory()
        try CheckpointFile.write(linearCheckpoint(), to: directory.file("good.h5"))
        let good = try Program.run("verify", "good.h5", directory: directory)
        #expect(good.code == 0)
        #expect(good.output == "ok   good.h5: step 7, 1 layer, 3 parameters\n")
        #expect(good.errors == "")

        try directory.write("no checkpoint", to: "bad.h5")
        let bad = try Program.run("verify", "bad.h5", "good.h5", directory: directory)
        #expect(bad.code == 1)
        #expect(
            bad.output == """
                bad  bad.h5: not a checkpoint; name a file that treadle train wrote
                ok   good.h5: step 7, 1 layer, 3 parameters

                """)
        let quiet = try Program.run("verify", "--quiet", "good.h5", directory: directory)
        #expect(quiet.code == 0)
        #expect(quiet.output == "")
    }

    @Test func `a missing file is 66, unless another is bad`() throws {
        let directory = try TemporaryDirectory()
        let missing = try Program.run("verify", "none.h5", directory: directory)
        #expect(missing.code == 66)
        #expect(missing.errors == "error: none.h5: no such file; check the path\n")
        try directory.write("no checkpoint", to: "bad.h5")
        #expect(try Program.run("verify", "none.h5", "bad.h5", directory: directory).code == 1)
    }

    @Test func `JSON has an object a file`() throws {
        let directory = try TemporaryDirectory()
        let checkpoint = linearCheckpoint()
        try CheckpointFile.write(checkpoint, to: directory.file("good.h5"))
        try directory.write("", to: "bad.h5")
        let result = try Program.run("verify", "--json", "good.h5", "bad.h5", directory: directory)
        #expect(result.code == 1)
        let reports = try JSONDecoder().decode([Report].self, from: Data(result.output.utf8))
        #expect(reports.map(\.file) == ["good.h5", "bad.h5"])
        #expect(reports.map(\.ok) == [true, false])
        #expect(reports[0].digest == checkpoint.parameterDigest)
        #expect(reports[1].error?.contains("empty") == true)
    }

    private struct Report: Decodable {
        var file: String
        var ok: Bool
        var digest: String?
        var error: String?
    }

    private func linearCheckpoint() -> Checkpoint {
        let layer = Layer(name: "dense", inputs: 2, units: 1, activation: .identity, dropout: 0, hasBias: true)
        return Checkpoint(
            model: SavedModel(
                ModelDescription(
                    task: .regression, network: Network(inputs: 2, layers: [layer]), loss: .mse, precision: .float32),
                parameters: [
                    LayerParameters(
                        name: "dense", weight: Tensor(shape: [2, 1], storage: .float32([1, -2])),
                        bias: Tensor(shape: [1], storage: .float32([0.5])))
                ]),
            state: RunState(
                RunCourse(cursor: Cursor(epoch: 1, batch: 0, step: 7)), optimizer: OptimizerState(step: 7)),
            origin: FileOrigin(
                configuration: "{\"model\": {\"hidden\": []}}", baseDirectory: "/", fingerprint: "none"))
    }
}
