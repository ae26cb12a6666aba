internal import HDF5
internal import Synchronization
internal import TreadleBase
internal import TreadleData
internal import TreadleModel
internal import TreadleRun
internal import TreadleTools

/// `treadle import INPUT… -o data.h5`: tables and arrays become one HDF5 file.
enum ImportCommand {
    private static let inputs = Argument(
        "INPUT", "a CSV or TSV table, NPY, NPZ or IDX; also as .gz, tables also as .zip", count: .oneOrMore)
    private static let output = Option.value("output", short: "o", "FILE", "the HDF5 file to write", values: .file)
    private static let force = Option.flag("force", "replace the file if it exists")
    private static let target = Option.value(
        "target", "NAMES",
        "what is to be predicted: a column by name, by number from 1 or from the end by -1; "
            + "several with commas; for NPZ the name of an array")
    private static let noTarget = Option.flag("no-target", "import inputs alone, to predict from")
    private static let targetFile = Option.value(
        "target-file", "FILE", "the NPY or IDX file of targets, where its name does not tell", values: .file,
        repeatable: true)
    private static let columns = Option.value(
        "columns", "NAMES",
        "learn from these columns alone: names, numbers, spans such as 3-10, with commas; "
            + "for NPZ the name of an array")
    static let kind = Option.value(
        "kind", "COLUMN=KIND",
        "what a column is, where that is not what it seems to be: number, category, date, flag or drop; "
            + "date:d/m/Y or date:m/d/Y where days and months could be mistaken", repeatable: true)
    private static let drop = Option.value("drop", "NAMES", "leave these columns out: --kind NAME=drop for each")
    private static let oneHot = Option.value(
        "one-hot", "NAMES", "take these columns for categories: --kind NAME=category for each")
    private static let labels = Option.flag(
        "labels", "take the target's numbers as names of classes: --kind TARGET=category")
    private static let rare = Option.value(
        "rare", "ROWS", "pool values of a category that fewer rows have (default: by the number of rows, 1 to 10)")
    private static let mostValues = Option.value(
        "most-values", "N",
        "pool the rest of a category that has more values (default: by the number of rows, 10 to 250)")
    private static let like = Option.value(
        "like", "FILE",
        "read the table as this HDF5 file or model does: the same columns by name, in any order, with the same categories",
        values: .file)
    private static let classes = Option.value(
        "classes", "NAMES", "the classes' names in the order of their numbers, with commas")
    private static let classesFrom = Option.value(
        "classes-from", "FILE", "number the classes as this HDF5 file does: for the test set of a training set",
        values: .file)
    private static let delimiter = Option.value(
        "delimiter", "CHAR", "what lies between fields: a character, tab, comma, semicolon or pipe")
    private static let header = Option.value(
        "header", "WHEN", "whether the first row names the columns (default: auto, by how it differs from those below)",
        values: .choice(["yes", "no", "auto"]))
    private static let float64 = Option.flag("float64", "store fractions in 64 bits instead of 32")
    private static let compress = Option.flag(
        "compress", "store compressed chunks: smaller, but slower to train from")

