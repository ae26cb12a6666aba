internal import HDF5
internal import TreadleBase

/// What each field of a table's records becomes.
package struct TableLayout: Sendable {
    enum Role: Sendable {
        case skipped
        /// The column of x with this number.
        case input(Int)
        /// Columns of x, of which the one of the field's value is 1 and the others are 0.
        case oneHot(values: [String: Int])
        /// The column of y with this number.
        case target(Int)
        /// The column of y with this number, in which each of these names stands for its number.
        case label(Int, classes: [String: Int])
    }

    var format: TableFormat
    var roles: [Role]
    /// F, and the number of target columns.
    package var inputCount: Int
    package var targetCount: Int
    /// A name for each column of x; nil where the table has none.
    package var inputNames: [String]?
    /// For a model that is trained: its columns are what they are.
    var isForPrediction = false

    /// What to call a field in a message.
    func name(ofField index: Int) -> String {
        guard let names = format.names, index < names.count, !names[index].isEmpty else { return "column \(index + 1)" }
        return "column \"\(names[index].printable)\""
    }
}

/// Which fields of a table are inputs, targets and categories, before their values are known.
package struct ColumnSelection: Equatable, Sendable {
    package var targets: [Int]
    var inputs: [Int]
    package var oneHot: Set<Int>

    package init(_ format: TableFormat, _ options: TableOptions, path: String) throws {
        let columns = ColumnReferences(format: format, path: path)
        targets = try columns.fields(options.targets)
        guard Set(targets).count == targets.count else {
            throw TreadleError(.usage, "a target is named twice in \(options.targets.joined(separator: ","))")
        }
        let dropped = Set(try columns.fields(options.dropped))
        oneHot = Set(try columns.fields(options.oneHot))
        let chosen = try options.inputs.map(columns.fields) ?? Array(0..<format.width)
        var seen = Set(targets).union(dropped)
        inputs = chosen.filter { seen.insert($0).inserted }
        guard !inputs.isEmpty else {
            throw TreadleError(.usage, "\(path): no column is left to learn from; \(columns.listing)")
        }
        if let stray = oneHot.subtracting(inputs).min() {
            throw TreadleError(.usage, "\(path): --one-hot names \(columns.name(stray)), which is not an input")
        }
    }

    /// The layout, once the values of the columns of text are known.
    package func layout(
        _ format: TableFormat, categories: [Int: [String]], classes: [Int: [String]]
    ) -> TableLayout {
        var roles = [TableLayout.Role](repeating: .skipped, count: format.width)
        var names: [String] = []
        for field in inputs {
            let name = format.names?[field] ?? "\(field + 1)"
            if oneHot.contains(field) {
                let values = categories[field] ?? []
                roles[field] = .oneHot(values: numbered(values, from: names.count))
                names += values.map { "\(name)=\($0)" }
            } else {
                roles[field] = .input(names.count)
                names.append(name)
            }
        }
        for (index, field) in targets.enumerated() {
            roles[field] = classes[field].map { .label(index, classes: numbered($0)) } ?? .target(index)
        }
        return TableLayout(
            format: format, roles: roles, inputCount: names.count, targetCount: targets.count,
            inputNames: format.names == nil && oneHot.isEmpty ? nil : names)
    }

    private func numbered(_ names: [String], from first: Int = 0) -> [String: Int] {
        Dictionary(zip(names, first...), uniquingKeysWith: { first, _ in first })
    }
}

/// Finds fields by what people call them.
package struct ColumnReferences {
    package var format: TableFormat
    package var path: String

    package init(format: TableFormat, path: String) {
        self.format = format
        self.path = path
    }

    /// The fields that names, numbers from 1, numbers from the end (-1) and spans (3-10) speak of, in that order.
    func fields(_ references: [String]) throws -> [Int] {
        try references.flatMap { try fields($0) }
    }

    private func fields(_ reference: String) throws -> [Int] {
        let matches = (format.names ?? []).indices.filter { format.names?[$0] == reference }
        if matches.count > 1 {
            throw TreadleError(
                .usage, "\(path): \(matches.count) columns are called \"\(reference.printable)\"; give its number")
        }
        if let match = matches.first { return [match] }
        if let number = Int(reference), number != 0, abs(number) <= format.width {
            return [number > 0 ? number - 1 : format.width + number]
        }
        let ends = reference.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        if ends.count == 2, let low = ends[0], let high = ends[1], low >= 1, low <= high, high <= format.width {
            return Array(low - 1..<high)
        }
        throw TreadleError(.usage, "\(path) has no column \"\(reference.printable)\"; \(listing)")
    }

    package func name(_ field: Int) -> String {
        format.names.map { "\"\($0[field].printable)\"" } ?? "column \(field + 1)"
    }

    /// The columns there are, in a sentence.
    package var listing: String {
        guard let names = format.names else { return "its \(format.width) columns have no names, only numbers from 1" }
        let shown = names.prefix(12).map { $0.isEmpty ? "(no name)" : $0.printable }.joined(separator: ", ")
        return "its columns are \(shown)" + (names.count > 12 ? " and \(names.count - 12) more" : "")
    }
}
