package import TreadleModel

/// A number type that decimal text is read as, correctly rounded.
package protocol ParsedNumber: Scalar, LosslessStringConvertible {
    /// `mantissa · 10^exponent` rounded once to the nearest value, or nil where that takes more than a few operations.
    static func nearest(_ mantissa: UInt64, exponent: Int) -> Self?
}

extension Double: ParsedNumber {
    @inline(__always)
    package static func nearest(_ mantissa: UInt64, exponent: Int) -> Double? {
        // Both factors are exact, so that one operation rounds once (Clinger 1990).
        guard mantissa <= 1 << 53, exponent >= -22, exponent <= 22 else { return mantissa == 0 ? 0 : nil }
        return exponent < 0 ? Double(mantissa) / powerOfTen(-exponent) : Double(mantissa) * powerOfTen(exponent)
    }
}

extension Float: ParsedNumber {
    @inline(__always)
    package static func nearest(_ mantissa: UInt64, exponent: Int) -> Float? {
        guard exponent >= -22, exponent <= 22 else { return mantissa == 0 ? 0 : nil }
        // Two roundings at most, each within 2^-53: where both ends of that interval round to one Float, it is the one.
        let near = exponent < 0 ? Double(mantissa) / powerOfTen(-exponent) : Double(mantissa) * powerOfTen(exponent)
        let low = Float(near * (1 - 0x1p-51))
        return low == Float(near * (1 + 0x1p-51)) ? low : nil
    }
}

@inline(__always)
private func powerOfTen(_ exponent: Int) -> Double { powersOfTen[exponent] }

private let powersOfTen: InlineArray<23, Double> = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
    1e20, 1e21, 1e22,
]

extension ParsedNumber {
    /// The number whose text begins at `position`, which moves past it; nil, unmoved, where no plain one begins there.
    ///
    /// What follows is the caller's to judge: `12abc` is 12 here, and ends before `a`.
    @inline(__always)
    static func scan(_ bytes: Span<UInt8>, _ position: inout Int) -> Self? {
        let end = bytes.count
        var p = position
        guard p < end else { return nil }
        let negative = bytes[p] == UInt8(ascii: "-")
        if negative || bytes[p] == UInt8(ascii: "+") { p += 1 }
        var mantissa: UInt64 = 0
        let firstDigit = p
        while p < end, case let digit = bytes[p] &- 48, digit <= 9 {
            mantissa = mantissa &* 10 &+ UInt64(digit)
            p += 1
        }
        var digits = p - firstDigit
        var exponent = 0
        if p < end, bytes[p] == UInt8(ascii: ".") {
            p += 1
            let firstDecimal = p
            while p < end, case let digit = bytes[p] &- 48, digit <= 9 {
                mantissa = mantissa &* 10 &+ UInt64(digit)
                p += 1
            }
            exponent = firstDecimal - p
            digits -= exponent
        }
        guard digits > 0 else { return nil }
        if p + 1 < end, bytes[p] | 0x20 == UInt8(ascii: "e") {
            var q = p + 1
            let below = bytes[q] == UInt8(ascii: "-")
            if below || bytes[q] == UInt8(ascii: "+") { q += 1 }
            let firstPower = q
            var power = 0
            while q < end, case let digit = bytes[q] &- 48, digit <= 9 {
                power = min(power * 10 + Int(digit), 100_000)
                q += 1
            }
            if q > firstPower {
                exponent += below ? -power : power
                p = q
            }
        }
        // Nineteen digits always fit the mantissa; more go the long way.
        if digits <= 19, let value = nearest(mantissa, exponent: exponent) {
            position = p
            return negative ? -value : value
        }
        guard let value = Self(bytes.text(position..<p)) else { return nil }
        position = p
        return value
    }
}

extension Span<UInt8> {
    /// The text of a range of UTF-8; what is not valid becomes U+FFFD.
    func text(_ range: Range<Int>) -> String {
        var copy: [UInt8] = []
        copy.reserveCapacity(range.count)
        for index in range { copy.append(self[index]) }
        return String(decoding: copy, as: UTF8.self)
    }
}
