internal import HDF5
internal import TreadleBase
internal import TreadleTools

/// Prints a part of an array: as a table for people, as CSV, or as JSON.
struct ArrayText {
    let array: SlicedArray

    private var columns: Int { array.shape.count < 2 ? 1 : array.shape.last ?? 1 }
    private var rows: Int { columns == 0 ? 0 : (array.texts?.count ?? array.numbers.count) / columns }

    /// Aligned columns; rows and columns in the middle are left out beyond `most` numbers.
    func write(to output: Output, most: Int, unicode: Bool) throws {
        let extents = array.shape.map(String.init).joined(separator: unicode ? "×" : "x")
        try output.writeLine("\(array.name.printable): \(extents.isEmpty ? "one" : extents) \(array.type)")
        let isCut = rows * columns > most
        let rowOrder = Self.order(rows, most: isCut ? 12 : rows)
        let columnOrder = Self.order(columns, most: isCut ? 8 : columns)
        var table = TextTable(columnOrder.map { _ in .init("", .right) })
        let dots = unicode ? "…" : "..."
        for row in rowOrder {
            table.add(
                columnOrder.map { column in
                    guard let row, let column else { return dots }
                    return array.texts.map { $0[row * columns + column].printable }
                        ?? number(array.numbers[row * columns + column], exact: false)
                })
        }
        try output.write(table.text(indentation: 2))
    }

    /// A line a row, numbers so that they read back to the same value.
    func writeCSV(to output: Output) throws {
        for row in 0..<rows {
            let cells = (0..<columns).map { column -> String in
                let index = row * columns + column
                return array.texts.map { Self.quoted($0[index]) } ?? number(array.numbers[index], exact: true)
            }
            try output.writeLine(cells.joined(separator: ","))
        }
    }

    var json: JSONValue {
        let flat =
            array.texts.map { $0.map(JSONValue.string) }
            ?? array.numbers.map { value in
                array.isInteger && abs(value) < 0x1p53 ? .integer(Int(value)) : .number(value)
            }
        return .object([
            .init("name", .string(array.name)), .init("type", .string(array.type)),
            .init("shape", .array(array.shape.map(JSONValue.integer))), .init("values", Self.nested(flat, array.shape)),
        ])
    }

    private func number(_ value: Double, exact: Bool) -> String {
        if array.isInteger, abs(value) < 0x1p53 { return String(Int(value)) }
        if !exact { return Figure.digits(6, value) }
        return array.type == "float32" ? "\(Float(value))" : "\(value)"
    }

    /// The first and the last of `count`, nil for what is left out between them.
    private static func order(_ count: Int, most: Int) -> [Int?] {
        guard count > most else { return Array(0..<count) }
        return Array(0..<most / 2) + [nil] + Array(count - most / 2..<count)
    }

    private static func quoted(_ text: String) -> String {
        let safe = text.printable
        guard safe.contains(where: { ",\"".contains($0) }) else { return safe }
        return "\"" + safe.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    private static func nested(_ values: [JSONValue], _ shape: [Int]) -> JSONValue {
        guard let rows = shape.first else { return values.first ?? .null }
        guard shape.count > 1 else { return .array(values) }
        let length = rows == 0 ? 0 : values.count / rows
        return .array(
            (0..<rows).map { nested(Array(values[$0 * length..<($0 + 1) * length]), Array(shape.dropFirst())) })
    }
}
