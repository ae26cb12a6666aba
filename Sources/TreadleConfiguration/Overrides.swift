internal import Foundation
internal import TreadleBase

/// A setting from the command line or the environment that replaces the file's.
struct Override {
    /// The keys and list indices that lead to it.
    let path: [String]
    let node: JSON5Node

    /// The overrides in the order in which they apply: the environment's, then the command line's.
    static func all(
        arguments: [String], environment: [String: String], problems: inout Problems
    ) -> [Override] {
        var overrides: [Override] = []
        for (order, name) in environment.keys.sorted().enumerated()
        where !HookVariable.includes(name, of: environment) {
            guard let value = environment[name], let path = EnvironmentName.path(of: name) else { continue }
            let origin = Origin.environment(name, order: order)
            if let suggestion = EnvironmentName.complaint(about: path) {
                problems.report(suggestion, at: origin)
            } else if let node = node(of: value, at: origin, problems: &problems) {
                overrides.append(Override(path: path, node: node))
            }
        }
        for (order, argument) in arguments.enumerated() {
            let origin = Origin.argument(argument, order: order)
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let path = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !path.contains(""), path.count <= JSON5Reader.deepest else {
                problems.report("expected a setting and its value, such as optimizer.lr=0.01", at: origin)
                continue
            }
            if let node = node(of: String(parts[1]), at: origin, problems: &problems) {
                overrides.append(Override(path: path, node: node))
            }
        }
        return overrides
    }

    /// The value that a text stands for: JSON5 where it is that, else the text itself.
    private static func node(of text: String, at origin: Origin, problems: inout Problems) -> JSON5Node? {
        var inner = Problems()
        if let node = JSON5Reader.read(Array(text.utf8), problems: &inner, place: { _, _ in origin }), inner.isEmpty {
            if case .text = node.value { return node }
            return JSON5Node(node.value, at: origin, bareText: text)
        }
        // What begins with a bracket or a quote was meant as JSON5: its mistakes are told, and it is not taken for
        // text.
        if let first = text.first(where: { !$0.isWhitespace }), "{[\"'".contains(first) {
            for message in inner.messages {
                problems.report(String(message.dropFirst("\(origin): ".count)), at: origin)
            }
            return nil
        }
        return JSON5Node(.text(text), at: origin)
    }

    /// Puts the value in its place, making the objects on the way there.
    ///
    /// Unknown keys are put there too: reading the whole reports them as it does the file's.
    func apply(to root: inout JSON5Node, problems: inout Problems) {
        guard case .object = root.value else { return }
        put(path[...], into: &root, at: [], problems: &problems)
    }

    private func put(
        _ rest: ArraySlice<String>, into target: inout JSON5Node, at walked: [String], problems: inout Problems
    ) {
        guard let key = rest.first else {
            target = node
            return
        }
        let place = walked.joined(separator: ".")
        if case .list(var nodes) = target.value, !(DataSource.paths.contains(place) && Int(key) == nil) {
            guard let index = Int(key), nodes.indices.contains(index) else {
                let there = nodes.isEmpty ? "the list is empty" : "its elements are 0 to \(nodes.count - 1)"
                problems.report("no element \(quoted(key)) in \(place); \(there)", at: node.origin)
                return
            }
            put(rest.dropFirst(), into: &nodes[index], at: walked + [key], problems: &problems)
            target.value = .list(nodes)
            return
        }
        var members: [JSON5Node.Member] = []
        switch target.value {
        case .object(let present): members = present
        case .text, .list:
            // The short form of a data source, spelled out so that its other keys have a place.
            if DataSource.paths.contains(place) {
                members = [JSON5Node.Member(key: "files", origin: target.origin, node: target)]
            }
        default: break
        }
        if let index = members.firstIndex(where: { $0.key == key }) {
            put(rest.dropFirst(), into: &members[index].node, at: walked + [key], problems: &problems)
        } else {
            var inner = rest.count == 1 ? node : JSON5Node(.object([]), at: node.origin)
            put(rest.dropFirst(), into: &inner, at: walked + [key], problems: &problems)
            members.append(JSON5Node.Member(key: key, origin: node.origin, node: inner))
        }
        let origin = if case .object = target.value { target.origin } else { node.origin }
        target = JSON5Node(.object(members), at: origin)
    }
}

extension DataSource {
    /// Where files alone may stand for a source.
    fileprivate static let paths: Set<String> = ["data.train", "data.valid", "data.test"]
}

/// Names of environment variables: `TREADLE_OPTIMIZER__LR` is `optimizer.lr`, with two underscores between levels.
enum EnvironmentName {
    private static let prefix = "TREADLE_"

    /// Names that mean something else: to the program as a whole, its scripts and its tests.
    private static let reserved: Set<String> = ["ISA", "PYTHON", "MOST_RESTARTS"]
    private static let reservedPrefixes = ["MPI", "TEST"]

    /// The setting's path; nil for a variable that is no setting.
    static func path(of name: String) -> [String]? {
        guard name.hasPrefix(prefix) else { return nil }
        let rest = String(name.dropFirst(prefix.count))
        guard !rest.isEmpty, !reserved.contains(rest), !reservedPrefixes.contains(where: rest.hasPrefix) else {
            return nil
        }
        if rest == "THREADS" { return ["compute", "threads"] }
        return rest.lowercased().components(separatedBy: "__")
    }

    /// What is wrong with a variable that names no setting; nil where it names one.
    static func complaint(about path: [String]) -> String? {
        let generic = path.map { $0.allSatisfy(\.isNumber) ? "N" : $0 }.joined(separator: ".")
        let paths = Configuration.settings.map(\.path)
        guard !paths.contains(generic) else { return nil }
        let near = Configuration.path(endingIn: generic) ?? nearest(to: generic, among: paths)
        let suggestion = near.map { "; did you mean \(spelled($0))?" } ?? "; unset it if it is not meant for treadle"
        return "there is no setting \"\(path.joined(separator: "."))\"\(suggestion)"
    }

    /// The variable that sets a path.
    private static func spelled(_ path: String) -> String {
        prefix + path.split(separator: ".").joined(separator: "__").uppercased()
    }
}

/// What `retrain` tells its hook in the environment. A hook may use the program, so these are no settings.
package enum HookVariable: String, CaseIterable {
    case model = "TREADLE_MODEL"
    case predecessor = "TREADLE_PREDECESSOR"
    case run = "TREADLE_RUN"
    case name = "TREADLE_NAME"
    case digest = "TREADLE_DIGEST"
    case metric = "TREADLE_METRIC"
    case newMetric = "TREADLE_METRIC_NEW"
    case oldMetric = "TREADLE_METRIC_OLD"

    /// Whether `name` is one of these in the environment of a hook, which alone has a predecessor.
    static func includes(_ name: String, of environment: [String: String]) -> Bool {
        environment[predecessor.rawValue] != nil && HookVariable(rawValue: name) != nil
    }
}
