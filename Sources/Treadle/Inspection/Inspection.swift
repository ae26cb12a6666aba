internal import Foundation

/// Everything that can be said of a checkpoint without its data.
package struct Inspection: Sendable {
    package let path: String
    /// Bytes of the file; 0 where there is none.
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
        Inspection(try CheckpointFile.read(path), path: path, workers: workers)
    }

    /// Whether `path` is a file that does not claim to be a checkpoint: one of unknown origin.
    package static func isForeign(_ path: String) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: (path as NSString).resolvingSymlinksInPath)
        guard attributes?[.type] as? FileAttributeType == .typeRegular,
            let file = FileHandle(forReadingAtPath: path),
            let first = try? file.read(upToCount: UserBlock.magic.count)
        else { return false }
        return Array(first) != UserBlock.magic
    }

    package init(_ checkpoint: Checkpoint, path: String, workers: Workers) {
        self.path = path
        let attributes = try? FileManager.default.attributesOfItem(atPath: (path as NSString).resolvingSymlinksInPath)
        size = attributes?[.size] as? Int ?? 0
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
