extension String {
    /// This text with everything escaped that could act on a terminal or mislead a reader: control characters,
    /// line and paragraph separators, and marks that reverse the direction of text.
    ///
    /// Every name and string out of a file goes through here before it is printed.
    package var printable: String {
        guard unicodeScalars.contains(where: \.isTreacherous) else { return self }
        var safe = ""
        for scalar in unicodeScalars {
            switch scalar {
            case "\n": safe += "\\n"
            case "\t": safe += "\\t"
            case "\r": safe += "\\r"
            case _ where scalar.isTreacherous: safe += "\\u{\(String(scalar.value, radix: 16))}"
            default: safe.unicodeScalars.append(scalar)
            }
        }
        return safe
    }
}

extension Unicode.Scalar {
    fileprivate var isTreacherous: Bool {
        switch value {
        case 0..<0x20, 0x7f..<0xa0: true
        // Zero-width characters, direction marks, separators, byte-order mark, replacement anchors, tags.
        case 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff, 0xfff9...0xfffb, 0xe0000...0xe007f: true
        default: false
        }
    }
}
