internal import CKernels
internal import Foundation

/// The project's own version, and what it runs on.
package enum Treadle {
    package static let version = "0.1.0"

    /// The number of the numerics contract that this release computes by; every checkpoint carries it.
    ///
    /// It rises with the first release after a change that gives any configuration other bits: an order of additions, a
    /// rule for shards, a polynomial, a threshold below which a number counts as zero, what a random number is drawn for,
    /// the order of rows. It does not rise for what changes speed alone, nor for a setting that did not exist before. The
    /// golden digests fail when a change has been made; whoever renews them raises this. Files without a number are of 1.
    package static let numerics = 2

    /// "numerics 2", or "numerics 1, then 2".
    package static func numericsText(_ numbers: [Int]) -> String {
        "numerics " + numbers.map(String.init).joined(separator: ", then ")
    }

    /// Their names, from the widest.
    package static var instructionSets: [String] {
        sets.map { unsafe String(cString: ck_isa_name($0)) }
    }

    private static var sets: [ck_isa] {
        [CK_ISA_AMX, CK_ISA_AVX512_BF16, CK_ISA_AVX512, CK_ISA_AVX2, CK_ISA_SCALAR]
    }

    /// Does `body` with the instruction set of this name, or with the widest that the CPU has where that is plainer, and goes
    /// back to the usual one.
    ///
    /// The set is the whole process's. Runs in other threads may compute meanwhile, with the same bits at another speed; only
    /// one of them changes the set at a time, so that each finds the usual one and leaves it.
    package static func with<Result>(instructionSet name: String, _ body: () throws -> Result) rethrows -> Result {
        change.lock()
        defer { change.unlock() }
        let usual = ck_current_isa()
        defer { ck_use_isa(usual) }
        if let set = sets.first(where: { unsafe String(cString: ck_isa_name($0)) == name }) { ck_use_isa(set) }
        return try body()
    }

    private static let change = NSLock()

    /// The instruction set in use.
    package static var instructionSet: String {
        unsafe String(cString: ck_isa_name(ck_current_isa()))
    }
}
