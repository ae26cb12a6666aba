import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleModel
@testable import TreadleRun
@testable import TreadleTools
import RunTestSupport

@Suite struct LayerHealthTests {
    /// A network of three inputs and two hidden layers of three units whose numbers say nothing bad.
    private func checkpoint(_ activation: Activation = .relu) -> Checkpoint {
        var checkpoint = sampleCheckpoint(hidden: [3, 3], inputs: 3)
        for index in 0..<2 { checkpoint.network.layers[index].activation = activation }
        return checkpoint
    }

    private func health(_ checkpoint: Checkpoint) throws -> [LayerHealth] {
        try Inspection(checkpoint, path: "x", workers: Workers(count: 2)).layers
    }

    private func findings(_ checkpoint: Checkpoint) throws -> [String] {
        try Inspection(checkpoint, path: "x", workers: Workers(count: 1)).signs.map(\.finding)
    }

    @Test func `a healthy network has no sick units`() throws {
        for layer in try health(checkpoint()) {
            #expect(layer.dead.isEmpty && layer.saturated.isEmpty && layer.twins.isEmpty && layer.idleInputs.isEmpty)
        }
    }

    @Test func `a relu that sums nothing positive is dead, whatever the data are`() throws {
        var sick = checkpoint()
        // Its inputs come from relu units, so they are never negative.
        sick.parameters[1].weight = Tensor(
            shape: [3, 3], storage: .float32([-1, 1, 1, -2, 1, 1, -3, 1, 1]))
        sick.parameters[1].bias = Tensor(shape: [3], storage: .float32([-0.5, -0.5, 0]))
        #expect(try health(sick)[1].dead == [0])
        #expect(try health(sick)[1].twins == [])
        #expect(try findings(sick) == ["layer dense_1: 1 of 3 units is dead"])
        // In the first layer the same weights are alive: data may be negative.
        sick.parameters[0] = sick.parameters[1]
        sick.parameters[0].name = "dense"
        #expect(try health(sick)[0].dead == [])
    }

    @Test func `units without weights, and those that feed nothing on, are dead`() throws {
        var sick = checkpoint(.tanh)
        sick.parameters[0].weight = Tensor(shape: [3, 3], storage: .float32([0, 1, 2, 0, 1, 3, 0, 1, 4]))
        #expect(try health(sick)[0].dead == [0])
    }

    @Test func `a unit that has had no gradient for long is dead, with sigmoid or tanh saturated`() throws {
        var sick = checkpoint()
        sick.optimizer.slots[0].layers[0].weight = Tensor(
            shape: [3, 3], storage: .float32([0.1, 0, 0, 0.1, 0, 1e-38, 0, 0, 0]))
        sick.optimizer.slots[0].layers[0].bias = Tensor(shape: [3], storage: .float32([0.1, 0, 0]))
        #expect(try health(sick)[0].dead == [1, 2])
        #expect(try health(sick)[0].idleInputs == [2])
        #expect(
            try findings(sick) == [
                "layer dense: 2 of 3 units are dead", "layer dense: 1 of 3 inputs is never used: column 2",
            ])
        for index in 0..<2 { sick.network.layers[index].activation = .tanh }
        #expect(try health(sick)[0].dead == [] && health(sick)[0].saturated == [1, 2])
        // A few updates say nothing.
        sick.optimizer.step = 5
        #expect(try health(sick)[0].saturated == [])
    }

    @Test func `a sigmoid or tanh that is always at its end is saturated`() throws {
        var sick = checkpoint(.tanh)
        // The inputs of the second layer are from −1 to 1: unit 1's sum is from 7 to 13.
        sick.parameters[1].weight = Tensor(shape: [3, 3], storage: .float32([1, 1, 1, 1, 1, 1, 1, 1, 2]))
        sick.parameters[1].bias = Tensor(shape: [3], storage: .float32([0, 10, 0]))
        #expect(try health(sick)[1].saturated == [1])
        // Of the first layer nothing is known without normalization.
        sick.parameters[0].weight = Tensor(shape: [3, 3], storage: .float32([99, 1, 1, 99, 1, 2, 99, 1, 3]))
        sick.normalization = .none
        #expect(try health(sick)[0].saturated == [])
        sick.normalization.shift = [0, 0, 0]
        sick.normalization.factor = [1, 1, 1]
        #expect(try health(sick)[0].saturated == [0])
    }

    @Test func `equal units are copies, and broken layers are not judged`() throws {
        var sick = checkpoint()
        sick.parameters[0].weight = Tensor(shape: [3, 3], storage: .float32([1, 1, 1, 2, 2, 2, 3, 3, 4]))
        sick.parameters[0].bias = Tensor(shape: [3], storage: .float32([0, 0, 0]))
        #expect(try health(sick)[0].twins == [1])
        sick.parameters[0].weight = Tensor(shape: [3, 3], storage: .float32([.nan, 1, 1, 2, 2, 2, 3, 3, 4]))
        #expect(try health(sick)[0].twins == [] && health(sick)[0].dead == [])
        #expect(try findings(sick).first == "dense/weight: 1 of 9 numbers is NaN")
    }

    @Test(arguments: [1, 2, 5])
    func `large layers are judged alike on any number of threads`(threads: Int) throws {
        let large = sampleCheckpoint(hidden: [200, 130], inputs: 700)
        #expect(try Inspection(large, path: "x", workers: Workers(count: threads)).layers == health(large))
    }
}

