internal import CKernels
package import TreadleBase

/// The matrix unit of CPUs that have one, which multiplies for `model.precision: "bfloat16"`.
package enum MatrixUnit {
    /// Whether it gives the bits of plain multiply-adds: one look for the whole process.
    private static let agrees: Bool = {
        guard ck_current_isa() == CK_ISA_AMX else { return true }
        let agrees = ck_matrix_unit_agrees() != 0
        // Safe to switch here: whoever computes in bfloat16 asks before the first product.
        if !agrees { ck_use_isa(CK_ISA_AVX512) }
        return agrees
    }()

    /// To be called before something is computed in bfloat16. A unit that does not do as the contract says is not used.
    package static func check(note: (LogLevel, String) -> Void) {
        guard !agrees else { return }
        note(
            .warning,
            "this CPU's matrix unit gives other bits than multiply-adds do: the run goes on without it, more slowly and with "
                + "the right bits; another CPU, or hypervisor, would be faster")
    }
}
