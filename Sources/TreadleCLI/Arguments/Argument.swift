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
    /// Whether it is a configuration or has one in it, whose settings `--set` overrides.
    let hasSettings: Bool

    init(
        _ name: String, _ summary: String, count: Count = .one, values: ValueKind = .file, hasSettings: Bool? = nil
    ) {
        self.name = name
        self.summary = summary
        self.count = count
        self.values = values
        self.hasSettings = hasSettings ?? name.hasSuffix(".json5")
    }

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
