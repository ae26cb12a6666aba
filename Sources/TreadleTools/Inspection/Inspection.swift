internal import Foundation
package import TreadleBase
package import TreadleModel
package import TreadleRun

/// Everything that can be said of a checkpoint without its data.
///
/// ```swift
/// let inspection = try Inspection(contentsOf: "runs/churn/final.h5")
/// print(inspection.digest, inspection.signs.map(\.finding))
/// ```
public struct Inspection: Sendable {
    /// The file as it was named to `init`.
    public let path: String
    /// Bytes of the file; 0 where there is none.
    public let size: Int
    package let checkpoint: CheckpointHead
    /// The optimizer's updates so far, and the names of what it remembers.
    let updates: Int
    let slots: [String]
    /// Parameters in layer order, weight before bias, then the optimizer's slots in the same order.
    public let tensors: [InspectedTensor]
    /// How healthy the units of each layer are, in the order of the layers.
    public let layers: [LayerHealth]
    /// What looks wrong, the worst first.
    public let signs: [HealthSign]
    /// The SHA-256 of the parameters.
    public let digest: String

    /// Whether `path` is a file that does not claim to be a checkpoint: one of unknown origin.
    package static func isForeign(_ path: String) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: (path as NSString).resolvingSymlinksInPath)
        guard attributes?[.type] as? FileAttributeType == .typeRegular,
            let file = FileHandle(forReadingAtPath: path),
            let first = try? file.read(upToCount: UserBlock.magic.count)
        else { return false }
        return Array(first) != UserBlock.magic
    }

    /// Looks at a checkpoint in memory.
    package init(_ checkpoint: Checkpoint, path: String, workers: Workers) throws {
        try self.init(checkpoint.head, CheckpointNumbers(checkpoint), path: path, workers: workers)
    }

    /// Looks at a file, in memory that does not grow with it.
    package init(_ file: CheckpointFile, workers: Workers) throws {
        try self.init(file.head, file.numbers, path: file.path, workers: workers)
        try file.checkUnchanged()
    }

    private init(_ head: CheckpointHead, _ numbers: CheckpointNumbers, path: String, workers: Workers) throws {
        self.path = path
        let attributes = try? FileManager.default.attributesOfItem(atPath: (path as NSString).resolvingSymlinksInPath)
        size = attributes?[.size] as? Int ?? 0
        checkpoint = head
        updates = numbers.updates
        slots = numbers.slots.map(\.name)
        let tensors = try numbers.named.map { name, numbers, isParameter in
            InspectedTensor(
                name: name, shape: numbers.shape, isParameter: isParameter,
                statistics: try TensorStatistics(numbers, workers: workers))
        }
        self.tensors = tensors
        let isFinite = numbers.layers.map { layer in
            layer.named("").allSatisfy { name, _ in
                tensors.contains { $0.name == name && $0.statistics.finite == $0.statistics.count }
            }
        }
        layers = try LayerHealth.all(head, numbers, isFinite: isFinite, workers: workers)
        signs = HealthSign.all(head, tensors: tensors, layers: layers)
        digest = try numbers.digest()
    }

    /// The tensors that predictions are computed from: all but what the optimizer remembers.
    public var parameters: [InspectedTensor] { tensors.filter(\.isParameter) }
}

/// One array of numbers and what it is like.
///
/// ```swift
/// for tensor in inspection.tensors { print(tensor.name, tensor.shape, tensor.statistics.norm) }
/// ```
public struct InspectedTensor: Equatable, Sendable {
    /// `dense/weight`, or `optimizer/m/dense/weight`.
    public var name: String
    /// Its extents: of a weight inputs and units, of a bias units.
    public var shape: [Int]
    /// Whether predictions are computed from it; what the optimizer remembers is none.
    public var isParameter: Bool
    /// What its numbers are like, taken together.
    public var statistics: TensorStatistics
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
