internal import TreadleModel

/// Numbers as people write them: with a currency's sign, a per cent sign, marks between thousands, a decimal comma.
struct NumberText {
    /// The forms that texts fit, a bit each: bit 0 is a plain number, and what stands between thousands is a comma in
    /// bit 1, an apostrophe in bit 2, a space in bit 3. Bits 4 to 7 are the same with a decimal comma, and a point for the
    /// comma in bit 5.
    struct Forms: OptionSet, Sendable {
        let rawValue: UInt8

        static let all = Forms(rawValue: 0xff)
        static let plain = Forms(rawValue: 1)
        static let commaThousands = Forms(rawValue: 1 << 1)
        /// A decimal comma, and nothing between thousands.
        static let comma = Forms(rawValue: 1 << 4)
        /// A decimal comma, and points between thousands.
        static let pointThousands = Forms(rawValue: 1 << 5)
        /// Those whose decimal mark is the point.
        static let points = Forms(rawValue: 0x0f)
    }

    /// What is no part of the number: `$`, `€`, `%`; nil where nothing is.
    private(set) var sign: String?
    private let text: ShortText
    private var digits: Range<Int>
    private var isNegative = false

    private static let signs = [
        "$", "€", "£", "¥", "₹", "₽", "₩", "%", "‰", "USD", "EUR", "GBP", "CHF", "JPY",
    ].map { (text: $0, bytes: Array($0.utf8)) }

    /// Finds a text's sign, and where its digits lie; nil where it can be no number.
    init?(_ text: ShortText) {
        self.text = text
        digits = 0..<text.count
        isNegative = skipMinus()
        for (sign, bytes) in NumberText.signs {
            if digits.count > bytes.count, bytes.indices.allSatisfy({ text[digits.lowerBound + $0] == bytes[$0] }) {
                digits = digits.lowerBound + bytes.count..<digits.upperBound
            } else if digits.count > bytes.count,
                bytes.indices.allSatisfy({ text[digits.upperBound - bytes.count + $0] == bytes[$0] })
            {
                digits = digits.lowerBound..<digits.upperBound - bytes.count
            } else {
                continue
            }
            self.sign = sign
            break
        }
        while !digits.isEmpty, text[digits.lowerBound] == UInt8(ascii: " ") { digits.removeFirst() }
        while !digits.isEmpty, text[digits.upperBound - 1] == UInt8(ascii: " ") { digits.removeLast() }
        if sign != nil, !isNegative { isNegative = skipMinus() }
        guard !digits.isEmpty else { return nil }
    }

    private mutating func skipMinus() -> Bool {
        guard let first = digits.first, text[first] == UInt8(ascii: "-") || text[first] == UInt8(ascii: "+") else {
            return false
        }
        digits.removeFirst()
        return text[first] == UInt8(ascii: "-")
    }

    /// Which of `candidates` the number fits.
    func forms(among candidates: Forms) -> Forms {
        var found: UInt8 = 0
        for index in 0..<8 where candidates.rawValue >> index & 1 == 1 && plain(index) != nil { found |= 1 << index }
        return Forms(rawValue: found)
    }

    /// The number in a form; nil where it does not fit.
    func value<S: ParsedNumber>(_ form: TableSchema.NumberForm, as: S.Type) -> S? {
        guard sign == nil || sign == form.sign else { return nil }
        return plain(form.index)?.withBytes { bytes in
            var position = 0
            let value = S.scan(bytes, &position)
            return position == bytes.count ? value : nil
        }
    }

    /// The text as a plain number, where it is one in the form of this bit.
    private func plain(_ form: Int) -> ShortText? {
        let decimal = form < 4 ? UInt8(ascii: ".") : UInt8(ascii: ",")
        let marks: [4 of UInt8] = [
            0, form < 4 ? UInt8(ascii: ",") : UInt8(ascii: "."), UInt8(ascii: "'"), UInt8(ascii: " "),
        ]
        let mark = marks[form % 4]
        var result = ShortText()
        if isNegative { result.append(UInt8(ascii: "-")) }
        // Digits since the last mark, and whether there was one.
        var group = 0
        var isGrouped = false
        var index = digits.lowerBound
        while index < digits.upperBound, text[index] != decimal, text[index] | 0x20 != UInt8(ascii: "e") {
            let byte = text[index]
            if byte &- 48 <= 9 {
                group += 1
                result.append(byte)
            } else {
                guard byte == mark, mark != 0, isGrouped ? group == 3 : (1...3).contains(group) else { return nil }
                isGrouped = true
                group = 0
            }
            index += 1
        }
        guard !isGrouped || group == 3 else { return nil }
        // What is left has neither marks nor groups: decimals, and a power of ten.
        while index < digits.upperBound {
            let byte = text[index]
            let isPower = byte | 0x20 == UInt8(ascii: "e") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
            guard byte &- 48 <= 9 || byte == decimal || isPower else { return nil }
            result.append(byte == decimal ? UInt8(ascii: ".") : byte)
            index += 1
        }
        let isWhole = result.withBytes { bytes in
            var position = 0
            return Double.scan(bytes, &position) != nil && position == bytes.count
        }
        return isWhole ? result : nil
    }
}

extension TableSchema.NumberForm {
    /// Nothing that a plain number does not have.
    var isPlain: Bool { self == TableSchema.NumberForm() }

    /// The form's bit among `NumberText.Forms`.
    fileprivate var index: Int {
        let thousands: Int =
            switch thousands {
            case nil: 0
            case "'": 2
            case " ": 3
            default: 1
            }
        return (decimalComma ? 4 : 0) + thousands
    }

    /// The simplest of some forms.
    init?(_ forms: NumberText.Forms, sign: String?) {
        guard !forms.isEmpty else { return nil }
        let index = forms.rawValue.trailingZeroBitCount
        let marks = [nil, index < 4 ? "," : ".", "'", " "]
        self.init(decimalComma: index >= 4, thousands: marks[index % 4], sign: sign)
    }

    /// As a person calls it: `$1,234.5`.
    var example: String {
        let number = "1\(thousands ?? "")234" + (decimalComma ? ",5" : ".5")
        guard let sign else { return number }
        return sign == "%" || sign == "‰" ? number + sign : sign + number
    }
}
