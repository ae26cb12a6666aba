internal import CKernels
package import TreadleBase
package import TreadleModel

/// The matrix unit of CPUs that have one, which multiplies for `model.precision: "bfloat16"` and `"bfloat16x3"`.
package enum MatrixUnit {
    /// Whether it gives the bits of plain multiply-adds: one look for the whole process.
    private static let agrees: Bool = {
        guard ck_current_isa() == CK_ISA_AMX else { return true }
        let agrees = ck_matrix_unit_agrees() != 0
        // Safe to switch here: whoever computes in bfloat16 asks before the first product.
        if !agrees { ck_use_isa(CK_ISA_AVX512) }
        return agrees
    }()

    private static var isUsed: Bool { ck_current_isa() == CK_ISA_AMX && agrees }

    /// How this CPU multiplies in a precision that rounds operands; nil for the others.
    package static func reason(for precision: Precision) -> String? {
        guard precision.roundsOperands else { return nil }
        return isUsed
            ? "on this CPU's matrix unit (\(Treadle.instructionSet))"
            : "by multiply-adds, as this CPU has no matrix unit (\(Treadle.instructionSet))"
    }

    /// What a precision that rounds operands costs or brings on this CPU; nil for the others.
    package static func remark(on precision: Precision) -> String? {
        guard let rounding = precision.traits.rounding, let reason = reason(for: precision) else { return nil }
        return isUsed
            ? "\(reason): \(rounding.onMatrixUnit)"
            : "\(reason): \(rounding.byMultiplyAdds) of float32's speed, and the same weights as with one"
    }

    /// To be called before something is computed in bfloat16. A unit that does not do as the contract says is not used.
    package static func check(note: (LogLevel, String) -> Void) {
        guard !agrees else { return }
        note(
            .warning,
            "this CPU's matrix unit gives other bits than multiply-adds do: the run goes on without it, more slowly and with "
                + "the right bits; another CPU, or hypervisor, would be faster")
    }
}
