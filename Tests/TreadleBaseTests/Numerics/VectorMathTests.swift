import CKernels
import Foundation
import Testing
import TestSupport

/// The elementary functions against libm in Float64, whose own error does not show in a Float32.
/// Scripts/exhaustive-math measures the same over all 2³² numbers.
@Suite(.serialized) struct VectorMathTests {
    static let functions:
        [(name: String, function: ck_function, bound: Double, reference: @Sendable (Double) -> Double)] = [
            ("exp", CK_FUNCTION_EXP, 1, { exp($0) }),
            ("expm1", CK_FUNCTION_EXPM1, 1.5, { expm1($0) }),
            ("log", CK_FUNCTION_LOG, 1, { log($0) }),
            ("log1p", CK_FUNCTION_LOG1P, 1.5, { log1p($0) }),
            ("tanh", CK_FUNCTION_TANH, 2, { tanh($0) }),
            ("sigmoid", CK_FUNCTION_SIGMOID, 2.5, { $0 < 0 ? exp($0) / (1 + exp($0)) : 1 / (1 + exp(-$0)) }),
            ("erf", CK_FUNCTION_ERF, 1.5, { erf($0) }),
            ("softplus", CK_FUNCTION_SOFTPLUS, 2, { max($0, 0) + log1p(exp(-abs($0))) }),
        ]

    /// Every 10,007th of the 2³² bit patterns: a prime, so that all exponents and all low bits take part.
    static let samples = stride(from: UInt64(0), to: 1 << 32, by: 10_007).map { Float(bitPattern: UInt32($0)) }

    static func map(_ function: ck_function, _ x: [Float]) -> [Float] {
        var out = [Float](repeating: 0, count: x.count)
        ck_map_f32(function, x.count, x, &out)
        return out
    }

    @Test(arguments: functions.indices)
    func `a Float32 function keeps its bound in ulp, from subnormals to infinity`(index: Int) {
        let (_, function, bound, reference) = Self.functions[index]
        var worst = (error: 0.0, at: Float(0))
        for (x, y) in zip(Self.samples, Self.map(function, Self.samples)) {
            let exact = reference(Double(x))
            if exact.isNaN {
                #expect(y.isNaN, "at \(x)")
            } else if Float(exact).isInfinite || exact == 0 {
                #expect(y == Float(exact) && y.sign == exact.sign, "at \(x)")
            } else {
                let unit = max(Double(Float(exact).ulp), Double(Float.leastNonzeroMagnitude))
                let error = abs(Double(y) - exact) / unit
                if error > worst.error { worst = (error, x) }
            }
        }
        #expect(worst.error <= bound, "at \(worst.at)")
    }

    @Test(arguments: functions.indices)
    func `every instruction set and every place in a vector gives the same bits`(index: Int) {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        let function = Self.functions[index].function
        let single = Array(Self.samples.prefix(40_001))
        let double = single.map { Double($0) * 1.000_000_123 }
        var expected: [UInt32] = []
        var expectedDouble: [UInt64] = []
        for isa in [CK_ISA_SCALAR, CK_ISA_AVX2, CK_ISA_AVX512] {
            ck_use_isa(isa)
            // From 1 on, the tails of each width lie elsewhere.
            for start in [0, 1] {
                var y = [Float](repeating: 0, count: single.count)
                var z = [Double](repeating: 0, count: single.count)
                single.withUnsafeBufferPointer { x in
                    y.withUnsafeMutableBufferPointer { y in
                        ck_map_f32(function, start, x.baseAddress, y.baseAddress)
                        ck_map_f32(function, x.count - start, x.baseAddress! + start, y.baseAddress! + start)
                    }
                }
                double.withUnsafeBufferPointer { x in
                    z.withUnsafeMutableBufferPointer { z in
                        ck_map_f64(function, start, x.baseAddress, z.baseAddress)
                        ck_map_f64(function, x.count - start, x.baseAddress! + start, z.baseAddress! + start)
                    }
                }
                let bits = y.map { $0.isNaN ? 0 : $0.bitPattern }
                let doubleBits = z.map { $0.isNaN ? 0 : $0.bitPattern }
                if expected.isEmpty { (expected, expectedDouble) = (bits, doubleBits) }
                #expect(bits == expected)
                #expect(doubleBits == expectedDouble)
            }
        }
    }

    @Test func `cosines and sines of turns keep their bounds, and whole turns are exact`() {
        let numbers = Self.samples.filter { abs($0) < 0x1p22 }
        let cosines = Self.map(CK_FUNCTION_COS_TURNS, numbers)
        let sines = Self.map(CK_FUNCTION_SIN_TURNS, numbers)
        for (x, (cosine, sine)) in zip(numbers, zip(cosines, sines)) {
            // Exact in Double: what is beyond whole turns, and its angle to 53 bits.
            let rest = Double(x).remainder(dividingBy: 1)
            #expect(abs(Double(cosine) - cos(2 * .pi * rest)) < 0x1p-23, "at \(x)")
            let exact = sin(2 * .pi * rest)
            // The reference's own sine of half a turn is 1.2·10⁻¹⁶.
            #expect(abs(Double(sine) - exact) <= 3 * Double(Float(exact).ulp) + 0x1p-52, "at \(x)")
        }
        let doubles = numbers.map { Double($0) * 1.000_000_123 }
        var (fine, steep) = (doubles, doubles)
        ck_map_f64(CK_FUNCTION_COS_TURNS, doubles.count, doubles, &fine)
        ck_map_f64(CK_FUNCTION_SIN_TURNS, doubles.count, doubles, &steep)
        for (x, (cosine, sine)) in zip(doubles, zip(fine, steep)) {
            let rest = x.remainder(dividingBy: 1)
            // The reference's own angle has an error of half a unit, which counts for little near 0 and most near ½.
            #expect(abs(cosine - cos(2 * .pi * rest)) < 1e-15 && abs(sine - sin(2 * .pi * rest)) < 1e-15, "at \(x)")
        }
        let edges: [Float] = [0, 0.5, 1, -3, 0x1p21, 0x1p30, .infinity, .nan]
        #expect(Self.map(CK_FUNCTION_COS_TURNS, edges).prefix(7) == [1, -1, 1, 1, 1, 1, 1])
        #expect(Self.map(CK_FUNCTION_SIN_TURNS, edges).prefix(7).allSatisfy { $0 == 0 })
        #expect(Self.map(CK_FUNCTION_COS_TURNS, edges)[7].isNaN)
    }
}
