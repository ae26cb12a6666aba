internal import Foundation

/// Numbers as people read them; the same in every locale.
package enum Wording {
    /// 1234567 → "1,234,567"
    package static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + text
    }

    /// `count` with the noun in the number it asks for: "1 row", "2,000 rows".
    package static func count(_ count: Int, _ noun: String, plural: String? = nil) -> String {
        "\(grouped(count)) \(count == 1 ? noun : plural ?? noun + "s")"
    }

    /// Four significant digits; very large and very small numbers with an exponent.
    package static func short(_ number: Double) -> String {
        String(format: "%#.4g", number).trimmedPoint
    }

    /// Six significant digits without trailing zeros, for programs that read along.
    package static func compact(_ number: Double) -> String { String(format: "%.6g", number) }

    /// 0.0234 → "2%"
    package static func percent(_ share: Double) -> String { String(format: "%.0f%%", share * 100) }

    /// "0.4s", "12s", "1m 32s", "2h 05m", "3d 04h"
    package static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e12 else { return "?" }
        if seconds < 10 { return String(format: "%.1fs", max(0, seconds)) }
        let whole = Int(seconds.rounded())
        switch whole {
        case ..<60: return "\(whole)s"
        case ..<3600: return String(format: "%dm %02ds", whole / 60, whole % 60)
        case ..<86_400: return String(format: "%dh %02dm", whole / 3600, whole / 60 % 60)
        default: return String(format: "%dd %02dh", whole / 86_400, whole / 3600 % 24)
        }
    }
}

extension String {
    /// "123." → "123"
    fileprivate var trimmedPoint: String { hasSuffix(".") ? String(dropLast()) : self }
}
