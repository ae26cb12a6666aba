/// JSON to be written: objects keep the order of their keys, numbers read back to the same value.
package enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    /// JSON has no word for what is not finite: it is written as null.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Equatable, Sendable {
        package var key: String
        package var value: JSONValue

        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// The text, on one line or indented by two spaces a level.
    package func text(indented: Bool = false) -> String {
        var text = ""
        append(to: &text, indentation: indented ? 0 : nil)
        return text
    }

    private func append(to text: inout String, indentation: Int?) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += value.isFinite ? "\(value)" : "null"
        case .string(let value): text += Self.quoted(value)
        case .array(let values):
            // Numbers side by side: a matrix row is easier to read, and to diff, on one line.
            let isFlat = values.allSatisfy(\.isScalar)
            Self.append("[", "]", values, to: &text, indentation: isFlat ? nil : indentation) { value, text, inner in
                value.append(to: &text, indentation: inner)
            }
        case .object(let members):
            Self.append("{", "}", members, to: &text, indentation: indentation) { member, text, inner in
                text += Self.quoted(member.key)
                text += inner == nil ? ":" : ": "
                member.value.append(to: &text, indentation: inner)
            }
        }
    }

    private var isScalar: Bool {
        switch self {
        case .array, .object: false
        default: true
        }
    }

    private static func append<Item>(
        _ open: String, _ close: String, _ items: [Item], to text: inout String, indentation: Int?,
        each: (Item, inout String, Int?) -> Void
    ) {
        text += open
        for (index, item) in items.enumerated() {
            if index > 0 { text += "," }
            if let indentation {
                text += "\n" + String(repeating: " ", count: indentation + 2)
            } else if index > 0, open == "[" {
                text += " "
            }
            each(item, &text, indentation.map { $0 + 2 })
        }
        if let indentation, !items.isEmpty { text += "\n" + String(repeating: " ", count: indentation) }
        text += close
    }

    /// A text as JSON writes it; nothing in it acts on a terminal.
    package static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\0"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(nilLiteral: ()) { self = .null }
}

extension JSONValue {
    /// The value of a JSON text, its keys in their order; nil where it is none.
    package init?(parsing text: String) {
        var problems = Problems()
        let node = JSON5Reader.read(Array(text.utf8), problems: &problems) { .file("", line: $0, column: $1) }
        guard let node, problems.messages.isEmpty else { return nil }
        self.init(node)
    }

    private init(_ node: JSON5Node) {
        switch node.value {
        case .null: self = .null
        case .boolean(let value): self = .bool(value)
        case .number(let number): self = number.integer(as: Int.self).map(JSONValue.integer) ?? .number(number.double)
        case .text(let text): self = .string(text)
        case .list(let nodes): self = .array(nodes.map { JSONValue($0) })
        case .object(let members): self = .object(members.map { Member($0.key, JSONValue($0.node)) })
        }
    }

    /// The member of an object.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }
}
