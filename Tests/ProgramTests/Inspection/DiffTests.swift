import Foundation
import RunTestSupport
import TestSupport
import Testing
import TreadleBase
import TreadleModel
import TreadleRun
import TreadleTools

@Suite struct DiffTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try CheckpointFile.write(smallCheckpoint(), to: directory.file("a.h5"))
        var other = smallCheckpoint()
        other.parameters[0].weight.storage = .float32([1, 0, -2, 0, 3.5, 0])
        other.configuration = other.configuration.replacingOccurrences(of: "0.001", with: "0.002")
        other.history[1].metrics["valid.loss"] = 0.25
        try CheckpointFile.write(other, to: directory.file("b.h5"))
    }

    private func diff(_ arguments: String...) throws -> Finished {
        try Program.start(["diff"] + arguments, directory: directory).finish()
    }

    @Test func `what differs is shown, and weights that differ exit with 1`() throws {
        let result = try diff("a.h5", "b.h5")
        #expect(result.code == 1 && result.errors == "")
        #expect(
            result.output == """
                the weights of a.h5 and b.h5 differ

                  tensor        norm before  after  of change  largest     at    cosine  changed
                  dense/weight        3.742  4.153        0.5      0.5  [2,0]  0.997409   1 of 6

                  metric          before  after  change
                  loss               0.5    0.5       0
                  valid.loss       0.375   0.25  -0.125
                  valid.accuracy    0.75   0.75       0

                  optimizer.lr: 0.001 → 0.002

                """)
        let quiet = try diff("--quiet", "a.h5", "b.h5")
        #expect(quiet.code == 1 && quiet.output == "" && quiet.errors == "")
    }

    @Test func `equal weights exit with 0, whatever else differs`() throws {
        var same = smallCheckpoint()
        same.fingerprint = "sha256:11"
        try CheckpointFile.write(same, to: directory.file("c.h5"))
        let result = try diff("a.h5", "c.h5")
        #expect(result.code == 0)
        #expect(result.output.hasPrefix("the weights of a.h5 and c.h5 are the same, bit for bit\n"))
        #expect(result.output.hasSuffix("  they were trained on different data\n"))
    }

    @Test func `the best weights, put back, are the same as the best checkpoint's, metrics included`() throws {
        var best = smallCheckpoint()
        best.cursor.epoch = 1
        best.cursor.step = 10
        best.optimizer.step = 10
        best.history.removeLast()
        best.progress.finished = false
        try CheckpointFile.write(best, to: directory.file("best.h5"))
        var final = smallCheckpoint()
        final.progress.restoredEpoch = 1
        final.history[0].metrics["test.loss"] = 0.5
        try CheckpointFile.write(final, to: directory.file("final.h5"))
        let result = try diff("final.h5", "best.h5")
        #expect(result.code == 0)
        #expect(
            result.output
                == "the weights of final.h5 and best.h5 are the same, bit for bit\n\n  the optimizer's memory differs\n"
        )
        let inspected = try Program.start(["inspect", "final.h5"], directory: directory).finish().output
        #expect(
            inspected.contains("metrics     of these weights, epoch 1: loss 0.75, test.loss 0.5, valid.accuracy 0.5"))
        #expect(inspected.contains("last epoch  epoch 2: loss 0.5, valid.accuracy 0.75"))
        let json = try Program.start(["inspect", "--json", "final.h5"], directory: directory).finish().output
        let weights = try #require(JSONValue(parsing: json)?["weights"])
        #expect(weights["epoch"] == .integer(1) && weights["valid.loss"] == .number(0.5))
    }

    @Test func `JSON has all of it`() throws {
        let result = try diff("--json", "a.h5", "b.h5")
        #expect(result.code == 1)
        let json = try #require(JSONValue(parsing: result.output))
        #expect(json["weights_differ"] == true)
        #expect(json["configuration"] == [["key": "optimizer.lr", "old": 0.001, "new": 0.002]])
        guard case .array(let tensors) = json["tensors"] else {
            Issue.record("tensors is a list")
            return
        }
        #expect(tensors[0]["largest_change"] == 0.5 && tensors[0]["largest_at"] == [2, 0])
    }

    @Test func `two checkpoints are needed`() throws {
        #expect(try diff("a.h5").code == 64)
        #expect(try diff("a.h5", "b.h5", "a.h5").code == 64)
        #expect(try diff("a.h5", "none.h5").code == 66)
        try directory.write("x", to: "x.h5")
        #expect(try diff("a.h5", "x.h5").code == 65)
    }
}

@Suite struct PlotTests {
    @Test func `runs are drawn into a file`() throws {
        let directory = try TemporaryDirectory()
        try CheckpointFile.write(smallCheckpoint(), to: directory.file("a.h5"))
        func plot(_ arguments: String...) throws -> Finished {
            try Program.start(["plot"] + arguments, directory: directory).finish()
        }
        let plotted = try plot("a.h5", "-o", "c.svg")
        #expect(plotted.code == 0 && plotted.output == "" && plotted.errors == "c.svg: 2 charts\n")
        let said = try plot("a.h5", "-o", "d.svg", "--json")
        #expect(said.errors == "" && JSONValue(parsing: said.output) == ["file": "d.svg", "charts": 2])
        let drawing = try directory.read("c.svg")
        #expect(drawing.hasPrefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns="))
        #expect(drawing.contains(">valid.accuracy</text>"))
        #expect(try plot("a.h5", "--output", "-").output == drawing)
        #expect(try plot("a.h5", "--metric", "loss", "-o", "-").output.contains("valid") == false)
        #expect(try plot("a.h5", "--metric", "rmse", "-o", "-").errors.contains("there is loss, valid.loss, valid.acc"))
        #expect(try plot("a.h5", "--metric", "rmse", "-o", "-").code == 64)
        #expect(try plot("a.h5", "-o", "c.png").code == 64)
        #expect(try plot("a.h5").code == 64)
        #expect(try plot("none", "-o", "c.svg").code == 66)
        #expect(try plot("a.h5", "-o", "no/where.svg").code == 73)
    }
}
