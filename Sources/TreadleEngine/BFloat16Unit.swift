internal import CKernels
package import TreadleBase
package import TreadleModel

/// What this CPU has to multiply bfloat16 with, for `model.precision: "bfloat16"` and `"bfloat16x3"`, besides multiply-adds.
package enum BFloat16Unit {
    case matrixUnit
    /// AVX512-BF16.
    case pairs

    /// Whether it gives the bits of plain multiply-adds: one look for the whole process.
    private static let agrees: Bool = {
        let agrees = ck_unit_agrees() != 0
        // Safe to switch here: whoever computes in bfloat16 asks before the first product.
        if !agrees { ck_use_isa(CK_ISA_AVX512) }
        return agrees
    }()

    /// Nil where products are by multiply-adds.
    private static var inUse: Self? {
        guard agrees else { return nil }
        return switch ck_current_isa() {
        case CK_ISA_AMX: .matrixUnit
        case CK_ISA_AVX512_BF16: .pairs
        default: nil
        }
    }

    /// How this CPU multiplies in a precision that rounds operands; nil for the others.
    package static func reason(for precision: Precision) -> String? {
        guard precision.roundsOperands else { return nil }
        let how =
            switch inUse {
            case .matrixUnit: "on this CPU's matrix unit"
            case .pairs: "by this CPU's products of bfloat16 in pairs"
            case nil: "by multiply-adds, as this CPU has no fast products of bfloat16"
            }
        return "\(how) (\(Treadle.instructionSet))"
    }

    /// What a precision that rounds operands costs or brings on this CPU; nil for the others.
    package static func remark(on precision: Precision) -> String? {
        guard let rounding = precision.traits.rounding, let reason = reason(for: precision) else { return nil }
        return switch inUse {
        case .matrixUnit: "\(reason): \(rounding.onMatrixUnit)"
        case .pairs: "\(reason): \(rounding.byPairs)"
        case nil: "\(reason): \(rounding.byMultiplyAdds) of float32's speed, and the same weights as with them"
        }
    }

    /// To be called before something is computed in bfloat16. A unit that does not do as the contract says is not used.
    package static func check(note: (LogLevel, String) -> Void) {
        guard !agrees else { return }
        note(
            .warning,
            "this CPU's products of bfloat16 give other bits than multiply-adds do: the run goes on without them, more slowly "
                + "and with the right bits; another CPU, or hypervisor, would be faster")
    }
}
