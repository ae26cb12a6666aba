internal import HDF5
internal import TreadleBase

/// The rows of a table or an array file as the inputs of a model, some at a time: what prediction reads.
///
/// Memory stays small however long the file is.
package final class InputRows<S: ParsedNumber> {
    package let path: String
    /// How many numbers a row has.
    package let inputs: Int
    /// The names of the file's columns; nil where it has none.
    package let columns: [String]?
    private let file: InputFile
    private let source: Source

    private enum Source {
        case table(RecordCutter, RecordBlock, ParsedBlock<S>, TableLayout)
        case array(ArrayFile)
    }

    private var skip = 0
    private var rowsRead = 0
    private var raw: [UInt8] = []

    /// Opens a CSV, TSV, NPY or IDX file for a model with this many inputs, which `columns` names where names are known.
    ///
    /// Columns are found by name where both sides have names, `city=Rome` also in a column `city`; columns that the
    /// model does not know are left out. Without names the file must have as many columns as the model has inputs.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package init(_ path: String, inputs: Int, columns: [String]?, options: TableOptions = TableOptions()) throws {
        self.path = path
        self.inputs = inputs
        file = try InputFile(path)
        let kind = try FileKind(of: file)
        let source = try kind == .table ? ByteSource(text: file) : ByteSource(file)
        switch kind {
        case .table:
            let known = Set((columns ?? []) + (columns ?? []).map { String($0.prefix { $0 != "=" }) })
            let format = try TableFormat.detect(file, options, known: known)
            self.columns = format.names
            let layout = try InputRows.layout(format, inputs, columns, options, path)
            skip = format.skip
            self.source = .table(
                RecordCutter(source, delimiter: format.delimiter), RecordBlock(capacity: 1 << 20), ParsedBlock(), layout
            )
        case let kind where kind == .npy || kind == .idx:
            self.columns = nil
            let array =
                kind == .npy
                ? try NPY.open(source, label: path, name: path) : try IDX.open(source, label: path, name: path)
            guard !array.shape.isEmpty, !array.element.isText, array.width == inputs else {
                throw TreadleError(
                    .badData,
                    "\(path) has shape \(array.shape.map(String.init).joined(separator: "×")) of \(array.element), "
                        + "but the model takes rows of \(inputs) numbers")
            }
            self.source = .array(array)
        default:
            throw TreadleError(
                .badData, "\(path) is an NPZ, which may hold several arrays; import it, or save the inputs as NPY")
        }
    }

    /// Replaces `values` by the next rows, row-major, and returns how many there are: 0 at the end.
    ///
    /// `values` may hold more elements than the rows need; those after them mean nothing.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func next(_ values: inout [S]) throws -> Int {
        switch source {
        case .table(let cutter, let block, let parsed, let layout):
            while try cutter.next(block) {
                parsed.exchange(&values)
                defer { parsed.exchange(&values) }
                try parsed.parse(block, skip: skip, layout, path: path)
                skip = 0
                if parsed.rows > 0 { return parsed.rows }
            }
            try file.checkUnchanged()
            return 0
        case .array(let array):
            let rows = min(array.rows - rowsRead, max(1, (1 << 20) / max(1, array.width * array.element.size)))
            guard rows > 0 else {
                try file.checkUnchanged()
                return 0
            }
            try array.next(rows, into: &raw)
            let count = rows * array.width
            if values.count < count { values = [S](repeating: 0, count: count) }
            array.element.read(raw, count: count, into: &values)
            rowsRead += rows
            return rows
        }
    }

    private static func layout(
        _ format: TableFormat, _ inputs: Int, _ columns: [String]?, _ options: TableOptions, _ path: String
    ) throws -> TableLayout {
        var roles = [TableLayout.Role](repeating: .skipped, count: format.width)
        if let columns, let names = format.names {
            for (index, column) in columns.enumerated() {
                try place(column, index, names, &roles, path)
            }
        } else {
            let dropped = Set(try ColumnReferences(format: format, path: path).fields(options.targets))
            let kept = (0..<format.width).filter { !dropped.contains($0) }
            guard kept.count == inputs else {
                throw TreadleError(
                    .badData,
                    "\(path) has \(kept.count) columns, but the model takes \(inputs) inputs; "
                        + "leave out what is no input, or name the columns as in training")
            }
            for (index, field) in kept.enumerated() { roles[field] = .input(index) }
        }
        return TableLayout(
            format: format, roles: roles, inputCount: inputs, targetCount: 0,
            isByName: columns != nil && format.names != nil)
    }

    /// Finds the field that `column` of the model comes from.
    private static func place(
        _ column: String, _ index: Int, _ names: [String], _ roles: inout [TableLayout.Role], _ path: String
    ) throws {
        let exact = names.indices.filter { names[$0] == column }
        guard exact.count <= 1 else {
            throw TreadleError(.badData, "\(path): \(exact.count) columns are called \"\(column.printable)\"; keep one")
        }
        if let field = exact.first {
            roles[field] = .input(index)
            return
        }
        // `city=Rome` was made from a column `city`; either part may contain "=".
        for (split, character) in zip(column.indices, column) where character == "=" {
            guard let field = names.firstIndex(of: String(column[..<split])) else { continue }
            var values: [String: Int] = [:]
            if case .oneHot(let known) = roles[field] { values = known }
            values[String(column[column.index(after: split)...])] = index
            roles[field] = .oneHot(values: values)
            return
        }
        let shown = names.prefix(12).map(\.printable).joined(separator: ", ")
        throw TreadleError(
            .badData,
            "\(path) has no column \"\(column.printable)\", which the model learned from; its columns are \(shown)"
                + (names.count > 12 ? " and \(names.count - 12) more" : ""))
    }
}
