/// The number types that a network computes in.
package protocol Scalar: BinaryFloatingPoint, SIMDScalar, Codable, BitwiseCopyable, Sendable {
    static var number: NumberType { get }
    /// A tensor's elements, converted where it holds the other type.
    static func values(of tensor: Tensor) -> [Self]
    static func tensor(_ values: [Self], shape: [Int]) -> Tensor
}

/// The types of number that parameters are stored and updated in.
package enum NumberType: String, CaseIterable, Codable, Sendable {
    case float32, float64

    /// Bytes of a number.
    package var size: Int {
        switch self {
        case .float32: 4
        case .float64: 8
        }
    }

    /// The precision that computes in these numbers alone.
    package var precision: Precision {
        switch self {
        case .float32: .float32
        case .float64: .float64
        }
    }
}

extension Float: Scalar {
    package static var number: NumberType { .float32 }

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
    package static var number: NumberType { .float64 }

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
