internal import Foundation

/// Numbers as reports for people show them; the same in every locale.
package enum Figure {
    /// Four significant digits; very large and very small numbers with an exponent.
    package static func short(_ number: Double) -> String { digits(4, number) }

    /// Four significant digits, zeros at the end included: figures in a column, or in place, that do not jump.
    package static func steady(_ number: Double) -> String {
        // C gives a NaN the sign of its bits, which means nothing.
        guard !number.isNaN else { return "nan" }
        let text = String(format: "%#.4g", number)
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }

    /// Six significant digits, for programs that read along.
    package static func compact(_ number: Double) -> String { digits(6, number) }

    /// So many significant digits.
    package static func digits(_ digits: Int, _ number: Double) -> String {
        guard !number.isNaN else { return "nan" }
        let text = String(format: "%.\(digits)g", number)
        return text == "-0" ? "0" : text
    }

    /// 1234567 → "1,234,567"
    package static func grouped(_ number: Int) -> String {
        var text = ""
        let digits = String(number.magnitude)
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

    /// "2,000 rows", or where these are not all, "500 of 2,000 rows".
    package static func part(_ part: Int, of all: Int, _ noun: String) -> String {
        part < all ? "\(grouped(part)) of \(count(all, noun))" : count(all, noun)
    }

    /// 0.0234 → "2%"
    package static func percent(_ share: Double) -> String { String(format: "%.0f%%", share * 100) }

    /// Seconds since 1970 as "2026-11-20 05:10 UTC".
    package static func date(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e11 else { return "at an impossible time" }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "UTC")
        formatter.dateFormat = "yyyy-MM-dd HH:mm"
        return formatter.string(from: Date(timeIntervalSince1970: seconds)) + " UTC"
    }

    /// "0.4s", "12s", "1m 32s", "2h 05m", "3d 04h"
    package static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e12 else { return "?" }
        if seconds < 9.95 { return String(format: "%.1fs", max(0, seconds)) }
        let whole = Int(seconds.rounded())
        switch whole {
        case ..<60: return "\(whole)s"
        case ..<3600: return String(format: "%dm %02ds", whole / 60, whole % 60)
        case ..<86_400: return String(format: "%dh %02dm", whole / 3600, whole / 60 % 60)
        default: return String(format: "%dd %02dh", whole / 86_400, whole / 3600 % 24)
        }
    }
}
