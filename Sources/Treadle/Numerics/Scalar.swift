/// The number types that a network computes in.
package protocol Scalar: BinaryFloatingPoint, SIMDScalar, Codable, BitwiseCopyable, Sendable {
    static var precision: Precision { get }
}

extension Float: Scalar {
    package static var precision: Precision { .float32 }
}

extension Double: Scalar {
    package static var precision: Precision { .float64 }
}
