package import TreadleBase
internal import TreadleConfiguration
package import TreadleData
package import TreadleModel

/// Every layer's gradient against central differences of the loss, in Float64.
///
/// The gradients are the training step's own, taken where clipping and ranks would see them; the differences are of the
/// same step's loss, dropout included. A derivative g is compared with (L(w + h) − L(w − h)) / 2h, extrapolated from two
/// h, at a seeded choice of each layer's parameters.
package struct GradientCheck {
    /// What one layer's weights or biases showed.
    package struct Finding: Equatable, Sendable {
        package var layer: String
        /// `weight` or `bias`.
        package var parameter: String
        package var checked: Int
        /// Parameters at which the loss has a kink within h (relu, hinge, mae …), where no difference is a derivative.
        package var kinks: Int
        /// The largest |gradient − difference| relative to the larger of the two, but to no less than a thousandth of the
        /// layer's largest gradient and 10⁻⁵ of the loss, below which differences are noise.
        package var error: Double
        /// Where: input and unit of a weight, unit of a bias.
        package var place: [Int]
        package var gradient: Double
        package var difference: Double
    }

    private let network: Network
    private let parameters: [LayerParameters]
    private let step: TrainingStep<Double>
    private let sums: GradientSums

    /// Checks `network` with `loss` at `parameters`, on batches of up to `batchSize` rows.
    package init(
        network: Network, loss: LossFunction, parameters: [LayerParameters], batchSize: Int, seed: UInt64,
        workers: Workers
    ) {
        self.network = network
        self.parameters = parameters
        let sums = GradientSums(PackedLayout(network, of: Double.self))
        self.sums = sums
        step = unsafe TrainingStep(
            network: network, loss: loss,
            optimizer: OptimizerConfiguration(
                type: .sgd, lr: 0, momentum: 0, nesterov: false, beta1: 0, beta2: 0, rho: 0, eps: 0, weightDecay: 0,
                l1: 0, clipNorm: nil),
            batchSize: batchSize, shards: Shards(batchSize: batchSize), seed: seed, workers: workers,
            reduce: { gradient, _ in unsafe sums.copy(gradient) })
        step.load(parameters, optimizer: OptimizerState())
    }

    /// The averaged gradient that the step finds on `batch`.
    package func gradients(_ batch: Batch<Double>) -> [LayerParameters] {
        let weight = unsafe evaluate(batch).weightSum
        return sums.values.unload(names: network.layers.map(\.name)).map { layer in
            func averaged(_ tensor: Tensor) -> Tensor {
                Double.tensor(Double.values(of: tensor).map { $0 / weight }, shape: tensor.shape)
            }
            return LayerParameters(
                name: layer.name, weight: averaged(layer.weight), bias: layer.bias.map(averaged))
        }
    }

    /// Compares `claimed` gradients with differences on `batch` at up to `samples` parameters of each layer's weights and
    /// of its biases.
    package func findings(
        claimed: [LayerParameters], on batch: Batch<Double>, samples: Int = 40, seed: UInt64 = 0
    ) -> [Finding] {
        var findings: [Finding] = []
        let result = unsafe evaluate(batch)
        let loss = abs(result.lossSum / result.weightSum)
        for (index, layer) in network.layers.enumerated() {
            let random = Philox(seed: seed, purpose: .sampling, stream: UInt32(index))
            let weight = Double.values(of: claimed[index].weight)
            let bias = claimed[index].bias.map { Double.values(of: $0) } ?? []
            for (parameter, gradient) in [("weight", weight), ("bias", bias)] where !gradient.isEmpty {
                let chosen = choice(of: samples, from: gradient.count, random)
                var finding = Finding(
                    layer: layer.name, parameter: parameter, checked: 0, kinks: 0, error: 0, place: [], gradient: 0,
                    difference: 0)
                let noise = max(1e-3 * (gradient.map { abs($0) }.max() ?? 0), 1e-5 * loss)
                for place in chosen {
                    let claim = gradient[place]
                    let difference = unsafe difference(
                        index, isBias: parameter == "bias", place, scale: max(abs(claim), noise), batch)
                    guard let difference else {
                        finding.kinks += 1
                        continue
                    }
                    finding.checked += 1
                    let size = max(abs(claim), abs(difference), noise)
                    let error = claim == difference ? 0 : abs(claim - difference) / size
                    // A gradient that is not a number is the largest error there is.
                    if error > finding.error || error.isNaN || finding.place.isEmpty {
                        finding.error = error.isNaN ? .infinity : error
                        finding.place = parameter == "bias" ? [place] : [place / layer.units, place % layer.units]
                        (finding.gradient, finding.difference) = (claim, difference)
                    }
                }
                findings.append(finding)
            }
        }
        return findings
    }

    /// The loss's derivative in one parameter by differences alone; nil where smaller and smaller steps do not agree.
    private func difference(
        _ layer: Int, isBias: Bool, _ place: Int, scale: Double, _ batch: Batch<Double>
    ) -> Double? {
        var size = 0x1p-13
        for _ in 0..<3 {
            let wide = unsafe slope(layer, isBias: isBias, place, size, batch)
            let narrow = unsafe slope(layer, isBias: isBias, place, size / 2, batch)
            // The two differ by some h² in smooth places and by much where a kink lies between.
            if !(abs(wide - narrow) > 1e-5 * max(scale, abs(narrow))) { return (4 * narrow - wide) / 3 }
            size /= 32
        }
        return nil
    }

    private func slope(
        _ layer: Int, isBias: Bool, _ place: Int, _ size: Double, _ batch: Batch<Double>
    ) -> Double {
        let tensor = isBias ? parameters[layer].bias : parameters[layer].weight
        let value = tensor.map { Double.values(of: $0)[place] } ?? 0
        func loss(at offset: Double) -> Double {
            step.set(layer: layer, isBias: isBias, place: place, to: value + offset)
            let result = unsafe evaluate(batch)
            return result.lossSum / result.weightSum
        }
        defer { step.set(layer: layer, isBias: isBias, place: place, to: value) }
        return (loss(at: size) - loss(at: -size)) / (2 * size)
    }

    /// One step at rate 0, always with the dropout of step 0.
    private func evaluate(_ batch: Batch<Double>) -> StepResult {
        unsafe step.run(batch, step: 0, rate: 0)
    }

    /// Up to `count` different numbers below `total`, in order.
    private func choice(of count: Int, from total: Int, _ random: Philox) -> [Int] {
        guard total > count else { return Array(0..<total) }
        var chosen: Set<Int> = []
        var index: UInt64 = 0
        while chosen.count < count {
            let words = random.words(at: index)
            chosen.insert(Int((UInt64(words.x) << 32 | UInt64(words.y)) % UInt64(total)))
            index += 1
        }
        return chosen.sorted()
    }
}

/// The gradient sums of the last step, as its hook saw them.
@safe private final class GradientSums {
    let values: PackedParameters<Double>

    init(_ layout: PackedLayout) {
        values = PackedParameters(layout)
    }

    func copy(_ gradient: UnsafeMutableBufferPointer<Double>) {
        guard let source = gradient.baseAddress else { return }
        unsafe values.start.update(from: source, count: gradient.count)
    }
}
