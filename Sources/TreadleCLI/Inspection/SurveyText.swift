internal import HDF5
package import TreadleBase
package import TreadleTools

/// What `treadle inspect` prints of an HDF5 file that is no checkpoint: its tree, with statistics.
package struct SurveyText {
    private let survey: FileSurvey
    private let path: String
    private let unicode: Bool
    private let contents: [Int: FileSurvey.Contents]

    package init(_ survey: FileSurvey, path: String, unicode: Bool) {
        self.survey = survey
        self.path = path
        self.unicode = unicode
        contents = Dictionary(survey.contents.map { ($0.node, $0) }) { first, _ in first }
    }

    package var text: String {
        let rows = survey.tree.nodes.enumerated().flatMap { self.rows(of: $1, contents[$0]) }
        let measured = rows.filter { !$0.numbers.isEmpty }
        // One long name or description does not push everything else to the right.
        let nameWidth = min(40, rows.map(\.name.count).max() ?? 0)
        let contentsWidth = min(40, measured.map(\.contents.count).max() ?? 0)
        let heads = ["mean", "spread", "min", "max", "zeros", "NaN", ""]
        let widths = heads.indices.map { column in
            max(heads[column].count, measured.map { $0.numbers[column].count }.max() ?? 0)
        }
        func line(_ row: Row) -> String {
            let numbers = zip(row.numbers, widths).map { cell, width in "  " + cell.padded(toLeft: width) }.joined()
            let text = "  " + row.name.padded(nameWidth) + "  " + row.contents.padded(contentsWidth) + numbers
            return text.trimmingTrailingSpaces + "\n"
        }
        let head = measured.isEmpty ? "" : line(Row(name: "", contents: "", numbers: heads))
        let end = survey.tree.isCut ? "\n  There is more than is listed here.\n" : ""
        return summary + "\n" + head + rows.map(line).joined() + end
    }

    private struct Row {
        var name: String
        var contents: String
        var numbers: [String] = []
    }

    private var summary: String {
        let nodes = survey.tree.nodes
        let datasets = nodes.filter { $0.kind == .dataset && $0.sameAs == nil }
        let groups = nodes.filter { $0.kind == .group && $0.sameAs == nil }.count
        let stored = datasets.reduce(0) { $0 + min($1.array?.storedSize ?? 0, 1 << 50) }
        return "\(path.printable): HDF5, not a checkpoint of treadle; \(Figure.count(groups, "group")), "
            + "\(Figure.count(datasets.count, "dataset")), \(stored.asBytes) of data\n"
    }

    /// An object's line, and one for each of its attributes.
    private func rows(of node: FileTree.Node, _ contents: FileSurvey.Contents?) -> [Row] {
        let indent = String(repeating: "  ", count: min(node.depth, 24))
        let name = node.path.split(separator: "/").last.map(String.init) ?? "/"
        var row = Row(
            name: indent + shortened(name) + (node.kind == .group && name != "/" ? "/" : ""),
            contents: description(node, contents))
        if let statistics = contents?.statistics {
            let shown = [statistics.mean, statistics.spread, statistics.minimum, statistics.maximum]
            row.numbers =
                shown.map { statistics.finite > 0 ? Figure.digits(3, $0) : "-" } + [
                    Figure.grouped(statistics.zeros), Figure.grouped(statistics.nan + statistics.infinite),
                    Bars.text(statistics.histogram, columns: 8, unicode: unicode),
                ]
        }
        var rows = [row]
        rows += node.attributes.map { Row(name: "\(indent)  @\(shortened($0.name))", contents: value($0)) }
        let dots = unicode ? "…" : "..."
        if node.omittedAttributes > 0 {
            let more = Figure.count(node.omittedAttributes, "more attribute")
            rows.append(Row(name: "\(indent)  @\(dots)", contents: more))
        }
        if node.omittedLinks > 0 {
            rows.append(Row(name: "\(indent)  \(dots)", contents: Figure.count(node.omittedLinks, "more object")))
        }
        return rows
    }

    private func description(_ node: FileTree.Node, _ contents: FileSurvey.Contents?) -> String {
        var parts: [String] = []
        if let first = node.sameAs {
            parts.append(node.isCycle ? "a way back to \(shortened(first))" : "the same as \(shortened(first))")
        }
        switch node.kind {
        case .softLink: parts.append("soft link to \(shortened(node.linkTarget ?? "?"))")
        case .externalLink: parts.append("link out of the file to \(shortened(node.linkTarget ?? "?")), not followed")
        case .otherLink: parts.append("link of an unknown kind")
        case .type: parts.append("type \(node.type ?? "?")")
        case .unreadable, .group, .dataset: break
        }
        if let array = node.array {
            let extents = array.shape.map(String.init).joined(separator: unicode ? "×" : "x")
            parts.append((extents.isEmpty ? "" : extents + " ") + shortened(array.type))
            if let storage = array.storage.oneWord(array.filters) { parts.append(storage) }
        }
        let values =
            contents?.numbers.map { $0.map { Figure.compact($0) } } ?? contents?.texts.map { $0.map(shortened) }
        if let values { parts.append((parts.popLast().map { $0 + " " } ?? "") + "= " + values.joined(separator: ", ")) }
        if let problem = node.problem ?? contents?.problem { parts.append("(\(problem))") }
        return parts.joined(separator: "; ")
    }

    private func value(_ attribute: FileTree.Attribute) -> String {
        if let numbers = attribute.numbers { return "= " + numbers.map { Figure.compact($0) }.joined(separator: ", ") }
        if let texts = attribute.texts { return "= " + texts.map { shortened($0) }.joined(separator: ", ") }
        let extents = attribute.shape.map(String.init).joined(separator: unicode ? "×" : "x")
        return (extents.isEmpty ? "" : extents + " ") + shortened(attribute.type)
    }

    /// Safe to print, and no longer than a line can take.
    private func shortened(_ text: String) -> String {
        text.unicodeScalars.count <= 60 ? text.printable : String(text.prefix(57)).printable + "…"
    }
}

