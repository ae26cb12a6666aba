internal import TreadleBase

/// The keys of one object in the configuration: the table that reading, printing, comparing and the reference share.
struct Section<Root: Sendable>: Sendable {
    /// Every key at its default.
    let initial: Root
    let keys: [Key<Root>]

    /// The object as a form. Keys that are not there keep the value of `initial`.
    var form: Form<Root> {
        var form = Form<Root>("an object") { [self] node, path, problems in
            guard case .object(let members) = node.value else {
                problems.report(
                    "\(path.isEmpty ? "a configuration" : path) must be an object { … }; found \(node.description)",
                    at: node.origin, path: path)
                return nil
            }
            return read(members, of: node, at: path, &problems)
        } write: { [self] root, influence in
            .object(
                keys.filter { !$0.influence.isDisjoint(with: influence) }
                    .map { PrintedValue.Member(key: $0.name, value: $0.write(root, influence)) })
        }
        form.settings = { [self] path in
            keys.flatMap { key in key.settings(initial, path.isEmpty ? key.name : "\(path).\(key.name)") }
        }
        return form
    }

    private func read(
        _ members: [JSON5Node.Member], of node: JSON5Node, at path: String, _ problems: inout Problems
    ) -> Root {
        var root = initial
        let prefix = path.isEmpty ? "" : path + "."
        for member in members where !problems.isFull {
            if let key = keys.first(where: { $0.name == member.key }) {
                key.read(member.node, prefix + key.name, &problems, &root)
            } else {
                problems.report(unknown(member.key, in: path), at: member.origin)
            }
        }
        for key in keys where key.isRequired && !members.contains(where: { $0.key == key.name }) {
            problems.report(
                "missing key \"\(key.name)\"\(path.isEmpty ? "" : " in \(path)"): \(key.summary)", at: node.origin,
                path: prefix + key.name)
        }
        return root
    }

    private func unknown(_ key: String, in path: String) -> String {
        let message = "unknown key \(quoted(key))" + (path.isEmpty ? "" : " in \(path)")
        let names = keys.map(\.name)
        if let near = nearest(to: key, among: names) { return "\(message); did you mean \"\(near)\"?" }
        if let elsewhere = Configuration.path(endingIn: key) {
            return "\(message); did you mean \"\(elsewhere)\"?"
        }
        return "\(message); its keys are \(names.joined(separator: ", "))"
    }
}

/// One key of an object: its name, what it sets, and the form of its value.
struct Key<Root: Sendable>: Sendable {
    let name: String
    let summary: String
    let isRequired: Bool
    let influence: Influence
    let read: @Sendable (JSON5Node, String, inout Problems, inout Root) -> Void
    let write: @Sendable (Root, Influence) -> PrintedValue
    /// This key and those within, at a path, with the defaults of a root.
    let settings: @Sendable (Root, String) -> [Setting]

    /// - Parameter defaultText: says what the default is where it depends on other keys.
    init<Value>(
        _ name: String, _ property: any WritableKeyPath<Root, Value> & Sendable, _ form: Form<Value>,
        _ influence: Influence, _ summary: String, isRequired: Bool = false, defaultText: String? = nil
    ) {
        self.name = name
        self.summary = summary
        self.isRequired = isRequired
        self.influence = influence
        read = { node, path, problems, root in
            if let value = form.read(node, path, &problems) { root[keyPath: property] = value }
        }
        write = { root, influence in form.write(root[keyPath: property], influence) }
        settings = { root, path in
            let inner = form.settings(path)
            let own = Setting(
                path: path, expected: form.expected,
                defaultText: isRequired ? nil : defaultText ?? form.write(root[keyPath: property], .any).inline,
                summary: summary, influence: influence)
            return [own] + inner
        }
    }
}

extension Configuration {
    /// The path of a setting that goes on to end in `key`; of several, the one that lies least deep is what most people mean.
    static func path(endingIn key: String) -> String? {
        settings.map(\.path).filter { $0.hasSuffix("." + key) }
            .min { $0.split(separator: ".").count < $1.split(separator: ".").count }
    }
}