    static let command = Command(
        "import", group: .data,
        summary: "turn CSV, NPY, NPZ or IDX files into HDF5",
        discussion: [
            "Writes /x with a row for each row of the input and /y with its target; /classes holds the names of "
                + "classes, /schema what a table's columns are. Bytes stay bytes, everything else in /x becomes float32.",
            "Of a table, it finds out what each column is, and says it: numbers, also with currency signs, decimal "
                + "commas and marks between thousands; words, which become categories whose rare values are pooled; "
                + "dates, which become days, years and circles of months, weekdays and hours; flags, which have two values; "
                + "identifiers and free text, which are left out. --kind says otherwise. An empty field, NA, N/A, NaN, "
                + "null, none, ? and - are missing values. Rows without a target are left out.",
            "Several inputs are the parts of one dataset, in order; columns of tables are joined by name. Of array files, "
                + "one number a row is a target; where shapes do not tell, names such as y or labels do. An NPZ with "
                + "x_train, y_train, x_test and y_test keeps them as such.",
            "The file appears when it is whole: a failed import leaves nothing behind.",
        ],
        examples: [
            .init(
                "treadle import churn.csv --target churned -o churn.h5", "learn the column \"churned\" from all others"),
            .init(
                "treadle import 2025-*.csv.gz --target price --kind zip=category --drop code -o prices.h5",
                "several parts, packed; a column of numbers that are names, and one left out"),
            .init(
                "treadle import new.csv --like churn.h5 -o new.h5",
                "another file of the same table: the same columns by name, in any order"),
            .init(
                "treadle import train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz -o train.h5",
                "images and their labels"),
            .init("treadle import x.npy y.npy -o data.h5", "what NumPy saved"),
        ],
        arguments: [inputs],
        options: [
            output, target, noTarget, kind, like, columns, drop, oneHot, labels, rare, mostValues, classes, classesFrom,
            targetFile, delimiter, header, float64, compress, force,
        ], endsOnRequest: true, readsForeignRows: true,
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        var table = TableOptions()
        table.targets = list(call.value(target))
        table.inputs = call.value(columns).map(list)
        table.kinds = try kinds(call, table.targets)
        table.rare = try call.integer(rare)
        table.mostValues = try call.integer(mostValues, in: 1...65_536)
        table.delimiter = try call.value(delimiter).map { try byte($0, call) }
        if let when = call.value(header), when != "auto" { table.header = when == "yes" }
        if call.has(noTarget) && call.has(target) { throw call.usage("--target and --no-target exclude each other") }
        table.classes = try classNames(call)
        let request = ImportRequest(
            inputs: call.arguments(inputs), output: try call.hdf5File(output), replacing: call.has(force),
            compress: call.has(compress), float64: call.has(float64), table: table,
            targetFiles: call.values(targetFile), needsTarget: !call.has(noTarget) && !call.has(like),
            like: try schema(call), ignoresTargets: call.has(like) && call.has(noTarget))
        let stop = Signals.stop
        let live = LiveImport(log: call.log)
        defer { call.log.showLive(nil) }
        let summary = try Import(request, workers: try call.workers(), stop: stop, progress: live.show).run()
        call.log.showLive(nil)
        try report(summary, request, call)
        return .done
    }

    /// What columns are to be, by `--kind`.
    static func requestedKinds(_ call: Invocation) throws -> [RequestedKind] {
        try call.values(kind).map { text in
            guard let kind = RequestedKind(text) else {
                throw call.usage(
                    "--kind is \"\(text)\", but takes COLUMN=KIND, where KIND is one of "
                        + RequestedKind.words.joined(separator: ", "))
            }
            return kind
        }
    }

    /// What columns are to be, by all options that say so.
    private static func kinds(_ call: Invocation, _ targets: [String]) throws -> [RequestedKind] {
        var kinds = try requestedKinds(call)
        kinds += list(call.value(drop)).map { RequestedKind($0, .drop) }
        kinds += list(call.value(oneHot)).map { RequestedKind($0, .category) }
        if call.has(labels) { kinds += targets.map { RequestedKind($0, .category) } }
        return kinds
    }

    /// The columns of the file that this one is to be like.
    private static func schema(_ call: Invocation) throws -> TableSchema? {
        guard let path = call.value(like) else { return nil }
        for option in [target, kind, columns, drop, oneHot, labels, rare, mostValues, classes, classesFrom]
        where call.has(option) {
            throw call.usage("--\(option.long) and --like exclude each other: the other file has decided it")
        }
        let isModel = try H5File.open(path).contains("/treadle")
        let schema =
            try isModel
            ? TrainedModel.read(path, helper: .program).saved.schema : TableSchema(ofDataFile: path)
        guard let schema else {
            throw TreadleError(
                .badData,
                "\(path) does not say what its columns are; name an HDF5 file that was imported from a table, or a model "
                    + "that learned from one")
        }
        return schema
    }

