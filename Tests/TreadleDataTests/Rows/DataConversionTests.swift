import CDecode
import CKernels
import HDF5
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleModel
import TestSupport

@Suite(.serialized) struct DataConversionTests {
    private static let isas = [CK_ISA_SCALAR, CK_ISA_AVX2, CK_ISA_AVX512]

    /// All stored numbers of a Swift type, converted on one instruction set.
    private func convert<Stored: BitwiseCopyable, S: Scalar>(
        _ stored: [Stored], _ number: StoredNumber, _ transform: ColumnTransform = .identity, to: S.Type, isa: ck_isa
    ) -> [S] {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        ck_use_isa(isa)
        var result = [S](repeating: 0, count: stored.count)
        stored.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            _ = transform.convert(start, number, width: stored.count, into: &result)
        }
        return result
    }

    private func number(_ type: ElementType) throws -> StoredNumber { try #require(StoredNumber(type)) }

    private func random(_ count: Int) -> [UInt64] {
        (0..<count).map { index in
            let words = Philox(seed: 1, purpose: .sampling).words(at: UInt64(index))
            return UInt64(words[1]) << 32 | UInt64(words[0])
        }
    }

    @Test(arguments: isas) func `integers of every width round once, to the nearest`(isa: ck_isa) throws {
        let bits = random(1_003) + [0, 1, .max, 1 << 63, (1 << 53) + 1, (1 << 24) + 1]
        func check<Stored: FixedWidthInteger & BitwiseCopyable>(_ type: ElementType, _: Stored.Type) throws {
            let stored = bits.map { Stored(truncatingIfNeeded: $0) }
            #expect(convert(stored, try number(type), to: Double.self, isa: isa) == stored.map { Double($0) })
            #expect(convert(stored, try number(type), to: Float.self, isa: isa) == stored.map { Float(Double($0)) })
        }
        try check(.int(8), Int8.self)
        try check(.uint(8), UInt8.self)
        try check(.int(16), Int16.self)
        try check(.uint(16), UInt16.self)
        try check(.int(32), Int32.self)
        try check(.uint(32), UInt32.self)
        try check(.int(64), Int64.self)
        try check(.uint(64), UInt64.self)
    }

    @Test(arguments: isas) func `all half-precision numbers widen exactly`(isa: ck_isa) throws {
        let stored = (0...UInt16.max).map { $0 }
        let expected = stored.map { Double(Float16(bitPattern: $0)) }
        let widened = convert(stored, try number(.float16), to: Double.self, isa: isa)
        #expect(zip(widened, expected).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) })
        let brain = convert(stored, try number(.bfloat16), to: Float.self, isa: isa)
        #expect(
            brain.map(\.bitPattern) == stored.map { UInt32($0) << 16 }
                || brain.indices.allSatisfy {
                    brain[$0].bitPattern == UInt32(stored[$0]) << 16 || brain[$0].isNaN
                })
    }

    @Test(arguments: isas) func `the other byte order gives the same numbers`(isa: ck_isa) throws {
        let bits = random(777)
        func check<Stored: FixedWidthInteger & BitwiseCopyable>(
            _ little: ElementType, _ big: ElementType, _: Stored.Type
        ) throws {
            let stored = bits.map { Stored(truncatingIfNeeded: $0) }
            let ordered = convert(stored, try number(little), to: Double.self, isa: isa)
            let swapped = convert(stored.map(\.byteSwapped), try number(big), to: Double.self, isa: isa)
            #expect(ordered.map(\.bitPattern) == swapped.map(\.bitPattern))
        }
        try check(.int(16), .int(16, .big), UInt16.self)
        try check(.float(.single()), .float(.single(.big)), UInt32.self)
        try check(.float(.double()), .float(.double(.big)), UInt64.self)
        try check(.float16, .float(.half(.big)), UInt16.self)
        try check(.uint(64), .uint(64, .big), UInt64.self)
    }

    @Test(arguments: isas) func `shift and factor are taken in double and rounded once`(isa: ck_isa) throws {
        let stored = random(601).map { Float($0 % 100_000) / 37 }
        let shift = stored.indices.map { Double($0) * 0.1 }
        let factor = stored.indices.map { 1 / (Double($0) + 0.7) }
        let transform = ColumnTransform(shift: shift, factor: factor)
        let expected = stored.indices.map { Float((Double(stored[$0]) - shift[$0]) * factor[$0]) }
        #expect(convert(stored, try number(.float32), transform, to: Float.self, isa: isa) == expected)
        let exact = stored.indices.map { (Double(stored[$0]) - shift[$0]) * factor[$0] }
        #expect(convert(stored, try number(.float32), transform, to: Double.self, isa: isa) == exact)
    }

    @Test(arguments: isas) func `values that are not finite are noticed, and imputed where that is asked for`(
        isa: ck_isa
    ) throws {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        ck_use_isa(isa)
        for place in [0, 1, 15, 16, 255, 256, 300] {
            for bad in [Double.nan, .infinity, -.infinity] {
                var row = (0..<301).map { Double($0) }
                row[place] = bad
                var result = [Float](repeating: 0, count: 301)
                let plain = ColumnTransform.identity
                #expect(plain.convert(&row, .double, width: 301, into: &result) == false)
                let scaled = ColumnTransform(shift: row.map { _ in 2 }, factor: row.map { _ in 0.5 })
                var floats = row.map { Float($0) }
                #expect(scaled.convert(&floats, .float, width: 301, into: &result) == false)
                #expect(place == 300 || result[300] == 149)
                let means = ColumnTransform(imputation: row.map { _ in 4.5 })
                #expect(means.convert(&row, .double, width: 301, into: &result))
                #expect(result[place] == 4.5)
            }
        }
        // Finite, but not in the precision that is asked for.
        var large = [1e300]
        var result: [Float] = [0]
        #expect(ColumnTransform.identity.convert(&large, .double, width: 1, into: &result) == false)
    }
}
