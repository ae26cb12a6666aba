import CKernels
import Testing
import TestSupport

@Suite(.serialized) struct InstructionSetTests {
    @Test(arguments: [CK_ISA_SCALAR, CK_ISA_AVX2, CK_ISA_AVX512])
    func `a chain of multiply-adds has the same bits on every instruction set`(isa: ck_isa) {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        ck_use_isa(isa)
        let x = (0..<37).map { Float($0) * 0.1 }
        var a = (0..<37).map { 1 / (Float($0) + 3) }
        let expected = zip(x, a).map { $1.addingProduct($0, 0.3) }
        ck_axpy_f32(37, 0.3, x, &a)
        #expect(a == expected)
    }
}
