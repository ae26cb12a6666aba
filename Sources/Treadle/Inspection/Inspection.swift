internal import Foundation

/// Everything that can be said of a checkpoint without its data.
package struct Inspection: Sendable {
    package let path: String
    /// Bytes of the file.
    package let size: Int
    package let checkpoint: Checkpoint
    /// Parameters in layer order, weight before bias, then the optimizer's slots in the same order.
    package let tensors: [InspectedTensor]
    package let layers: [LayerHealth]
    /// What looks wrong, the worst first.
    package let signs: [HealthSign]
    /// The SHA-256 of the parameters.
    package let digest: String

    /// Reads the checkpoint at `path`, whose contents must agree with their digest, and looks at all of it.
    package static func read(_ path: String, workers: Workers) throws -> Inspection {
        let checkpoint = try CheckpointFile.read(path)
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        return Inspection(checkpoint, path: path, size: size ?? 0, workers: workers)
    }

    package init(_ checkpoint: Checkpoint, path: String, size: Int, workers: Workers) {
        self.path = path
        self.size = size
        self.checkpoint = checkpoint
        tensors = checkpoint.namedTensors.map { tensor in
            InspectedTensor(
                name: tensor.name, shape: tensor.tensor.shape, isParameter: tensor.isParameter,
                statistics: TensorStatistics(tensor.tensor, workers: workers))
        }
        layers = LayerHealth.all(checkpoint, workers: workers)
        signs = HealthSign.all(checkpoint, tensors: tensors, layers: layers)
        digest = checkpoint.parameterDigest
    }

    package var parameters: [InspectedTensor] { tensors.filter(\.isParameter) }
}

/// One array of numbers and what it is like.
package struct InspectedTensor: Equatable, Sendable {
    /// `dense/weight`, or `optimizer/m/dense/weight`.
    package var name: String
    package var shape: [Int]
    package var isParameter: Bool
    package var statistics: TensorStatistics
}

extension Checkpoint {
    /// A tensor by the name that `inspect --tensor` takes.
    package struct NamedTensor: Sendable {
        package var name: String
        package var tensor: Tensor
        package var isParameter: Bool
    }

    /// Parameters, then the optimizer's slots.
    package var namedTensors: [NamedTensor] {
        func tensors(_ layers: [LayerParameters], _ prefix: String) -> [NamedTensor] {
            layers.flatMap { layer in
                let bias = layer.bias.map { [("bias", $0)] } ?? []
                return ([("weight", layer.weight)] + bias).map {
                    NamedTensor(name: "\(prefix)\(layer.name)/\($0.0)", tensor: $0.1, isParameter: prefix.isEmpty)
                }
            }
        }
        return tensors(parameters, "") + optimizer.slots.flatMap { tensors($0.layers, "optimizer/\($0.name)/") }
    }
}
