import TreadleData
internal import TreadleModel
package import TreadleRun

/// A checkpoint of four layers' worth of numbers that one can check by hand: a unit of its first layer is dead.
package func smallCheckpoint() -> Checkpoint {
    func layer(_ name: String, _ inputs: Int, _ units: Int, _ activation: Activation, _ dropout: Double) -> Layer {
        Layer(name: name, inputs: inputs, units: units, activation: activation, dropout: dropout, hasBias: true)
    }
    func numbers(_ name: String, _ shape: [Int], _ weight: [Float], _ bias: [Float]) -> LayerParameters {
        LayerParameters(
            name: name, weight: Tensor(shape: shape, storage: .float32(weight)),
            bias: Tensor(shape: [bias.count], storage: .float32(bias)))
    }
    let parameters = [
        numbers("dense", [3, 2], [1, 0, -2, 0, 3, 0], [0.5, -1]),
        numbers("dense_1", [2, 2], [0.25, -0.25, 0.5, 1], [0, 0.125]),
    ]
    var progress = TrainingProgress()
    progress.best = 0.375
    progress.bestEpoch = 2
    progress.seconds = 83
    progress.finished = true
    let history = [(1, 0.75, 0.5, 0.5), (2, 0.5, 0.375, 0.75)].map { epoch, loss, valid, accuracy in
        EpochRecord(
            epoch: epoch, step: epoch * 10, rate: 0.001, seconds: Double(epoch) * 40,
            metrics: ["loss": loss, "valid.loss": valid, "valid.accuracy": accuracy])
    }
    var model = ModelDescription(
        task: .classification,
        network: Network(
            inputs: 3, layers: [layer("dense", 3, 2, .relu, 0.1), layer("dense_1", 2, 2, .identity, 0)]),
        loss: .crossEntropy, precision: .float32)
    model.normalization = Normalization(shift: [1, 2, 3], factor: [0.5, 0.5, 2])
    model.classes = ["no", "yes\u{1b}[31m"]
    model.columns = ["age", "rooms", "rent"]
    let slots = ["m", "v"].map { OptimizerState.Slot(name: $0, layers: parameters) }
    return Checkpoint(
        model: SavedModel(model, parameters: parameters),
        state: RunState(
            RunCourse(cursor: Cursor(epoch: 2, batch: 0, step: 20), progress: progress, history: history),
            optimizer: OptimizerState(step: 20, slots: slots)),
        origin: FileOrigin(
            configuration: """
                {"name": "small", "data": {"train": "d.h5"}, \
                "model": {"hidden": [{"units": 2, "activation": "relu"}], "bias": true}, "optimizer": {"type": "adam", "lr": 0.001}}
                """,
            baseDirectory: "/jobs", fingerprint: "sha256:00ff"))
}
