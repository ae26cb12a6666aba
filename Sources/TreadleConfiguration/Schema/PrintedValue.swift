internal import TreadleBase

/// A value as the resolved configuration prints it: JSON.
package indirect enum PrintedValue: Equatable, Sendable {
    /// A number, a truth value, null or a text in its quotes.
    case literal(String)
    case list([PrintedValue])
    case object([Member])

    package struct Member: Equatable, Sendable {
        var key: String
        var value: PrintedValue
    }

    static let null = PrintedValue.literal("null")

    package static func text(_ text: String) -> PrintedValue { .literal(JSONValue.quoted(text)) }

    static func number(_ value: Double) -> PrintedValue {
        precondition(value.isFinite, "settings are finite")
        let text = "\(value)"
        return .literal(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
    }

    /// On one line, as errors, tables and comparisons show it.
    package var inline: String {
        switch self {
        case .literal(let text): return text
        case .list(let values): return "[" + values.map(\.inline).joined(separator: ", ") + "]"
        case .object(let members):
            guard !members.isEmpty else { return "{}" }
            let parts = members.map { "\(PrintedValue.text($0.key).inline): \($0.value.inline)" }
            return "{ " + parts.joined(separator: ", ") + " }"
        }
    }

    /// On as few lines as `width` columns allow, each level indented by two more.
    func lines(width: Int = 100, indent: Int = 0, prefix: String = "") -> String {
        let whole = prefix + inline
        if indent + whole.unicodeScalars.count < width, indent > 0 { return whole }
        let margin = String(repeating: " ", count: indent + 2)
        let end = "\n" + String(repeating: " ", count: indent)
        switch self {
        case .literal: return whole
        case .list(let values):
            guard !values.isEmpty else { return whole }
            let parts = values.map { margin + $0.lines(width: width, indent: indent + 2) }
            return prefix + "[\n" + parts.joined(separator: ",\n") + end + "]"
        case .object(let members):
            guard !members.isEmpty else { return whole }
            let parts = members.map {
                margin
                    + $0.value.lines(width: width, indent: indent + 2, prefix: PrintedValue.text($0.key).inline + ": ")
            }
            return prefix + "{\n" + parts.joined(separator: ",\n") + end + "}"
        }
    }

    subscript(key: String) -> PrintedValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }
}
