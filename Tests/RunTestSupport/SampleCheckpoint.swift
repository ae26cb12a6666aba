import TreadleBase
import TreadleData
package import TreadleModel
package import TreadleRun

/// A checkpoint of a small network in the middle of an epoch, its numbers drawn by a seed.
package func sampleCheckpoint(
    seed: UInt64 = 1, step: Int = 1200, hidden: [Int] = [5, 3], inputs: Int = 4, outputs: Int = 2,
    precision: Precision = .float32, bias: Bool = true, embedded: [Int] = [], scales: Bool = false,
    numerics: [Int] = [Treadle.numerics]
) -> Checkpoint {
    let units = hidden + [outputs]
    var layers: [Layer] = []
    func addToStem(_ name: String, _ kind: Layer.Kind, _ inputs: Int, _ units: Int, hasBias: Bool) {
        layers.append(
            Layer(
                name: name, kind: kind, inputs: inputs, units: units, activation: .identity, dropout: 0,
                hasBias: hasBias))
    }
    let width = inputs + 2 * embedded.count
    if !embedded.isEmpty {
        addToStem("embedding", .waves, 1, 3 * embedded.count, hasBias: true)
        addToStem("embedding_1", .combination, 3, 2 * embedded.count, hasBias: true)
    }
    if scales { addToStem("input_scale", .factors, 1, width, hasBias: false) }
    for (index, count) in units.enumerated() {
        layers.append(
            Layer(
                name: index == 0 ? "dense" : "dense_\(index)", inputs: index == 0 ? width : units[index - 1],
                units: count, activation: index < hidden.count ? .relu : .identity, dropout: index == 0 ? 0.25 : 0,
                hasBias: bias))
    }
    let network = Network(inputs: inputs, layers: layers, embedded: embedded, precision: precision)
    let stem =
        (embedded.isEmpty ? "" : ", \"embedding\": {\"frequencies\": 3, \"outputs\": 2}")
        + (scales ? ", \"scale_inputs\": true" : "")
    let hiddenText = hidden.map { "{\"units\": \($0), \"activation\": \"relu\"}" }.joined(separator: ", ")
    var progress = TrainingProgress()
    progress.lossSum = 0.1 + 0.2
    progress.weightSum = 640
    progress.best = 0.5
    progress.bestEpoch = 2
    progress.epochsWithoutProgress = 1
    progress.seconds = 12.5
    let records = (1...3).map { (epoch: Int) -> EpochRecord in
        let loss = 0.9 / Double(epoch)
        let metrics = epoch == 2 ? ["loss": 0.7] : ["loss": loss, "valid.loss": loss + 0.1, "a/b%c": -1]
        return EpochRecord(epoch: epoch, step: epoch * 400, rate: loss / 100, seconds: Double(epoch), metrics: metrics)
    }
    var model = ModelDescription(
        task: .classification, network: network, loss: .crossEntropy, precision: precision)
    model.normalization = Normalization(
        shift: (0..<inputs).map { Double($0) + 0.1 }, factor: (0..<inputs).map { 1 / (Double($0) + 3) })
    model.classes = ["cat", "Hündin"]
    model.columns = (0..<inputs).map { "column \($0)" }
    let optimizer = OptimizerState(
        step: step,
        slots: ["m", "v"].enumerated().map { index, name in
            .init(name: name, layers: numbers(for: network, precision, seed: seed, stream: UInt32(index + 1)))
        })
    return Checkpoint(
        model: SavedModel(model, parameters: numbers(for: network, precision, seed: seed, stream: 0)),
        state: RunState(
            RunCourse(cursor: Cursor(epoch: 3, batch: 0, step: step), progress: progress, history: records),
            optimizer: optimizer),
        origin: FileOrigin(
            configuration: """
                {"model": {"hidden": [\(hiddenText)], "bias": \(bias)\(stem)}, "name": "Wärme", "data": {"train": "d.h5"}}
                """,
            baseDirectory: "/data/jobs", fingerprint: "sha256:00ff", numerics: numerics))
}

/// Parameters between −1 and 1 for every layer.
package func numbers(for network: Network, _ precision: Precision, seed: UInt64, stream: UInt32) -> [LayerParameters] {
    let random = Philox(seed: seed, purpose: .generation, stream: stream)
    var next: UInt64 = 0
    func tensor(_ shape: [Int]) -> Tensor {
        let values = (0..<shape.reduce(1, *)).map { _ in
            next += 1
            return Double(random.words(at: next)[0]) / Double(UInt32.max) * 2 - 1
        }
        return Tensor(
            shape: shape, storage: precision == .float32 ? .float32(values.map(Float.init)) : .float64(values))
    }
    return network.layers.map { layer in
        LayerParameters(
            name: layer.name, weight: tensor([layer.inputs, layer.units]),
            bias: layer.hasBias ? tensor([layer.units]) : nil)
    }
}
