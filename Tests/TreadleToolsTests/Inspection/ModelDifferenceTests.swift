import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleModel
@testable import TreadleRun
@testable import TreadleTools
import RunTestSupport

@Suite struct ModelDifferenceTests {
    private func difference(_ old: Checkpoint, _ new: Checkpoint) -> ModelDifference {
        ModelDifference(from: old, to: new, workers: Workers(count: 2))
    }

    @Test func `a checkpoint does not differ from itself`() {
        let same = difference(sampleCheckpoint(), sampleCheckpoint())
        #expect(!same.weightsDiffer && same.settings.isEmpty && same.remarks.isEmpty)
        #expect(same.changes.allSatisfy { $0.changed == 0 && $0.changeNorm == 0 && $0.cosine == 1 })
        #expect(same.metrics.allSatisfy { $0.old == $0.new })
    }

    @Test func `one changed weight is found with its place and size`() {
        let old = sampleCheckpoint()
        var new = old
        guard case .float32(var weights) = new.parameters[0].weight.storage else {
            Issue.record("the sample's weights are not in Float32")
            return
        }
        weights[7] += 0.5
        weights[8] = -weights[8]
        new.parameters[0].weight.storage = .float32(weights)
        let found = difference(old, new)
        #expect(found.weightsDiffer)
        let change = found.changes[0]
        #expect(change.name == "dense/weight" && change.changed == 2)
        let after = Double.values(of: new.parameters[0].weight)
        let before = Double.values(of: old.parameters[0].weight)
        let apart = zip(before, after).map { $1 - $0 }
        let largest = apart.map(abs).max() ?? 0
        #expect(change.largest == largest)
        #expect(change.place == (abs(apart[7]) == largest ? [1, 2] : [1, 3]))
        let squares = apart.reduce(0) { $0 + $1 * $1 }
        #expect(abs(change.changeNorm - squares.squareRoot()) < 1e-14)
        #expect(found.changes.dropFirst().allSatisfy { $0.changed == 0 })
    }

    @Test func `a negated layer points the other way, and a zero has no direction`() {
        let old = sampleCheckpoint(bias: false)
        var new = old
        let values = Float.values(of: old.parameters[0].weight)
        new.parameters[0].weight.storage = .float32(values.map { -$0 })
        new.parameters[1].weight.storage = .float32([Float](repeating: 0, count: 15))
        let found = difference(old, new)
        #expect(found.changes[0].cosine == -1 && found.changes[1].cosine == nil)
        #expect(found.changes[2].cosine == 1)
    }

    @Test func `a minus zero is a difference, and NaN the largest change`() {
        var old = sampleCheckpoint()
        var new = old
        old.parameters[0].bias?.storage = .float32([0, 1, 2, 3, 4])
        new.parameters[0].bias?.storage = .float32([-0.0, 1, 2, .nan, 5])
        let found = difference(old, new)
        #expect(found.weightsDiffer && found.changes[1].changed == 3)
        #expect(found.changes[1].largest.isNaN && found.changes[1].place == [3])
    }

    @Test func `settings, shapes, data and metrics that differ are named`() {
        var old = sampleCheckpoint()
        old.configuration = #"""
            {"name": "a", "data": {"train": "d.h5", "test": null}, "model": {"hidden": [{"units": 5}, {"units": 3}]}}
            """#
        var new = sampleCheckpoint(hidden: [5, 4])
        new.configuration = #"""
            {"name": "a", "data": {"train": "d.h5", "test": {"fraction": 0.5}}, "seed": 0,
             "model": {"hidden": [{"units": 5}, {"units": 4}]}}
            """#
        new.fingerprint = "sha256:11"
        new.history[2].metrics = ["loss": 0.25, "valid.accuracy": 1]
        let found = difference(old, new)
        #expect(found.weightsDiffer)
        #expect(
            found.settings == [
                .init(key: "data.test", old: "null", new: "{ \"fraction\": 0.5 }"),
                .init(key: "model.hidden.1.units", old: "3", new: "4"),
            ])
        #expect(
            found.remarks == [
                "dense_1/weight has the shape 5×3 in the first, 5×4 in the second",
                "dense_1/bias has the shape 3 in the first, 4 in the second",
                "dense_2/weight has the shape 3×2 in the first, 4×2 in the second",
                "they were trained on different data", "the optimizer's memory differs",
            ])
        #expect(found.changes.map(\.name) == ["dense/weight", "dense/bias", "dense_2/bias"])
        #expect(found.metrics.map(\.name) == ["loss", "valid.loss", "a/b%c", "valid.accuracy"])
        #expect(found.metrics[0].new == 0.25 && found.metrics[1].new == nil && found.metrics[3].old == nil)
    }

    @Test func `what another version wrote is compared as far as it is known`() {
        var old = sampleCheckpoint()
        old.configuration = """
            {"name": "a", "data": {"train": "d.h5"}, "model": {"hidden": []}, "seed": 1, "optimizer": {"type": "sgd"}}
            """
        var new = old
        new.configuration = """
            {"name": "a", "data": {"train": "d.h5"}, "model": {"hidden": []}, "seed": 2, "warp": 9,
             "optimizer": {"type": "of next year"}}
            """
        let found = difference(old, new)
        #expect(found.settings == [.init(key: "seed", old: "1", new: "2")])
        #expect(found.remarks == ["there are settings that this version does not know, which were not compared"])
    }
}
