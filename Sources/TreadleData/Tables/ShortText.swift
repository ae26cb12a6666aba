/// Up to 64 bytes of a text in place: what dates and numbers are read from without asking for memory.
struct ShortText {
    private var bytes = InlineArray<64, UInt8>(repeating: 0)
    private(set) var count = 0

    /// Nil where the text is longer. Spaces that do not break are spaces, and curly apostrophes straight ones.
    init?(_ text: Span<UInt8>) {
        guard text.count <= 64 else { return nil }
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == 0xc2, index + 1 < text.count, text[index + 1] == 0xa0 {
                append(UInt8(ascii: " "))
                index += 2
            } else if byte == 0xe2, index + 2 < text.count, text[index + 1] == 0x80,
                text[index + 2] == 0xaf || text[index + 2] == 0x99
            {
                append(text[index + 2] == 0xaf ? UInt8(ascii: " ") : UInt8(ascii: "'"))
                index += 3
            } else {
                append(byte)
                index += 1
            }
        }
    }

    /// The byte at a place, 0 beyond the end.
    subscript(index: Int) -> UInt8 { index < count ? bytes[index] : 0 }

    mutating func append(_ byte: UInt8) {
        bytes[count] = byte
        count += 1
    }

    init() {}

    func withBytes<Result>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        let lent = bytes
        return try body(lent.span.extracting(0..<count))
    }
}
