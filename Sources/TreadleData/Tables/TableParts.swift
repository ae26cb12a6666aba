internal import HDF5
internal import TreadleBase
internal import TreadleModel

/// The files that a table comes in: which column each field of theirs is, and their records, some blocks at a time.
struct TableParts {
    let files: [InputFile]
    let formats: [TableFormat]
    /// By file and field: the column of the first file that has this name. Empty where a schema finds the columns.
    let orders: [[Int]]
    private let blocks: [RecordBlock]

    /// Opens files whose columns have the same names in any order, or those that `schema` knows.
    init(_ paths: [String], _ options: TableOptions, like schema: TableSchema?, workers: Workers) throws {
        let known = Set(schema?.columns.map(\.name) ?? [])
        files = try TableParts.all(paths) { path in
            let file = try InputFile(path)
            guard try FileKind(of: file) == .table else {
                throw TreadleError(.badData, "\(path) is no table; a CSV or TSV file is due")
            }
            return file
        }
        formats = try TableParts.all(files) { try TableFormat.detect($0, options, known: known) }
        orders =
            schema != nil
            ? []
            : try TableParts.all(Array(zip(files, formats))) { [files, formats] file, format in
                try TableParts.order(of: format, file.path, formats[0], files[0].path)
            }
        // What is remembered of a column costs some allocations in every block: of a wide table several rows share them.
        let widest = formats.reduce(0) { max($0, $1.width) }
        let capacity = min(max(1 << 20, 256 * widest), 1 << 24)
        blocks = (0..<workers.count * 2).map { _ in RecordBlock(capacity: capacity) }
    }

    private init(files: [InputFile], formats: [TableFormat], orders: [[Int]], blocks: [RecordBlock]) {
        self.files = files
        self.formats = formats
        self.orders = orders
        self.blocks = blocks
    }

    /// One of the files alone.
    func part(_ index: Int) -> TableParts {
        TableParts(
            files: [files[index]], formats: [formats[index]], orders: orders.isEmpty ? [] : [orders[index]],
            blocks: blocks)
    }

    /// What `body` makes of each, with the problems of all of them in one error.
    private static func all<Element, Result>(_ elements: [Element], _ body: (Element) throws -> Result) throws
        -> [Result]
    {
        var results: [Result] = []
        var failures: [TreadleError] = []
        for element in elements {
            do { results.append(try body(element)) } catch { failures.append(TreadleError(of: error)) }
        }
        guard let first = failures.first else { return results }
        throw TreadleError(first.kind, messages: failures.flatMap(\.messages))
    }

    private static func order(
        of format: TableFormat, _ path: String, _ reference: TableFormat, _ referencePath: String
    ) throws -> [Int] {
        guard let names = format.names, let expected = reference.names else {
            guard format.names == nil, reference.names == nil, format.width == reference.width else {
                throw TreadleError(
                    .badData,
                    "\(path) has \(format.width) columns \(format.names == nil ? "without" : "with") names, but "
                        + "\(referencePath) \(reference.width) \(reference.names == nil ? "without" : "with") names; "
                        + "the parts of a table need the same columns, or --header yes or no")
            }
            return Array(0..<format.width)
        }
        let places = Dictionary(zip(expected, 0...), uniquingKeysWith: { first, _ in first })
        let own = Set(names)
        let more = names.filter { places[$0] == nil }
        let less = expected.filter { !own.contains($0) }
        guard more.isEmpty, less.isEmpty else {
            var differences: [String] = []
            if !less.isEmpty { differences.append("it lacks \(less.quotedList)") }
            if !more.isEmpty { differences.append("only it has \(more.quotedList)") }
            throw TreadleError(
                .badData,
                "\(path) has other columns than \(referencePath): \(differences.joined(separator: "; ")); the parts of a "
                    + "table need the same names")
        }
        return names.map { places[$0] ?? 0 }
    }

    /// Does `body`, which reads these files. Where it fails and one of them has changed, that is the reason.
    func confirmed<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            for file in files { try file.checkUnchanged() }
            throw error
        }
    }

    /// Bytes of all files.
    var size: Int { files.reduce(0) { $0 + $1.size } }

    /// Reads all files and hands over some blocks at a time, of whose first `skip` records are a header.
    func forEachGroup(
        _ stop: Stop, _ progress: (_ done: Int) -> Void,
        _ body: (_ file: Int, _ blocks: ArraySlice<RecordBlock>, _ skip: Int) throws -> Void
    ) throws {
        var before = 0
        for (index, file) in files.enumerated() {
            let cutter = RecordCutter(try ByteSource(text: file), delimiter: formats[index].delimiter)
            var skip = formats[index].skip
            while true {
                var count = 0
                while count < blocks.count, try cutter.next(blocks[count]) { count += 1 }
                if count == 0 { break }
                try body(index, blocks[..<count], skip)
                skip = 0
                try stop.check()
                progress(before + cutter.position)
            }
            before += file.size
        }
    }
}

extension [String] {
    /// `"a", "b" and 3 more`
    var quotedList: String {
        let shown = prefix(10).map { "\"\($0.printable)\"" }.joined(separator: ", ")
        return count > 10 ? "\(shown) and \(count - 10) more" : shown
    }
}
