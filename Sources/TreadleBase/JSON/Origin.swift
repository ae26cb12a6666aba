/// Where a part of the configuration was written, as an error names it.
package enum Origin: Hashable, Sendable {
    /// Lines and columns count from 1; a column is one Unicode scalar.
    case file(String, line: Int, column: Int)
    /// The environment variable `text`, the `order`th of those that apply.
    case environment(String, order: Int)
    /// `--set text`, the `order`th on the command line.
    case argument(String, order: Int)

    /// Files come before the environment, and that before the command line: later ones win.
    fileprivate var sortKey: (Int, Int, Int) {
        switch self {
        case .file(_, let line, let column): (0, line, column)
        case .environment(_, let order): (1, order, 0)
        case .argument(_, let order): (2, order, 0)
        }
    }
}

extension Origin: Comparable, CustomStringConvertible {
    package static func < (left: Origin, right: Origin) -> Bool { left.sortKey < right.sortKey }

    /// Where this is, said within the same text.
    var withinText: String {
        if case .file(_, let line, let column) = self { "at \(line):\(column)" } else { "here" }
    }

    package var description: String {
        switch self {
        case .file(let name, let line, let column): "\(name):\(line):\(column)"
        case .environment(let text, _): text
        case .argument(let text, _): "--set \(text)"
        }
    }
}

/// What is wrong with a configuration, gathered over the whole of it.
package struct Problems {
    /// More problems than this come from a file that is no configuration.
    static let most = 100

    private var found: [(origin: Origin, message: String)] = []
    /// The paths whose values could not be read: what depends on them is not judged.
    private var unread: Set<String> = []

    package init() {}

    package var isEmpty: Bool { found.isEmpty }
    package var isFull: Bool { found.count > Self.most }

    package mutating func report(_ message: String, at origin: Origin) {
        if !isFull { found.append((origin, message)) }
    }

    /// Reports what is wrong with the value at `path`, which then counts as unread.
    package mutating func report(_ message: String, at origin: Origin, path: String) {
        report(message, at: origin)
        unread.insert(path)
    }

    /// Whether the value at `path`, something within it or something around it could not be read.
    package func concern(_ path: String) -> Bool {
        unread.contains { $0 == path || $0.hasPrefix(path + ".") || path.hasPrefix($0 + ".") }
    }

    /// One line a problem, in the order of their places.
    package var messages: [String] {
        // A stable order: problems at one place stay in the order in which they were found.
        let sorted = found.enumerated().sorted { ($0.element.origin, $0.offset) < ($1.element.origin, $1.offset) }
        let lines = sorted.prefix(Self.most).map { "\($0.element.origin): \($0.element.message)" }
        return lines + (isFull ? ["there are more errors than these \(Self.most); correct these first"] : [])
    }

    package func throwIfAny() throws(TreadleError) {
        guard isEmpty else { throw TreadleError(.configuration, messages: messages) }
    }
}