@Suite struct CurveSignsTests {
    private func findings(
        _ losses: [Double], valid: [Double] = [], finished: Bool = false, restored: Int? = nil
    ) -> [String] {
        var checkpoint = sampleCheckpoint()
        if restored != nil { (checkpoint.temperature, checkpoint.progress.restoredEpoch) = (1.5, restored) }
        checkpoint.progress.finished = finished
        checkpoint.history = losses.indices.map { index in
            var metrics = ["loss": losses[index]]
            if index < valid.count { metrics["valid.loss"] = valid[index] }
            return EpochRecord(epoch: index + 1, step: index, rate: 0.1, seconds: 1, metrics: metrics)
        }
        return CurveSigns(checkpoint.head).all.map(\.finding)
    }

    @Test func `a curve that comes to rest says nothing`() {
        #expect(findings([0.5, 0.3, 0.25, 0.249], valid: [0.5, 0.4, 0.35, 0.351], finished: true) == [])
    }

    @Test func `learning by heart, instability, guessing and an early end are named`() {
        #expect(
            findings([0.5, 0.3, 0.2, 0.1], valid: [0.5, 0.4, 0.45, 0.5]) == [
                "the validation loss was 0.4 in epoch 2 and rose to 0.5, while the training loss fell on"
            ])
        #expect(findings([0.3, 0.1, 0.4]) == ["the training loss was 0.1 in epoch 2 and is 0.4 now"])
        // log 2 = 0.6931
        #expect(findings([0.7, 0.693]) == ["the loss, 0.693, is no better than guessing among 2 classes"])
        #expect(findings([0.5, 0.4, 0.3], finished: true) == ["the loss was still falling when the run ended"])
        #expect(findings([0.5, 0.4, 0.3]) == [])
    }

    @Test func `a loss that leaps and comes back is named`() {
        #expect(
            findings([0.9, 0.43, 6.35, 0.5, 0.32]) == [
                "the training loss leapt from 0.43 to 6.35 in epoch 3, and was back at 0.5 in epoch 4"
            ])
        #expect(
            findings([0.9, 0.5, 0.4, 0.3], valid: [0.9, 0.43, 6.35, 0.32]) == [
                "the validation loss leapt from 0.43 to 6.35 in epoch 3, and was back at 0.32 in epoch 4"
            ])
        // Noise near the end of a good curve is no leap.
        #expect(findings([0.9, 0.01, 0.05, 0.01]) == [])
    }

    @Test func `what was measured anew after the run's end is no point of its curve`() {
        // The second epoch was put back and calibrated: what its weights reach then comes of that.
        let (training, valid) = ([0.5, 0.4, 0.3, 0.2], [0.45, 0.1, 0.45, 0.45])
        #expect(findings(training, valid: valid).count == 1)
        #expect(findings(training, valid: valid, restored: 2).isEmpty)
    }
}
