import CKernels
import Foundation
import Testing
import TreadleBase
import TestSupport

/// The elementary functions in Float64 against 50 digits of mpmath, from Scripts/fixtures/elementary.py.
@Suite struct ElementaryFunctionTests {
    static let bounds: [(name: String, function: ElementaryFunction, ulps: Double)] = [
        ("exp", .exp, 1), ("expm1", .expm1, 2), ("log", .log, 1), ("log1p", .log1p, 1.5), ("tanh", .tanh, 2),
        ("sigmoid", .sigmoid, 2.5), ("erf", .erf, 1.5), ("softplus", .softplus, 2),
    ]

    static let fixture: [String: [Entry]] = Fixture.decoded("elementary.json")

    /// Three numbers a point: x, the nearest Float64 to f(x), and the rest in ulp.
    struct Point {
        var x: Double
        var nearest: Double
        var rest: Double
    }

    static func points(_ name: String) throws -> [Point] {
        let flat = try #require(fixture[name])
        return stride(from: 0, to: flat.count, by: 3).map { i in
            Point(
                x: Double(bitPattern: flat[i].bits), nearest: Double(bitPattern: flat[i + 1].bits),
                rest: flat[i + 2].number)
        }
    }

    /// Bits where the number is whole, a fraction elsewhere.
    struct Entry: Decodable {
        var bits: UInt64 = 0
        var number = 0.0

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let whole = try? container.decode(UInt64.self) {
                (bits, number) = (whole, Double(whole))
            } else {
                number = try container.decode(Double.self)
            }
        }
    }

    @Test(arguments: bounds.indices)
    func `a Float64 function keeps its bound in ulp`(index: Int) throws {
        let (name, function, bound) = Self.bounds[index]
        for point in try Self.points(name) {
            let error = (function(point.x) - point.nearest) / point.nearest.ulp - point.rest
            #expect(abs(error) <= bound, "\(name)(\(point.x))")
        }
    }

    @Test func `limits and signed zeros are IEEE's`() {
        let (infinity, nan) = (Double.infinity, Double.nan)
        #expect(ElementaryFunction.exp(infinity) == infinity && ElementaryFunction.exp(-infinity) == 0)
        #expect(ElementaryFunction.exp(709.79) == infinity && ElementaryFunction.exp(-746) == 0)
        #expect(ElementaryFunction.log(0) == -infinity && ElementaryFunction.log(-1).isNaN)
        #expect(ElementaryFunction.log(infinity) == infinity && ElementaryFunction.log(1).sign == .plus)
        #expect(ElementaryFunction.log1p(-1) == -infinity && ElementaryFunction.log1p(-1.5).isNaN)
        #expect(ElementaryFunction.expm1(-infinity) == -1 && ElementaryFunction.expm1(infinity) == infinity)
        #expect(ElementaryFunction.tanh(infinity) == 1 && ElementaryFunction.tanh(-infinity) == -1)
        #expect(ElementaryFunction.erf(infinity) == 1 && ElementaryFunction.erf(-infinity) == -1)
        #expect(ElementaryFunction.sigmoid(-infinity) == 0 && ElementaryFunction.sigmoid(infinity) == 1)
        for function in [ElementaryFunction.expm1, .log1p, .tanh, .erf] {
            #expect(function(-0.0).sign == .minus && function(-0.0) == 0)
            let least = Double.leastNonzeroMagnitude
            if function != .erf { #expect(function(least) == least) }
        }
        for (_, function, _) in Self.bounds { #expect(function(nan).isNaN) }
    }

    @Test func `the cosine of multiples of π is libm's to a few units`() {
        for i in -200...200 {
            let u = Double(i) / 200
            #expect(abs(ck_cospi(u) - cos(.pi * u)) <= 5e-16)
        }
        #expect(ck_cospi(0) == 1 && ck_cospi(1) == -1 && ck_cospi(-1) == -1)
    }
}
