internal import HDF5

/// A value as written in a configuration, and where.
package struct JSON5Node: Sendable {
    package enum Value: Sendable {
        case null
        case boolean(Bool)
        case number(JSON5Number)
        case text(String)
        case list([JSON5Node])
        case object([Member])
    }

    package struct Member: Sendable {
        package var key: String
        package var origin: Origin
        package var node: JSON5Node

        package init(key: String, origin: Origin, node: JSON5Node) {
            self.key = key
            self.origin = origin
            self.node = node
        }
    }

    package var value: Value
    package var origin: Origin
    /// The text of an override that also reads as a number, a truth value or null, for settings that are text.
    package var bareText: String?

    package init(_ value: Value, at origin: Origin, bareText: String? = nil) {
        self.value = value
        self.origin = origin
        self.bareText = bareText
    }

    package var isNull: Bool {
        if case .null = value { true } else { false }
    }

    /// The member `key` of an object.
    package subscript(key: String) -> JSON5Node? {
        guard case .object(let members) = value else { return nil }
        return members.last { $0.key == key }?.node
    }

    /// The node that a dotted path of keys and indices leads to.
    package func find(_ path: String) -> JSON5Node? {
        path.split(separator: ".").reduce(Optional(self)) { node, part in
            guard case .list(let nodes) = node?.value else { return node?[String(part)] }
            return Int(part).flatMap { nodes.indices.contains($0) ? nodes[$0] : nil }
        }
    }

    /// What was found, as an error says it.
    package var description: String {
        switch value {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .number(let number): number.text
        case .text(let text): "the text \(quoted(text))"
        case .list(let nodes): nodes.isEmpty ? "an empty list" : "a list"
        case .object(let members): members.isEmpty ? "an empty object" : "an object"
        }
    }
}

/// A number as written: exact where it is an integer.
package struct JSON5Number: Sendable {
    var text: String
    package var double: Double

    /// The integer that this is, if it fits: `12`, `0xC`, `1e3`, `4.0`.
    package func integer<Integer: FixedWidthInteger>(as type: Integer.Type) -> Integer? {
        var digits = Substring(text)
        let sign = digits.first == "-" ? "-" : ""
        if digits.first == "-" || digits.first == "+" { digits.removeFirst() }
        if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
            return Integer(sign + digits.dropFirst(2), radix: 16)
        }
        if let exact = Integer(sign + digits) { return exact }
        // Beyond 2^53 a fraction or an exponent no longer says one integer.
        guard abs(double) <= 0x1p53 else { return nil }
        return Integer(exactly: double)
    }
}

/// `text` in quotes on one line, cut where it is long, for errors.
package func quoted(_ text: String) -> String {
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(60) {
        if scalar == "\"" || scalar == "\\" { shown.append("\\") }
        shown.append(scalar)
    }
    return "\"" + String(shown).printable + (text.unicodeScalars.count > 60 ? "…\"" : "\"")
}
