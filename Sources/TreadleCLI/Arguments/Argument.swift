/// A positional argument of a command.
struct Argument: Sendable {
    enum Count: Sendable {
        case one, optional, oneOrMore
    }

    /// As help shows it, in capitals with its extension: `JOB.json5`.
    let name: String
    let summary: String
    let count: Count
    let values: ValueKind

    init(_ name: String, _ summary: String, count: Count = .one, values: ValueKind = .file) {
        self.name = name
        self.summary = summary
        self.count = count
        self.values = values
    }

    /// Whether it is a configuration, whose settings `--set` overrides.
    var isConfiguration: Bool { name.hasSuffix(".json5") }

    var usage: String {
        switch count {
        case .one: name
        case .optional: "[\(name)]"
        case .oneOrMore: "\(name)…"
        }
    }
}

/// What a value is, so that shells can complete it.
enum ValueKind: Sendable, Equatable {
    case file
    case choice([String])
    /// A number, a name: nothing to complete.
    case text
}
