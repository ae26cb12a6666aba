/// Reads JSON5 (json5.org) and remembers where everything stands.
///
/// Beyond the standard: duplicate keys are reported, and nesting ends at `deepest` levels.
package struct JSON5Reader {
    package static let deepest = 64

    /// Reads a whole document. A syntax error ends reading; duplicate keys are added to `problems`.
    ///
    /// `place` turns a line and a column into the origin that errors name.
    package static func read(
        _ bytes: [UInt8], problems: inout Problems, place: (_ line: Int, _ column: Int) -> Origin
    ) -> JSON5Node? {
        withoutActuallyEscaping(place) { place in
            do throws(Failure) {
                var reader = try JSON5Reader(bytes, place: place)
                let node = try reader.document()
                for problem in reader.duplicates { problems.report(problem.message, at: problem.origin) }
                return node
            } catch {
                problems.report(error.message, at: error.origin)
                return nil
            }
        }
    }

    struct Failure: Error {
        var origin: Origin
        var message: String
    }

    let place: (Int, Int) -> Origin
    private(set) var scalars: [Unicode.Scalar] = []
    private var index = 0
    private var line = 1
    private var column = 1
    private var depth = 0
    private var duplicates: [Failure] = []

    private init(_ bytes: [UInt8], place: @escaping (Int, Int) -> Origin) throws(Failure) {
        self.place = place
        var input = bytes.makeIterator()
        var decoder = UTF8()
        scalars.reserveCapacity(bytes.count)
        decoding: while true {
            switch decoder.decode(&input) {
            case .scalarValue(let scalar): scalars.append(scalar)
            case .emptyInput: break decoding
            case .error:
                while peek != nil { advance() }
                throw failure("this is not UTF-8; save the file with UTF-8 encoding")
            }
        }
        if peek == "\u{FEFF}" { index = 1 }
    }

    // MARK: Where the reader stands

    var origin: Origin { place(line, column) }

    var peek: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    func peek(ahead distance: Int) -> Unicode.Scalar? {
        index + distance < scalars.count ? scalars[index + distance] : nil
    }

    mutating func advance() {
        let scalar = scalars[index]
        index += 1
        if scalar == "\n" || (scalar == "\r" && peek != "\n") {
            line += 1
            column = 1
        } else {
            column += 1
        }
    }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        advance()
        return true
    }

    func failure(_ message: String, at origin: Origin? = nil) -> Failure {
        Failure(origin: origin ?? self.origin, message: message)
    }

    /// What stands here, as an error says it.
    private var found: String {
        guard let scalar = peek else { return "the end" }
        return quoted(scalar.isIdentifierStart ? word : String(scalar))
    }

    /// The run of letters and digits that starts here.
    private var word: String {
        var text = String.UnicodeScalarView()
        var distance = 0
        while let scalar = peek(ahead: distance), scalar.isIdentifierPart {
            text.append(scalar)
            distance += 1
        }
        return String(text)
    }

    // MARK: Structure

    private mutating func document() throws(Failure) -> JSON5Node {
        try skipSpace()
        guard peek != nil else { throw failure("the file is empty; a configuration is an object { … }") }
        let node = try value()
        try skipSpace()
        guard peek == nil else { throw failure("expected the end after the value, found \(found)") }
        return node
    }

    private mutating func value() throws(Failure) -> JSON5Node {
        let start = origin
        switch peek {
        case "{": return try nested(start) { reader throws(Failure) in .object(try reader.members(from: start)) }
        case "[": return try nested(start) { reader throws(Failure) in .list(try reader.elements(from: start)) }
        case "\"", "'": return JSON5Node(.text(try text()), at: start)
        case "+", "-", ".": return JSON5Node(.number(try number()), at: start)
        case let scalar? where ("0"..."9").contains(scalar): return JSON5Node(.number(try number()), at: start)
        case let scalar? where scalar.isIdentifierStart: return JSON5Node(try keyword(), at: start)
        default: throw failure("expected a value, found \(found)")
        }
    }

    private mutating func nested(
        _ start: Origin, _ body: (inout JSON5Reader) throws(Failure) -> JSON5Node.Value
    ) throws(Failure) -> JSON5Node {
        guard depth < Self.deepest else {
            throw failure("this is nested more than \(Self.deepest) levels deep")
        }
        depth += 1
        advance()
        let value = try body(&self)
        depth -= 1
        return JSON5Node(value, at: start)
    }

    private mutating func members(from start: Origin) throws(Failure) -> [JSON5Node.Member] {
        var members: [JSON5Node.Member] = []
        var origins: [String: Origin] = [:]
        while true {
            try skipSpace()
            if take("}") { return members }
            let place = origin
            let key = try key(inObjectFrom: start)
            try skipSpace()
            guard take(":") else {
                throw failure("expected \":\" after the key \(quoted(key)), found \(found)")
            }
            try skipSpace()
            let node = try value()
            if let first = origins[key] {
                duplicates.append(
                    failure("duplicate key \(quoted(key)); it is given first \(first.withinText)", at: place))
            } else {
                origins[key] = place
                members.append(JSON5Node.Member(key: key, origin: place, node: node))
            }
            try skipSpace()
            if take("}") { return members }
            guard take(",") else {
                throw failure(
                    peek == nil
                        ? "the object that begins \(start.withinText) is never closed; add \"}\""
                        : "expected \",\" or \"}\" after the value of \(quoted(key)), found \(found)")
            }
        }
    }

    private mutating func elements(from start: Origin) throws(Failure) -> [JSON5Node] {
        var nodes: [JSON5Node] = []
        while true {
            try skipSpace()
            if take("]") { return nodes }
            guard peek != nil else {
                throw failure("the list that begins \(start.withinText) is never closed; add \"]\"")
            }
            nodes.append(try value())
            try skipSpace()
            if take("]") { return nodes }
            guard take(",") else {
                throw failure(
                    peek == nil
                        ? "the list that begins \(start.withinText) is never closed; add \"]\""
                        : "expected \",\" or \"]\" in the list, found \(found)")
            }
        }
    }

    private mutating func key(inObjectFrom start: Origin) throws(Failure) -> String {
        switch peek {
        case "\"", "'": return try text()
        case let scalar? where scalar.isIdentifierStart || scalar == "\\": return try identifier()
        case nil: throw failure("the object that begins \(start.withinText) is never closed; add \"}\"")
        default: throw failure("expected a key or \"}\", found \(found)")
        }
    }

    private mutating func keyword() throws(Failure) -> JSON5Node.Value {
        let start = origin
        let word = word
        let value: JSON5Node.Value
        switch word {
        case "null": value = .null
        case "true": value = .boolean(true)
        case "false": value = .boolean(false)
        case "Infinity": value = .number(JSON5Number(text: word, double: .infinity))
        case "NaN": value = .number(JSON5Number(text: word, double: .nan))
        default: throw failure("unknown word \(quoted(word)); text needs quotes: \"\(word)\"", at: start)
        }
        for _ in word.unicodeScalars { advance() }
        return value
    }

    /// Skips white space and comments.
    private mutating func skipSpace() throws(Failure) {
        while let scalar = peek {
            if scalar.isJSON5Space {
                advance()
            } else if scalar == "/", peek(ahead: 1) == "/" {
                while let scalar = peek, !scalar.endsLine { advance() }
            } else if scalar == "/", peek(ahead: 1) == "*" {
                let start = origin
                advance()
                advance()
                while !(peek == "*" && peek(ahead: 1) == "/") {
                    guard peek != nil else { throw failure("this comment is never closed; add \"*/\"", at: start) }
                    advance()
                }
                advance()
                advance()
            } else {
                return
            }
        }
    }
}

extension Unicode.Scalar {
    var endsLine: Bool { self == "\n" || self == "\r" || self == "\u{2028}" || self == "\u{2029}" }

    fileprivate var isJSON5Space: Bool {
        switch self {
        case "\t", "\u{0B}", "\u{0C}", "\n", "\r", "\u{2028}", "\u{2029}", "\u{FEFF}": true
        default: properties.generalCategory == .spaceSeparator
        }
    }

    var isIdentifierStart: Bool {
        if self == "$" || self == "_" { return true }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .letterNumber:
            return true
        default: return false
        }
    }

    var isIdentifierPart: Bool {
        if isIdentifierStart || self == "\u{200C}" || self == "\u{200D}" { return true }
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .decimalNumber, .connectorPunctuation: return true
        default: return false
        }
    }
}
