internal import Foundation
internal import HDF5
internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// The arrays of an HDF5 file of unknown origin, read in a process of its own.
package enum HDF5Numbers: GuardedWork {
    package struct Request: Codable, Sendable {
        var path: String
    }

    package struct Response: Codable, Sendable {
        fileprivate struct Part: Codable, Sendable {
            var name: String
            var shape: [Int]
            /// Bytes of a number, little-endian.
            var size: Int
            var bytes: Data
        }

        fileprivate var parts: [Part]
    }

    package static let name = "number-arrays"

    /// Bytes of numbers that are handed over at most.
    private static let most = 1 << 27

    package static func perform(_ request: Request) throws -> Response {
        let tree = try FileTree.read(request.path, limits: FileTree.Limits())
        let file = try H5File.open(request.path)
        var left = most
        let parts = try tree.nodes.compactMap { node -> Response.Part? in
            guard let array = node.array, array.isNumeric, node.sameAs == nil, let name = name(of: node.path) else {
                return nil
            }
            let dataset = try file.dataset(node.path)
            try dataset.checkStored()
            let size = dataset.type == .float32 ? 4 : 8
            guard let bytes = dataset.shape.boundedProduct(times: size), bytes <= left else {
                throw TreadleError(
                    .badData, "\(request.path): has more than \(most >> 20) MB of numbers; compare it with h5diff")
            }
            left -= bytes
            let content =
                size == 4
                ? try dataset.read(as: Float.self).littleEndianBytes
                : try dataset.read(as: Double.self).littleEndianBytes
            return .init(name: name, shape: dataset.shape, size: size, bytes: Data(content))
        }
        return Response(parts: parts)
    }

    /// `/layers/dense/vars/0` is `dense.weight`, as Keras keeps it; what its optimizer remembers is none of the model's.
    private static func name(of path: String) -> String? {
        let parts = path.split(separator: "/")
        if parts.first == "optimizer" { return nil }
        if parts.count >= 4, parts[0] == "layers", parts[parts.count - 2] == "vars" {
            let layer = parts[1..<parts.count - 2].joined(separator: ".")
            if parts.last == "0" { return layer + ".weight" }
            if parts.last == "1" { return layer + ".bias" }
        }
        return parts.joined(separator: ".")
    }
}

extension HDF5Numbers.Response {
    /// Re-checked: the child may be compromised.
    func arrays(_ path: String) throws -> [NumberArrays.Array] {
        try parts.map { part in
            guard [4, 8].contains(part.size), part.shape.boundedProduct(times: part.size) == part.bytes.count else {
                throw TreadleError(.badData, "\(path.printable): damaged or hostile; get it again from its source")
            }
            return .init(
                name: part.name,
                tensor: Tensor(Swift.Array(part.bytes), StoredElement(kind: .float(part.size)), shape: part.shape))
        }
    }
}
