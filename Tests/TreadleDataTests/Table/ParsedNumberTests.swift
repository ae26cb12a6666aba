import Testing
@testable import TreadleBase
@testable import TreadleData

/// Decimal text is rounded once, to the nearest number: as the standard library's own conversion does it.
@Suite struct ParsedNumberTests {
    private func parsed<Value: ParsedNumber>(_ text: String, as: Value.Type) -> Value? {
        let bytes = Array(text.utf8)
        var position = 0
        let value = Value.scan(bytes.span, &position)
        return position == bytes.count ? value : nil
    }

    private func agrees(_ text: String) -> Bool {
        parsed(text, as: Double.self)?.bitPattern == Double(text)?.bitPattern
            && parsed(text, as: Float.self)?.bitPattern == Float(text)?.bitPattern
    }

    @Test func `edges agree with the standard library`() {
        let texts = [
            "0", "-0", "+1", "1.", ".5", "-.5e1", "1e0", "1E+5", "1e-5", "123456789012345678901234567890", "1e22",
            "1e23",
            "9007199254740993", "9007199254740992", "16777217", "16777219", "0.1", "0.30000000000000004", "5e-324",
            "2.2250738585072011e-308", "1.7976931348623157e308", "1e309", "-1e309", "1e-400", "3.4028235e38",
            "3.4028236e38",
            "1.40129846e-45", "7.0064923216240853e-46", "7.006492321624086e-46", "1.17549435e-38", "0e99999",
            "1e-99999",
            "8.5899345920000005e9", "0.000000000000000000000000000001", "33554434.999999999999999999",
        ]
        #expect(texts.filter { !agrees($0) } == [])
    }

    @Test func `random numbers agree, written short, long and with exponents`() {
        let stream = Philox(seed: 5, purpose: .generation)
        var texts: [String] = []
        for index in 0..<10_000 {
            let words = stream.words(at: UInt64(index))
            let bits = UInt64(words[0]) << 32 | UInt64(words[1])
            let wide = Double(bitPattern: bits)
            let narrow = Float(bitPattern: words[2])
            if wide.isFinite { texts.append("\(wide)") }
            if narrow.isFinite { texts.append("\(narrow)") }
            texts.append("\(bits % 1_000_000_000).\(words[3])")
            texts.append("\(bits)e\(Int(words[3] % 80) - 40)")
        }
        #expect(texts.filter { !agrees($0) } == [])
    }

    /// Halfway between two floats, and the least above and below it.
    @Test func `ties go to even, and the least beyond a tie goes its own way`() {
        var texts: [String] = []
        for bits in stride(from: UInt32(0x3f80_0000), to: 0x3f80_0100, by: 1) {
            let middle = (Double(Float(bitPattern: bits)) + Double(Float(bitPattern: bits + 1))) / 2
            texts.append("\(middle)")
            texts.append("\(middle.nextUp)")
            texts.append("\(middle.nextDown)")
        }
        #expect(texts.filter { !agrees($0) } == [])
    }

    @Test(arguments: ["", "-", "+", ".", "e5", "-e", "abc", "- 1"])
    func `what is no number is none`(text: String) {
        #expect(parsed(text, as: Double.self) == nil)
    }

    @Test func `an exponent without digits belongs to what follows`() {
        let bytes = Array("12e,".utf8)
        var position = 0
        #expect(Double.scan(bytes.span, &position) == 12)
        #expect(position == 2)
    }
}
