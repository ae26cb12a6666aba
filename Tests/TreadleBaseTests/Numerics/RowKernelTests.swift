import CKernels
import Foundation
import Testing
import TreadleBase
import TestSupport

/// Activations and dropout, row functions of the step.
@Suite(.serialized) struct RowKernelTests {
    static let activations: [ck_activation] = [
        CK_IDENTITY, CK_RELU, CK_LEAKY_RELU, CK_ELU, CK_GELU, CK_SILU, CK_SIGMOID, CK_TANH, CK_SOFTPLUS, CK_SELU,
        CK_MISH,
    ]

    static func activate(_ f: ck_activation, _ y: [Double]) -> (a: [Double], kept: [Double]) {
        var a = y
        var kept = y.map { _ in Double.nan }
        ck_activate_f64(f, y.count, &a, &kept)
        return (a, kept)
    }

    @Test(arguments: activations.indices)
    func `a derivative agrees with central differences`(index: Int) {
        let f = Self.activations[index]
        // Off the kinks at 0.
        let y = (0..<101).map { Double($0 - 50) * 0.13 + 0.01 }
        let step = 1e-6
        let above = Self.activate(f, y.map { $0 + step }).a
        let below = Self.activate(f, y.map { $0 - step }).a
        let (a, kept) = Self.activate(f, y)
        var d = y.map { _ in 2.0 }
        ck_derive_f64(f, y.count, a, kept, &d)
        for i in y.indices {
            let expected = 2 * (above[i] - below[i]) / (2 * step)
            #expect(abs(d[i] - expected) <= 2e-9 * max(1, abs(expected)), "at \(y[i])")
        }
    }

    @Test func `activations are what their names say`() {
        let y = [-2.0, -0.5, 0, 0.5, 2]
        #expect(Self.activate(CK_RELU, y).a == [0, 0, 0, 0.5, 2])
        #expect(Self.activate(CK_LEAKY_RELU, y).a == [-0.02, -0.005, 0, 0.5, 2])
        // x·Φ(x) and log(1 + eˣ), to 17 digits from mpmath.
        let gelu = [-0.045500263896358414, -0.15426876936299345, 0, 0.34573123063700655, 1.9544997361036416]
        let softplus = [
            0.12692801104297252, 0.47407698418010669, 0.69314718055994529, 0.97407698418010669, 2.1269280110429727,
        ]
        for (x, exact) in zip(Self.activate(CK_GELU, y).a, gelu) { #expect(abs(x - exact) <= 1e-15) }
        for (x, exact) in zip(Self.activate(CK_SOFTPLUS, y).a, softplus) { #expect(abs(x - exact) <= 1e-15) }
        for (x, got) in zip(y, Self.activate(CK_MISH, y).a) {
            let exact = x * tanh(max(x, 0) + log1p(exp(-abs(x))))
            #expect(abs(got - exact) <= 1e-15 * max(1, abs(exact)))
        }
        for (x, got) in zip(y, Self.activate(CK_SELU, y).a) {
            let exact = x > 0 ? 1.0507009873554805 * x : 1.7580993408473768 * expm1(x)
            #expect(abs(got - exact) <= 4e-16 * max(1, abs(exact)))
        }
    }

    @Test(arguments: activations.indices)
    func `activations have the same bits on every instruction set`(index: Int) {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        let f = Self.activations[index]
        let y = (0..<257).map { Float($0 - 128) * 0.07 }
        var expected: [[UInt32]] = []
        for isa in [CK_ISA_SCALAR, CK_ISA_AVX2, CK_ISA_AVX512] {
            ck_use_isa(isa)
            var (a, kept, d) = (y, y, y.map { $0 * 0.3 })
            ck_activate_f32(f, y.count, &a, &kept)
            ck_derive_f32(f, y.count, a, kept, &d)
            let bits = [a.map(\.bitPattern), d.map(\.bitPattern)]
            if expected.isEmpty { expected = bits }
            #expect(bits == expected)
        }
    }

    @Test(arguments: [CK_ISA_SCALAR, CK_ISA_AVX2, CK_ISA_AVX512])
    func `a dropout mask is Philox's, unit by unit`(isa: ck_isa) {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        ck_use_isa(isa)
        let (seed, step, layer, row, rate) = (UInt64(0x1234_5678_9abc_def0), UInt64(7) << 33 | 5, UInt32(3), 41, 0.3)
        let units = 150
        var dropout = ck_dropout(seed: seed, step: step, layer: layer, rate: rate)
        var single = [Float](repeating: 9, count: units)
        var double = [Double](repeating: 9, count: units)
        ck_dropout_mask_f32(&dropout, row, units, &single)
        ck_dropout_mask_f64(&dropout, row, units, &double)

        let words = Philox(seed: seed, purpose: .dropout, stream: layer).words(at: step)
        let random = Philox(seed: UInt64(words.y) << 32 | UInt64(words.x), purpose: .dropout, stream: layer)
        let expected = (0..<units).map { unit in
            let block = UInt64(16 * (unit / 64) + unit % 16)
            let word = random.words(at: UInt64(row) << 32 | block)[unit / 16 % 4]
            return Double(word) < rate * 0x1p32 ? 0 : 1 / (1 - rate)
        }
        #expect(double == expected)
        #expect(single == expected.map { Float($0) })
    }

    @Test func `dropout keeps its share of units and the mean`() {
        var dropout = ck_dropout(seed: 1, step: 2, layer: 0, rate: 0.25)
        var mask = [Double](repeating: 0, count: 100_000)
        ck_dropout_mask_f64(&dropout, 0, mask.count, &mask)
        let dropped = Double(mask.count { $0 == 0 }) / Double(mask.count)
        let deviation = Double(0.25 * 0.75 / 100_000).squareRoot()
        #expect(abs(dropped - 0.25) < 5 * deviation)
        let mean = mask.reduce(0, +) / Double(mask.count)
        #expect(abs(mean - 1) < 0.01)
    }
}
