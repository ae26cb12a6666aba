package import CKernels

/// What a network computes in.
package enum Precision: String, CaseIterable, Codable, Sendable {
    case float32, float64
    /// Float32, but that products take operands rounded to bfloat16: for CPUs that multiply those
    /// fast.
    case bfloat16
    /// Float32, but that products take operands that are sums of two such numbers, in three products: nearly as exact as
    /// Float32.
    case bfloat16x3

    /// All that the rest of the program knows about a precision. To add one, add its name above, its traits here, and its
    /// name to `ck_numbers`.
    package var traits: PrecisionTraits {
        switch self {
        case .float32: PrecisionTraits(CK_F32, of: .float32)
        case .float64: PrecisionTraits(CK_F64, of: .float64)
        case .bfloat16:
            PrecisionTraits(
                CK_BF16, of: .float32,
                rounding: .init(
                    parts: 1, effect: "rounds what products read", byMultiplyAdds: "three to four fifths",
                    byPairs: "where layers are wide, some one and a half times float32's speed",
                    onMatrixUnit: "where layers are wide, several times float32's speed"))
        case .bfloat16x3:
            PrecisionTraits(
                CK_BF16X3, of: .float32,
                rounding: .init(
                    parts: 2, effect: "splits it into two such numbers", byMultiplyAdds: "a sixth to a third",
                    byPairs: "a half to two thirds of float32's speed",
                    onMatrixUnit: "what that brings, \"treadle bench\" measures"))
        }
    }

    /// What weights and all that has their shape are stored in.
    package var number: NumberType { traits.number }

    package var roundsOperands: Bool { traits.rounding != nil }

    /// The precisions that round operands, as a sentence names them: joined by "and" or by "or".
    package static func rounding(joinedBy word: String) -> String {
        allCases.filter(\.roundsOperands).map(\.rawValue).joined(separator: " \(word) ")
    }

    /// How many numbers an operand of a product is the sum of.
    package var operandParts: Int { traits.rounding?.parts ?? 1 }

    /// Shards of a batch begin at multiples of so many rows: a block of the products' sums.
    package var shardUnit: Int { roundsOperands ? Int(CK_BLOCK) : 1 }

    /// The kernels' name for products of numbers of type `S`: a network that rounds to bfloat16 is computed exactly in
    /// Float64 where its gradients are checked.
    package func kernel<S: Scalar>(for _: S.Type) -> ck_numbers {
        (S.number == number ? self : S.number.precision).traits.kernel
    }

    /// Whether a network of numbers of type `S` rounds what its products read.
    package func rounds<S: Scalar>(_ number: S.Type) -> Bool { roundsOperands && S.number == self.number }
}

/// What a precision is to the kernels, to checkpoints, and to those who choose one.
package struct PrecisionTraits: Sendable {
    package let kernel: ck_numbers
    package let number: NumberType
    /// Nil where products read the numbers as they are.
    package let rounding: Rounding?

    /// What becomes of an operand before products read it, and what that costs or brings.
    package struct Rounding: Sendable {
        /// How many bfloat16 numbers it becomes the sum of.
        package let parts: Int
        /// In the reference, after the precision's name.
        package let effect: String
        /// The share of float32's speed that multiply-adds reach, and what products in pairs and a matrix unit do.
        package let byMultiplyAdds: String
        package let byPairs: String
        package let onMatrixUnit: String
    }

    init(_ kernel: ck_numbers, of number: NumberType, rounding: Rounding? = nil) {
        self.kernel = kernel
        self.number = number
        self.rounding = rounding
    }
}
