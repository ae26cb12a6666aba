internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleModel

/// What each field of a table's records becomes.
package struct TableLayout: Sendable {
    enum Role: Sendable {
        case skipped
        /// The column of x with this number.
        case input(Int)
        /// The same, where numbers are written in a form of their own, and words are missing values.
        case number(Int, TableSchema.NumberForm)
        /// The column of x that is 0 or 1.
        case flag(Int, no: String, yes: String)
        /// The column of x that is a code: 0 for what `values` does not have, 1 where the value is missing, else from 2.
        case category(Int, values: WordTable)
        /// The columns of x from this number on, one for each part; days count from `origin`, in seconds from 1970.
        case date(Int, parts: [TableSchema.DatePart], origin: Int, format: DateFormat)
        /// Columns of x, of which the one of the field's value is 1 and the others are 0.
        case oneHot(values: [String: Int])
        /// The column of y with this number.
        case target(Int, TableSchema.NumberForm)
        /// The column of y with this number, in which each of these names stands for its number.
        case label(Int, classes: WordTable)
    }

    let format: TableFormat
    /// By field.
    let roles: [Role]
    /// By field: the column of x that a plain number goes to as it is, or -1.
    let plainInputs: [Int]
    /// Numbers in a row of x, and in one of y.
    let inputCount: Int
    let targetCount: Int
    /// Whether its columns are found by name.
    let isByName: Bool
    /// What to do about a class that is none of the model's.
    var remedy: String?

    init(format: TableFormat, roles: [Role], inputCount: Int, targetCount: Int, isByName: Bool) {
        self.format = format
        self.roles = roles
        self.inputCount = inputCount
        self.targetCount = targetCount
        self.isByName = isByName
        plainInputs = roles.map { role in
            switch role {
            case .input(let column): column
            case .number(let column, let form) where form.isPlain: column
            default: -1
            }
        }
    }

    /// What to call a field in a message.
    func name(ofField index: Int) -> String {
        guard let names = format.names, index < names.count else { return "column \(index + 1)" }
        return "column \"\(names[index].printable)\""
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
        let near = nearest(to: reference, among: format.names ?? []).map { "; did you mean \"\($0.printable)\"?" }
        throw TreadleError(.usage, "\(path) has no column \"\(reference.printable)\"\(near ?? ""); \(listing)")
    }

    package func name(_ field: Int) -> String {
        format.names.map { "\"\($0[field].printable)\"" } ?? "column \(field + 1)"
    }

    /// The columns there are, in a sentence.
    package var listing: String {
        guard let names = format.names else { return "its \(format.width) columns have no names, only numbers from 1" }
        let shown = names.prefix(12).map(\.printable).joined(separator: ", ")
        return "its columns are \(shown)" + (names.count > 12 ? " and \(names.count - 12) more" : "")
    }
}
