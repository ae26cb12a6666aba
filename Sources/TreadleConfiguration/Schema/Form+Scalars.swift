internal import TreadleBase

/// Forms of single values.
extension Form where Value == Bool {
    static let truth = Form("true or false") { node in
        if case .boolean(let value) = node.value { value } else { nil }
    } print: {
        .literal("\($0)")
    }
}

extension Form where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> Form {
        Form(
            range.upperBound == .max
                ? "an integer of at least \(range.lowerBound)"
                : "an integer from \(range.lowerBound) to \(range.upperBound)"
        ) { node in
            guard case .number(let number) = node.value, let value = number.integer(as: Int.self) else { return nil }
            return range.contains(value) ? value : nil
        } print: {
            .literal("\($0)")
        }
    }

    static func integer(atLeast least: Int) -> Form { integer(least...(.max)) }
}

extension Form where Value == UInt64 {
    static let seed = Form("an integer from 0 to \(UInt64.max)") { node in
        if case .number(let number) = node.value { number.integer(as: UInt64.self) } else { nil }
    } print: {
        .literal("\($0)")
    }
}

extension Form where Value == Double {
    static func number(_ expected: String, where isRight: @escaping @Sendable (Double) -> Bool) -> Form {
        Form(expected) { node in
            guard case .number(let number) = node.value, number.double.isFinite else { return nil }
            return isRight(number.double) ? number.double : nil
        } print: {
            .number($0)
        }
    }

    static let positive = number("a number above 0") { $0 > 0 }
    static let notNegative = number("a number of at least 0") { $0 >= 0 }
    static let shareBelowOne = number("a number from 0 up to, not including, 1") { $0 >= 0 && $0 < 1 }
    static let properShare = number("a number between 0 and 1") { $0 > 0 && $0 < 1 }
}

extension Form where Value == String {
    /// Text that is not empty; of an override also what reads as a number or a truth value.
    static func text(_ expected: String) -> Form {
        Form(expected) {
            $0.plainText
        } print: {
            .text($0)
        }
    }

    static let path = text("a path in quotes")
    static let datasetPath = text("the path of a dataset in quotes")
}

extension JSON5Node {
    /// Text that is not empty and that C can take, or what an override says in its place.
    var plainText: String? {
        var text = isNull ? nil : bareText
        if case .text(let written) = value { text = written }
        guard let text, !text.isEmpty, !text.unicodeScalars.contains("\0") else { return nil }
        return text
    }
}

extension Form where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration.
    static func choice(_ type: Value.Type = Value.self) -> Form {
        choice(Value.allCases.map { (word: $0.rawValue, value: $0) }) { $0.rawValue }
    }
}

extension Form {
    /// One of some words.
    static func choice(
        _ choices: [(word: String, value: Value)], print: @escaping @Sendable (Value) -> String
    ) -> Form {
        let words = choices.map(\.word)
        let expected = choiceList(words)
        return Form(expected) { node, path, problems in
            guard case .text(let text) = node.value else {
                problems.report(
                    "\(path) must be \(expected); found \(node.description)", at: node.origin, path: path)
                return nil
            }
            if let choice = choices.first(where: { $0.word == text }) { return choice.value }
            problems.report(
                "unknown value \(quoted(text)) for \(path); "
                    + (nearest(to: text, among: words).map { "did you mean \"\($0)\"?" } ?? "it must be \(expected)"),
                at: node.origin, path: path)
            return nil
        } write: { value, _ in
            .text(print(value))
        }
    }
}

/// `"a", "b" or "c"`.
func choiceList(_ words: [String]) -> String {
    let words = words.map { "\"\($0)\"" }
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
}
