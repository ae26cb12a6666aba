/// Texts, keys without quotes, and numbers.
extension JSON5Reader {
    /// A text in single or double quotes.
    mutating func text() throws(Failure) -> String {
        let start = origin
        guard let quote = peek else { preconditionFailure("a text starts with a quote") }
        advance()
        var text = String.UnicodeScalarView()
        while true {
            guard let scalar = peek, scalar != "\n", scalar != "\r" else {
                throw failure("this text is never closed; add \(quote) at its end", at: start)
            }
            if scalar == "\\" {
                if let escaped = try escape() { text.append(escaped) }
            } else {
                advance()
                if scalar == quote { return String(text) }
                text.append(scalar)
            }
        }
    }

    /// The scalar that a backslash and what follows it stand for; nil for a continued line.
    private mutating func escape() throws(Failure) -> Unicode.Scalar? {
        let start = origin
        advance()
        guard let scalar = peek else { throw failure("the file ends within an escape", at: start) }
        switch scalar {
        case "u":
            advance()
            return try unicodeEscape(from: start)
        case "x":
            advance()
            return Unicode.Scalar(UInt8(try hexadecimal(digits: 2, from: start)))
        case "\r":
            advance()
            if peek == "\n" { advance() }
            return nil
        case "0":
            advance()
            if let next = peek, ("0"..."9").contains(next) {
                throw failure("unknown escape \"\\0\(next)\"; write \"\\u0000\"", at: start)
            }
            return "\0"
        case "1"..."9":
            throw failure("unknown escape \"\\\(scalar)\"; a backslash itself is written \"\\\\\"", at: start)
        default: break
        }
        advance()
        if scalar.endsLine { return nil }
        return switch scalar {
        case "b": "\u{08}"
        case "f": "\u{0C}"
        case "n": "\n"
        case "r": "\r"
        case "t": "\t"
        case "v": "\u{0B}"
        default: scalar
        }
    }

    /// What follows `\u`: one scalar, or the two halves of one.
    private mutating func unicodeEscape(from start: Origin) throws(Failure) -> Unicode.Scalar {
        let first = try hexadecimal(digits: 4, from: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        if (0xD800..<0xDC00).contains(first), take("\\"), take("u") {
            let second = try hexadecimal(digits: 4, from: start)
            let joined = 0x10000 + ((first - 0xD800) << 10) + (second &- 0xDC00)
            if (0xDC00..<0xE000).contains(second), let scalar = Unicode.Scalar(joined) { return scalar }
        }
        throw failure("this escape is half of a surrogate pair; give both halves or the character itself", at: start)
    }

    private mutating func hexadecimal(digits: Int, from start: Origin) throws(Failure) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let scalar = peek, let digit = scalar.hexadecimalDigit else {
                throw failure("this escape needs \(digits) hexadecimal digits", at: start)
            }
            value = value * 16 + digit
            advance()
        }
        return value
    }

    /// A key without quotes.
    mutating func identifier() throws(Failure) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = peek {
            let start = origin
            var next = scalar
            if scalar == "\\" {
                advance()
                guard take("u") else { throw failure("a key without quotes takes \\u escapes only", at: start) }
                next = try unicodeEscape(from: start)
            } else {
                guard scalar.isIdentifierPart else { break }
                advance()
            }
            guard text.isEmpty ? next.isIdentifierStart : next.isIdentifierPart else {
                throw failure("this character needs a key in quotes", at: start)
            }
            text.append(next)
        }
        return String(text)
    }

    /// A number: decimal, hexadecimal, Infinity or NaN, with or without a sign.
    mutating func number() throws(Failure) -> JSON5Number {
        let start = origin
        var text = ""
        if let sign = peek, sign == "+" || sign == "-" {
            text.unicodeScalars.append(sign)
            advance()
        }
        let isNegative = text == "-"
        if let scalar = peek, scalar.isIdentifierStart {
            var word = ""
            while let scalar = peek, scalar.isIdentifierPart {
                word.unicodeScalars.append(scalar)
                advance()
            }
            guard word == "Infinity" || word == "NaN" else {
                throw failure("expected a number after \(quoted(text)), found \(quoted(word))", at: start)
            }
            let magnitude = word == "NaN" ? Double.nan : .infinity
            return JSON5Number(text: text + word, double: isNegative ? -magnitude : magnitude)
        }
        if peek == "0", peek(ahead: 1) == "x" || peek(ahead: 1) == "X" {
            advance()
            advance()
            let digits = takeDigits { $0.hexadecimalDigit != nil }
            text += "0x" + digits
            guard !digits.isEmpty else { throw failure("\(quoted(text)) lacks its digits", at: start) }
            try endNumber(text)
            let magnitude = digits.reduce(into: 0.0) { $0 = $0 * 16 + Double($1.hexDigitValue ?? 0) }
            return JSON5Number(text: text, double: isNegative ? -magnitude : magnitude)
        }
        return try decimal(text, from: start)
    }

    private mutating func decimal(_ sign: String, from start: Origin) throws(Failure) -> JSON5Number {
        var text = sign
        let whole = takeDigits { ("0"..."9").contains($0) }
        if whole.count > 1, whole.hasPrefix("0") {
            throw failure("a number does not start with 0; remove the leading zeros", at: start)
        }
        text += whole
        // What Double reads: digits on both sides of the point.
        var readable = sign + (whole.isEmpty ? "0" : whole)
        var fraction = ""
        if take(".") {
            fraction = takeDigits { ("0"..."9").contains($0) }
            text += "." + fraction
            if !fraction.isEmpty { readable += "." + fraction }
        }
        guard !whole.isEmpty || !fraction.isEmpty else {
            throw failure("expected a number, found \(quoted(text))", at: start)
        }
        if let scalar = peek, scalar == "e" || scalar == "E" {
            advance()
            var exponent = "e"
            if let sign = peek, sign == "+" || sign == "-" {
                exponent.unicodeScalars.append(sign)
                advance()
            }
            let digits = takeDigits { ("0"..."9").contains($0) }
            exponent += digits
            text += exponent
            readable += exponent
            guard !digits.isEmpty else { throw failure("\(quoted(text)) lacks the digits of its exponent", at: start) }
        }
        try endNumber(text)
        guard let value = Double(readable), value.isFinite else {
            throw failure("the number \(text) is too large", at: start)
        }
        return JSON5Number(text: text, double: value)
    }

    private mutating func takeDigits(_ isDigit: (Unicode.Scalar) -> Bool) -> String {
        var digits = ""
        while let scalar = peek, isDigit(scalar) {
            digits.unicodeScalars.append(scalar)
            advance()
        }
        return digits
    }

    /// A number is followed by neither letters nor another point: `10m` is text.
    private func endNumber(_ text: String) throws(Failure) {
        guard let next = peek, next.isIdentifierPart || next == "." else { return }
        throw failure("unexpected \(quoted(String(next))) after the number \(text); text needs quotes")
    }
}

extension Unicode.Scalar {
    fileprivate var hexadecimalDigit: UInt32? {
        switch self {
        case "0"..."9": value - 0x30
        case "a"..."f": value - 0x61 + 10
        case "A"..."F": value - 0x41 + 10
        default: nil
        }
    }
}
