internal import CKernels

/// The project's own version, and what it runs on.
package enum Treadle {
    package static let version = "0.1.0"

    /// Their names, from the widest.
    package static var instructionSets: [String] {
        [CK_ISA_AMX, CK_ISA_AVX512, CK_ISA_AVX2, CK_ISA_SCALAR].map { unsafe String(cString: ck_isa_name($0)) }
    }

    /// The instruction set in use.
    package static var instructionSet: String {
        unsafe String(cString: ck_isa_name(ck_current_isa()))
    }
}