extension String {
    fileprivate func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    fileprivate func padded(toLeft width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}

extension H5Storage {
    /// What is unusual about it; nil for elements in one piece.
    fileprivate func oneWord(_ filters: [H5Filter]) -> String? {
        switch self {
        case .contiguous, .compact: nil
        case .chunked: filters.isEmpty ? "chunked" : filters.map(\.name.printable).joined(separator: "+")
        case .virtual: "virtual"
        case .external: "outside the file"
        }
    }
}

extension FileSurvey {
    package func json(path: String) -> JSONValue {
        let contents = Dictionary(contents.map { ($0.node, $0) }) { first, _ in first }
        let objects = tree.nodes.enumerated().map { index, node -> JSONValue in
            var members: [JSONValue.Member] = [
                .init("path", .string(node.path)), .init("kind", .string(node.kind.rawValue)),
            ]
            if let first = node.sameAs { members.append(.init("same_as", .string(first))) }
            if node.isCycle { members.append(.init("cycle", .bool(true))) }
            if let target = node.linkTarget { members.append(.init("target", .string(target))) }
            if let array = node.array {
                members.append(.init("type", .string(array.type)))
                members.append(.init("shape", .array(array.shape.map(JSONValue.integer))))
                members.append(.init("stored_bytes", .integer(array.storedSize)))
                members.append(.init("filters", .array(array.filters.map { .string($0.name) })))
            }
            if let statistics = contents[index]?.statistics {
                members.append(.init("statistics", .object(statistics.members)))
            }
            if let numbers = contents[index]?.numbers {
                members.append(.init("values", .array(numbers.map(JSONValue.number))))
            }
            if let texts = contents[index]?.texts {
                members.append(.init("values", .array(texts.map(JSONValue.string))))
            }
            if !node.attributes.isEmpty { members.append(.init("attributes", .object(node.attributes.map(\.member)))) }
            if let problem = node.problem ?? contents[index]?.problem {
                members.append(.init("problem", .string(problem)))
            }
            return .object(members)
        }
        return .object([
            .init("file", .string(path)), .init("kind", .string("hdf5")), .init("complete", .bool(!tree.isCut)),
            .init("objects", .array(objects)),
        ])
    }
}

extension FileTree.Attribute {
    fileprivate var member: JSONValue.Member {
        let values = numbers.map { $0.map(JSONValue.number) } ?? texts.map { $0.map(JSONValue.string) }
        guard let values else { return .init(name, .string(type)) }
        return .init(name, shape.isEmpty && values.count == 1 ? values[0] : .array(values))
    }
}
