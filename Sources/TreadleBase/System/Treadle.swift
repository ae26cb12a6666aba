internal import CKernels

/// The project's own version, and what it runs on.
package enum Treadle {
    package static let version = "0.1.0"

    /// The instruction set in use: "avx512", "avx2" or "scalar".
    package static var instructionSet: String {
        unsafe String(cString: ck_isa_name(ck_current_isa()))
    }
}