    private static func report(_ summary: ImportSummary, _ request: ImportRequest, _ call: Invocation) throws {
        if call.wantsJSON {
            try call.output.write(json: json(summary, request))
            return
        }
        let arrays = summary.arrays.map { array in
            "\(array.name) \(array.shape.map(String.init).joined(separator: "×")) \(array.type)"
        }
        call.log.note("\(request.output): " + arrays.joined(separator: ", "))
        if let classes = summary.classes {
            let shown = classes.prefix(10).map(\.printable).joined(separator: ", ")
            call.log.note(
                "\(Figure.count(classes.count, "class", plural: "classes")): \(shown)\(classes.count > 10 ? ", …" : "")"
            )
        }
        if !summary.findings.isEmpty, !call.isQuiet { call.log.note(FindingsText(summary.findings).text) }
        for note in summary.notes { call.log.write(.warning, note) }
        // Without targets there is nothing to learn, and init would say so.
        guard summary.arrays.contains(where: { $0.name.hasPrefix("/y") }) else { return }
        call.log.note("next: treadle init \(request.output.shellWord)")
    }

    private static func json(_ summary: ImportSummary, _ request: ImportRequest) -> JSONValue {
        func texts(_ texts: [String]?) -> JSONValue { texts.map { .array($0.map(JSONValue.string)) } ?? .null }
        return .object([
            .init("file", .string(request.output)),
            .init(
                "arrays",
                .array(
                    summary.arrays.map { array in
                        .object([
                            .init("name", .string(array.name)),
                            .init("shape", .array(array.shape.map(JSONValue.integer))),
                            .init("type", .string(array.type)),
                        ])
                    })),
            .init("classes", texts(summary.classes)),
            .init("columns", texts(summary.columns)),
            .init(
                "table",
                .array(
                    summary.findings.map { finding in
                        .object([
                            .init("name", .string(finding.name)), .init("kind", .string(finding.kind)),
                            .init("inputs", .integer(finding.inputs)), .init("values", .string(finding.values)),
                            .init("missing", .number(finding.missing)), .init("note", .string(finding.note)),
                        ])
                    })),
            .init("notes", texts(summary.notes)),
        ])
    }

    private static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map(String.init)
    }

    private static func byte(_ text: String, _ call: Invocation) throws -> UInt8 {
        let names: [String: UInt8] = ["tab": 9, "\\t": 9, "comma": 44, "semicolon": 59, "pipe": 124, "space": 32]
        if let known = names[text] { return known }
        guard let byte = text.utf8.first, text.utf8.count == 1, byte >= 0x20 || byte == 9,
            !"\"0123456789+-.".utf8.contains(byte)
        else { throw call.usage("--delimiter is \"\(text)\", but takes one character that no number contains") }
        return byte
    }

    private static func classNames(_ call: Invocation) throws -> [String]? {
        guard let path = call.value(classesFrom) else { return call.value(classes).map(list) }
        guard !call.has(classes) else { throw call.usage("--classes and --classes-from exclude each other") }
        let file = try H5File.open(path)
        guard try file.contains("/classes") else {
            throw TreadleError(.badData, "\(path) has no /classes; name a file imported with a target of text")
        }
        return try file.dataset("/classes").readStrings()
    }
}

/// How far an import has come, as a line on the terminal.
private final class LiveImport: Sendable {
    private let log: Log
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private let drawn = Mutex<ContinuousClock.Instant?>(nil)

    init(log: Log) {
        self.log = log
        start = clock.now
    }

    func show(_ progress: ImportProgress) {
        guard log.terminal.isLive, log.lowest.severity <= LogLevel.info.severity else { return }
        let now = clock.now
        let isDue = drawn.withLock { last in
            if let last, now - last < .milliseconds(100) { return false }
            last = now
            return true
        }
        guard isDue, progress.total > 0 else { return }
        let share = Double(progress.done) / Double(progress.total)
        let seconds = (now - start) / .seconds(1)
        let left = share > 0 ? Figure.duration(seconds / share - seconds) : "?"
        log.showLive("importing: \(Int(share * 100)) %, \(left) left")
    }
}
