/// The number types that a network computes in.
package protocol Scalar: BinaryFloatingPoint, SIMDScalar, Codable, BitwiseCopyable, Sendable {
    static var precision: Precision { get }
    /// A tensor's elements, converted where it holds the other type.
    static func values(of tensor: Tensor) -> [Self]
    static func tensor(_ values: [Self], shape: [Int]) -> Tensor
}

/// How the network's numbers are stored and multiplied.
package enum Precision: String, CaseIterable, Codable, Sendable {
    case float32, float64

    /// Bytes of a number.
    package var size: Int { self == .float32 ? 4 : 8 }
}

extension Float: Scalar {
    package static var precision: Precision { .float32 }

    package static func values(of tensor: Tensor) -> [Float] {
        switch tensor.storage {
        case .float32(let values): values
        case .float64(let values): values.map { Float($0) }
        }
    }

    package static func tensor(_ values: [Float], shape: [Int]) -> Tensor {
        Tensor(shape: shape, storage: .float32(values))
    }
}

extension Double: Scalar {
    package static var precision: Precision { .float64 }

    package static func values(of tensor: Tensor) -> [Double] {
        switch tensor.storage {
        case .float32(let values): values.map { Double($0) }
        case .float64(let values): values
        }
    }

    package static func tensor(_ values: [Double], shape: [Int]) -> Tensor {
        Tensor(shape: shape, storage: .float64(values))
    }
}
