internal import Foundation
internal import HDF5

extension String {
    /// This text as XML and HTML carry it, between tags and in quotes; control characters are spelled out.
    var markup: String {
        var safe = ""
        for scalar in printable.unicodeScalars {
            switch scalar {
            case "&": safe += "&amp;"
            case "<": safe += "&lt;"
            case ">": safe += "&gt;"
            case "\"": safe += "&quot;"
            case "'": safe += "&#39;"
            // No characters of XML.
            case "\u{FFFE}", "\u{FFFF}": safe += "\u{FFFD}"
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }
}

extension Double {
    /// A coordinate, to a hundredth of a pixel.
    var mark: String {
        let text = String(format: "%.2f", self)
        guard text.contains(".") else { return text }
        let trimmed = text.reversed().drop { $0 == "0" }.drop { $0 == "." }
        return String(String(trimmed.reversed()))
    }
}
