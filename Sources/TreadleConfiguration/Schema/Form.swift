internal import TreadleBase

/// How values of one kind are written in a configuration: read, checked, printed and described.
struct Form<Value: Sendable>: Sendable {
    /// What is expected, for errors and the reference: "an integer of at least 1".
    var expected: String
    /// The value of a node at a path; nil after reporting why not.
    var read: @Sendable (JSON5Node, String, inout Problems) -> Value?
    /// The value as JSON, with those keys whose influence is asked for.
    var write: @Sendable (Value, Influence) -> PrintedValue
    /// The settings within, for values that have keys.
    var settings: @Sendable (_ path: String) -> [Setting] = { _ in [] }

    init(
        _ expected: String, read: @escaping @Sendable (JSON5Node, String, inout Problems) -> Value?,
        write: @escaping @Sendable (Value, Influence) -> PrintedValue
    ) {
        self.expected = expected
        self.read = read
        self.write = write
    }

    /// A form without keys, whose nodes are right or not: `value` returns nil for what is not expected.
    init(
        _ expected: String, value: @escaping @Sendable (JSON5Node) -> Value?,
        print: @escaping @Sendable (Value) -> PrintedValue
    ) {
        self.expected = expected
        self.read = { node, path, problems in
            if let value = value(node) { return value }
            problems.report("\(path) must be \(expected); found \(node.description)", at: node.origin, path: path)
            return nil
        }
        self.write = { value, _ in print(value) }
    }

    /// The value of a node, without saying why there is none.
    func value(of node: JSON5Node) -> Value? {
        var ignored = Problems()
        return read(node, "", &ignored)
    }

    /// This form, or null.
    var orNull: Form<Value?> {
        var form = Form<Value?>("\(expected), or null") { [self] node, path, problems in
            if node.isNull { return .some(nil) }
            return read(node, path, &problems).map { .some($0) }
        } write: { [self] value, influence in
            value.map { write($0, influence) } ?? .null
        }
        form.settings = settings
        return form
    }

    /// A list of this form.
    func list(_ expected: String) -> Form<[Value]> where Value: Sendable {
        var form = Form<[Value]>(expected) { [self] node, path, problems in
            guard case .list(let nodes) = node.value else {
                problems.report(
                    "\(path) must be \(expected); found \(node.description)", at: node.origin, path: path)
                return nil
            }
            let values = nodes.enumerated().map { read($1, "\(path).\($0)", &problems) }
            return values.contains { $0 == nil } ? nil : values.compactMap { $0 }
        } write: { [self] values, influence in
            .list(values.map { write($0, influence) })
        }
        form.settings = { [self] path in settings("\(path).N") }
        return form
    }
}

/// What a setting can change.
struct Influence: OptionSet, Sendable {
    let rawValue: Int

    /// Speed, places and reports: never the weights.
    static let nothing = Influence(rawValue: 1)
    /// How long training goes on and which of its weights are kept: a resumed run may change it.
    static let length = Influence(rawValue: 2)
    /// What a step does to the weights: a resumed run must not change it.
    static let meaning = Influence(rawValue: 4)
    static let any: Influence = [.nothing, .length, .meaning]
}

/// One key of the configuration, as the reference lists it.
package struct Setting: Equatable, Sendable {
    /// The dotted path; `N` stands for an index in a list.
    package var path: String
    /// What values it takes, in words.
    package var expected: String
    /// The default as the file would say it; nil where the key must be given.
    package var defaultText: String?
    package var summary: String
    var influence: Influence
}
