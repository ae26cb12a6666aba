internal import Foundation
internal import HDF5
internal import TreadleBase
internal import TreadleData
internal import TreadleTools

/// `treadle init DATA`: a configuration that trains on a file as it is.
enum InitCommand {
    private static let data = Argument("DATA", "the HDF5 file or the table to learn from")
    private static let output = Option.value(
        "output", short: "o", "FILE", "the configuration to write; - is stdout (default: the data's name with .json5)",
        values: .file)
    private static let force = Option.flag("force", "replace the file if it exists")
    private static let inputs = Option.value("x", "PATH", "the dataset of inputs, where the names do not tell")
    private static let targets = Option.value("y", "PATH", "the dataset of targets, where the names do not tell")
    private static let target = Option.value(
        "target", "COLUMN", "the column of a table to predict, by name or number")
    private static let quick = Option.flag("quick", "of a table: one network, and little time, for a first look")
    private static let best = Option.flag("best", "of a table: twice the networks, and more time")
    private static let test = Option.value(
        "test", "FILE", "a file of the same form to evaluate on at the end", values: .file)

    static let command = Command(
        "init", group: .data,
        summary: "write a configuration that trains on a file as it is",
        discussion: [
            "Looks for inputs and targets by their names and shapes: /x and /y, images and labels, x_train and y_train "
                + "with their x_test and y_test, and the like. The targets decide the task: few different whole numbers "
                + "or texts are classes, several columns of 0 and 1 are labels, everything else is a quantity.",
            "A table, as CSV with --target or as imported, gets settings that do well on tables: five networks, each of which "
                + "leaves a fifth of the rows out and is judged by them.",
            "The configuration is a place to start from. It is commented; change what you like.",
        ],
        examples: [
            .init("treadle init churn.h5", "write churn.json5"),
            .init("treadle init houses.csv --target price", "write houses.json5, which trains on the table itself"),
            .init("treadle init train.h5 --test test.h5 -o digits.json5", "with a test set from another file"),
            .init("treadle init scans.h5 --x /run7/pixels --y /run7/kind", "say which datasets are meant"),
        ],
        arguments: [data],
        options: [output, inputs, targets, target, ImportCommand.kind, test, quick, best, force],
        readsForeignRows: true,
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        try call.checkJSON(beside: output)
        let source = call.argument(data)
        let stem = URL(fileURLWithPath: source).deletingPathExtension().lastPathComponent
        let path = call.value(output) ?? "\(stem).json5"
        if path != "-", !call.has(force) { try DurableFile.refuseExisting(path) }
        guard !call.has(quick) || !call.has(best) else { throw call.usage("--quick and --best exclude each other") }
        let effort: Effort = call.has(quick) ? .quick : call.has(best) ? .best : .usual
        let draft =
            if try H5File.isHDF5(source) {
                try fromHDF5(call, source, path, effort)
            } else {
                try fromTable(call, source, path, effort)
            }
        guard path != "-" else {
            try call.output.write(draft.text)
            return .done
        }
        try DurableFile.write(draft.text, to: path)
        if call.wantsJSON {
            try call.output.write(
                json: .object([
                    .init("file", .string(path)), .init("findings", .array(draft.findings.map(JSONValue.string))),
                ]))
            return .done
        }
        for finding in draft.findings { call.log.note(finding) }
        call.log.note("wrote \(path); next: treadle train \(path.shellWord)")
        return .done
    }

    private static func fromHDF5(
        _ call: Invocation, _ source: String, _ path: String, _ effort: Effort
    ) throws -> ConfigurationDraft {
        guard !call.has(target), call.values(ImportCommand.kind).isEmpty else {
            throw call.usage(
                "--target and --kind are for tables; name the dataset of targets in an HDF5 file with --y, and say what the "
                    + "columns of a table are when it is imported")
        }
        return try ConfigurationDraft(
            data: source, for: path, x: call.value(inputs), y: call.value(targets), test: call.value(test),
            effort: effort
        )
    }

    /// Through an HDF5 file that is made of the table for this alone.
    private static func fromTable(
        _ call: Invocation, _ source: String, _ path: String, _ effort: Effort
    ) throws -> ConfigurationDraft {
        guard !call.has(inputs), !call.has(targets) else { throw call.usage("--x and --y are for HDF5 files") }
        guard try FileKind(of: InputFile(source)) == .table else {
            throw TreadleError(
                .badData,
                "\(source): holds arrays and not a table, and is trained on as HDF5: \"treadle import \(source.shellWord) -o "
                    + "data.h5\" first, then \"treadle init data.h5\"")
        }
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("treadle-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let column = call.value(target)
        var request = ImportRequest(inputs: [source], output: directory + "/table.h5", needsTarget: true)
        request.table.targets = column.map { [$0] } ?? []
        request.table.kinds = try ImportCommand.requestedKinds(call)
        request.table.asking = .initializing
        let summary = try Import(request, workers: try call.workers(), stop: Signals.stop).run()
        if !call.isQuiet, !call.wantsJSON { call.log.note(FindingsText(summary.findings).text) }
        for note in summary.notes { call.log.note(note) }
        return try ConfigurationDraft(
            data: source, for: path, test: call.value(test), effort: effort, imported: request.output, target: column,
            kinds: call.values(ImportCommand.kind))
    }
}
