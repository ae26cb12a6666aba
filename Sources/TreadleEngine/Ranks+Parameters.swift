package import TreadleBase
package import TreadleModel

extension Ranks {
    /// One rank's numbers at every rank, in tensors of the same shapes.
    package func broadcast(_ layers: inout [LayerParameters], from rank: Int = 0) {
        for index in layers.indices {
            broadcast(&layers[index].weight, from: rank)
            guard var bias = layers[index].bias else { continue }
            broadcast(&bias, from: rank)
            layers[index].bias = bias
        }
    }

    private func broadcast(_ tensor: inout Tensor, from rank: Int) {
        switch tensor.storage {
        case .float32(var values):
            unsafe values.withUnsafeMutableBytes { unsafe broadcast($0, from: rank) }
            tensor.storage = .float32(values)
        case .float64(var values):
            unsafe values.withUnsafeMutableBytes { unsafe broadcast($0, from: rank) }
            tensor.storage = .float64(values)
        }
    }
}

/// Sums on their way between ranks.
extension [StepResult] {
    /// The sums of losses and weights in turns, with zeros up to `count` results.
    func numbers(padded count: Int) -> [Double] {
        flatMap { [$0.lossSum, $0.weightSum] } + [Double](repeating: 0, count: 2 * (count - self.count))
    }

    /// The first `count` results of such numbers.
    init(_ numbers: [Double], count: Int) {
        self = (0..<count).map { StepResult(lossSum: numbers[2 * $0], weightSum: numbers[2 * $0 + 1]) }
    }
}
