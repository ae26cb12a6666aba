package import CKernels

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
    package var size: Int { self == .float32 ? 4 : 8 }
}

/// What a network computes in.
package enum Precision: String, CaseIterable, Codable, Sendable {
    case float32, float64
    /// Float32, but that products take operands rounded to bfloat16: for the matrix unit of CPUs that have one.
    case bfloat16
    /// Float32, but that products take operands that are sums of two such numbers, in three products: nearly as exact as
    /// Float32.
    case bfloat16x3

    /// What weights and all that has their shape are stored in.
    package var number: NumberType { self == .float64 ? .float64 : .float32 }

    /// How many products of numbers rounded to bfloat16 make one of the network's; nil where nothing is rounded for them.
    package var roundedProducts: Int? {
        switch self {
        case .float32, .float64: nil
        case .bfloat16: 1
        case .bfloat16x3: 3
        }
    }

    package var roundsOperands: Bool { roundedProducts != nil }

    /// How many numbers an operand of a product is the sum of.
    package var operandParts: Int { self == .bfloat16x3 ? 2 : 1 }

    /// Shards of a batch begin at multiples of so many rows: a block of the products' sums.
    package var shardUnit: Int { roundsOperands ? Int(CK_BLOCK) : 1 }

    /// The kernels' name for products of numbers of type `S`: a network that rounds to bfloat16 is computed exactly in
    /// Float64 where its gradients are checked.
    package func kernel<S: Scalar>(for number: S.Type) -> ck_numbers {
        switch (S.number, self) {
        case (.float64, _): CK_F64
        case (.float32, .bfloat16): CK_BF16
        case (.float32, .bfloat16x3): CK_BF16X3
        case (.float32, .float32), (.float32, .float64): CK_F32
        }
    }

    /// Whether a network of numbers of type `S` rounds what its products read.
    package func rounds<S: Scalar>(_ number: S.Type) -> Bool { roundsOperands && S.number == .float32 }
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
