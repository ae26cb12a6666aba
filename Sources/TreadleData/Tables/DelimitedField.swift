/// One field of a delimited text, by RFC 4180: where it lies, and what ends it.
struct DelimitedField {
    enum End { case delimiter, record, unclosedQuote, textAfterQuote }

    /// The field's bytes without its quotes; doubled quotes inside are still doubled.
    var range: Range<Int>
    var isQuoted: Bool
    var end: End

    /// The field that begins at `position`, which moves to the beginning of the next one.
    ///
    /// A quote opens a quoted field only as its first byte. The end of `bytes` ends a record.
    @inline(__always)
    init(_ bytes: Span<UInt8>, _ position: inout Int, delimiter: UInt8) {
        let quote = UInt8(ascii: "\"")
        var p = position
        if p < bytes.count, bytes[p] == quote {
            let start = p + 1
            p = start
            while true {
                while p < bytes.count, bytes[p] != quote { p += 1 }
                guard p < bytes.count else {
                    self.init(range: start..<p, isQuoted: true, end: .unclosedQuote)
                    position = p
                    return
                }
                guard p + 1 < bytes.count, bytes[p + 1] == quote else { break }
                p += 2
            }
            let range = start..<p
            p += 1
            let end = DelimitedField.end(bytes, &p, delimiter: delimiter)
            self.init(range: range, isQuoted: true, end: end ?? .textAfterQuote)
            position = p
            return
        }
        let start = p
        while p < bytes.count, bytes[p] != delimiter, bytes[p] != UInt8(ascii: "\n") { p += 1 }
        var stop = p
        let end = DelimitedField.end(bytes, &p, delimiter: delimiter) ?? .record
        if end == .record, stop > start, bytes[stop - 1] == UInt8(ascii: "\r") { stop -= 1 }
        self.init(range: start..<stop, isQuoted: false, end: end)
        position = p
    }

    private init(range: Range<Int>, isQuoted: Bool, end: End) {
        self.range = range
        self.isQuoted = isQuoted
        self.end = end
    }

    /// Steps over what ends a field at `position`; nil, unmoved, where something else stands there.
    @inline(__always)
    static func end(_ bytes: Span<UInt8>, _ position: inout Int, delimiter: UInt8) -> End? {
        guard position < bytes.count else { return .record }
        switch bytes[position] {
        case delimiter:
            position += 1
            return .delimiter
        case UInt8(ascii: "\n"):
            position += 1
            return .record
        case UInt8(ascii: "\r") where position + 1 == bytes.count || bytes[position + 1] == UInt8(ascii: "\n"):
            position = min(position + 2, bytes.count)
            return .record
        default:
            return nil
        }
    }

    /// Steps over empty lines; true while a record follows.
    @inline(__always)
    static func skipEmptyLines(_ bytes: Span<UInt8>, _ position: inout Int) -> Bool {
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "\n") {
                position += 1
            } else if bytes[position] == UInt8(ascii: "\r"),
                position + 1 == bytes.count || bytes[position + 1] == UInt8(ascii: "\n")
            {
                position += 1
            } else {
                return true
            }
        }
        return false
    }

    /// The field's text: doubled quotes single, and spaces around it gone unless it was quoted.
    func text(_ bytes: Span<UInt8>) -> String {
        if isQuoted { return bytes.text(range).replacing("\"\"", with: "\"") }
        return bytes.text(trimmed(bytes))
    }

    /// The range without spaces and tabs at either end.
    func trimmed(_ bytes: Span<UInt8>) -> Range<Int> {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high, DelimitedField.isBlank(bytes[low]) { low += 1 }
        while low < high, DelimitedField.isBlank(bytes[high - 1]) { high -= 1 }
        return low..<high
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// Lends the field as a word: without quotes, and without the `.0` of whole numbers that another program wrote as
    /// fractions, so that `3` and `3.0` are the same category.
    @inline(__always)
    func withWord<Result>(_ bytes: Span<UInt8>, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        if isQuoted {
            for index in range where bytes[index] == UInt8(ascii: "\"") {
                return try body(Array(text(bytes).utf8).span)
            }
        }
        var word = isQuoted ? range : trimmed(bytes)
        var end = word.upperBound
        while end > word.lowerBound, bytes[end - 1] == UInt8(ascii: "0") { end -= 1 }
        if end < word.upperBound, end > word.lowerBound + 1, bytes[end - 1] == UInt8(ascii: ".") {
            let whole = word.lowerBound + (bytes[word.lowerBound] == UInt8(ascii: "-") ? 1 : 0)..<end - 1
            if !whole.isEmpty, whole.allSatisfy({ bytes[$0] &- 48 <= 9 }) {
                word = word.lowerBound..<end - 1
            }
        }
        return try body(bytes.extracting(word))
    }

    /// Whether the field says that there is no value: it is empty, or NA, null and the like.
    @inline(__always)
    func isMissing(_ bytes: Span<UInt8>) -> Bool {
        let trimmed = trimmed(bytes)
        guard !trimmed.isEmpty else { return true }
        guard trimmed.count <= 9 else { return false }
        switch bytes[trimmed.lowerBound] {
        case UInt8(ascii: "n"), UInt8(ascii: "N"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "<"),
            UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            return DelimitedField.isMissing(bytes.text(trimmed))
        default:
            return false
        }
    }

    /// Whether this text, without blanks around it, says that there is no value.
    static func isMissing(_ text: String) -> Bool { text.isEmpty || missing.contains(text.lowercased()) }

    /// What programs write where there is no value, in small letters.
    private static let missing: Set<String> = [
        "na", "n/a", "nan", "+nan", "-nan", "nil", "null", "none", "<na>", "<null>", "nat", "?", "-", "--", ".", "#n/a",
        "#na", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "n.a.",
    ]

    /// Whether the field is a word for an infinite number.
    func isInfinite(_ bytes: Span<UInt8>) -> Bool {
        let trimmed = trimmed(bytes)
        guard (3...9).contains(trimmed.count) else { return false }
        switch bytes[trimmed.lowerBound] {
        case UInt8(ascii: "i"), UInt8(ascii: "I"), UInt8(ascii: "-"), UInt8(ascii: "+"):
            let words = ["inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"]
            return words.contains(bytes.text(trimmed).lowercased())
        default: return false
        }
    }

    /// The number in the field: NaN where it is missing; nil where it is text. Truth is 1 where it may be a number.
    func number<Value: ParsedNumber>(_ bytes: Span<UInt8>, as: Value.Type, takesTruth: Bool = false) -> Value? {
        let trimmed = trimmed(bytes)
        var position = trimmed.lowerBound
        if let value = Value.scan(bytes, &position), position == trimmed.upperBound { return value }
        if isMissing(bytes) { return .nan }
        if isInfinite(bytes) { return bytes[trimmed.lowerBound] == UInt8(ascii: "-") ? -.infinity : .infinity }
        guard takesTruth, (4...5).contains(trimmed.count) else { return nil }
        switch bytes.text(trimmed).lowercased() {
        case "true": return 1
        case "false": return 0
        default: return nil
        }
    }
}
