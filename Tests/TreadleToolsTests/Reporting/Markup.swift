import Testing

/// What is wrong with a text as XML; nil where nothing is: one element around all others, every element closed, every
/// attribute in quotes, no loose brackets and ampersands, no characters that XML does not have.
///
/// A reader of its own, because Foundation's needs a library that not every machine has.
func problemOfXML(_ text: String) -> String? {
    var reader = MarkupReader(text: Array(text.unicodeScalars))
    return reader.problem()
}

private struct MarkupReader {
    let text: [Unicode.Scalar]
    var place = 0
    var open: [String] = []
    var roots = 0

    mutating func problem() -> String? {
        for scalar in text where scalar.value < 0x20 && !"\t\n\r".unicodeScalars.contains(scalar) {
            return "the character \(scalar.value)"
        }
        if text.contains(where: { $0.value == 0xFFFE || $0.value == 0xFFFF }) { return "a character of no text" }
        skip("<?xml", through: "?>")
        skip("<!DOCTYPE", through: ">")
        while place < text.count {
            let found: String?
            switch text[place] {
            case "<": found = tag()
            case "&": found = reference()
            case ">": found = "a loose >"
            default:
                let isBlank = text[place].properties.isWhitespace
                found = open.isEmpty && !isBlank ? "text outside of all elements" : nil
                place += 1
            }
            if let found { return "\(found) at \(place) of \(text.count), in \(open)" }
        }
        if !open.isEmpty { return "\(open) left open" }
        return roots == 1 ? nil : "\(roots) elements around all others"
    }

    private func starts(_ words: String) -> Bool { text[place...].starts(with: words.unicodeScalars) }

    private mutating func skip(_ start: String, through end: String) {
        while place < text.count, text[place].properties.isWhitespace { place += 1 }
        guard starts(start) else { return }
        while place < text.count, !starts(end) { place += 1 }
        place += end.unicodeScalars.count
    }

    private mutating func name() -> String {
        var name = ""
        while place < text.count,
            text[place].properties.isAlphabetic || "0123456789-_:".unicodeScalars.contains(text[place])
        {
            name.unicodeScalars.append(text[place])
            place += 1
        }
        return name
    }

    private mutating func reference() -> String? {
        place += 1
        if starts("#") { place += 1 }
        let name = name()
        guard starts(";"), ["amp", "lt", "gt", "quot", "39"].contains(name) else { return "the reference \(name)" }
        place += 1
        return nil
    }

    private mutating func tag() -> String? {
        place += 1
        if starts("/") {
            place += 1
            let name = name()
            guard starts(">"), open.popLast() == name else { return "the end of \(name)" }
            place += 1
            return nil
        }
        let name = name()
        guard !name.isEmpty else { return "a loose <" }
        if open.isEmpty { roots += 1 }
        var seen: Set<String> = []
        while place < text.count {
            let before = place
            while place < text.count, text[place].properties.isWhitespace { place += 1 }
            if starts(">") {
                place += 1
                open.append(name)
                return nil
            }
            if starts("/>") {
                place += 2
                return nil
            }
            guard place > before else { return "\(name) without a space" }
            let attribute = self.name()
            guard starts("=\""), seen.insert(attribute).inserted else { return "the attribute \(attribute) of \(name)" }
            place += 2
            while place < text.count, text[place] != "\"" {
                if text[place] == "<" { return "a loose < in \(attribute)" }
                if text[place] == "&" {
                    if let found = reference() { return found }
                } else {
                    place += 1
                }
            }
            place += 1
        }
        return "\(name) cut"
    }
}

@Suite struct MarkupTests {
    @Test(arguments: [
        "<a>", "<a></b>", "<a b=c></a>", "<a b=\"<\"/>", "<a>&nbsp;</a>", "<a>&</a>", "<a/><b/>", "text",
        "<a>\u{1b}</a>",
        "<a b=\"1\" b=\"2\"/>", "<a b=\"1\"c=\"2\"/>", "<a>></a>", "<a", "< a/>", "<a>\u{FFFE}</a>", "",
    ])
    func `what is not well-formed is found`(text: String) {
        #expect(problemOfXML(text) != nil)
    }

    @Test func `what is well-formed is not`() {
        let text = "<?xml version=\"1.0\"?>\n<!DOCTYPE html>\n<a b=\"&lt;\" c-d=\"x\">"
        #expect(problemOfXML(text + "é &amp; <br/>\n<g></g></a>\n") == nil)
    }
}
