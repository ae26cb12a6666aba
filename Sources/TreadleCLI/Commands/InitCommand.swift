internal import Foundation
internal import TreadleBase
internal import TreadleTools

/// `treadle init DATA.h5`: a configuration that trains on a file as it is.
enum InitCommand {
    private static let data = Argument("DATA.h5", "the HDF5 file to learn from")
    private static let output = Option.value(
        "output", short: "o", "FILE", "the configuration to write; - is stdout (default: the data's name with .json5)",
        values: .file)
    private static let force = Option.flag("force", "replace the file if it exists")
    private static let inputs = Option.value("x", "PATH", "the dataset of inputs, where the names do not tell")
    private static let targets = Option.value("y", "PATH", "the dataset of targets, where the names do not tell")
    private static let test = Option.value(
        "test", "FILE", "an HDF5 file of the same form to evaluate on at the end", values: .file)

    static let command = Command(
        "init", group: .data,
        summary: "write a configuration that trains on a file as it is",
        discussion: [
            "Looks for inputs and targets by their names and shapes: /x and /y, images and labels, x_train and y_train "
                + "with their x_test and y_test, and the like. The targets decide the task: few different whole numbers "
                + "or texts are classes, several columns of 0 and 1 are labels, everything else is a quantity.",
            "The configuration is a place to start from. It is commented; change what you like.",
        ],
        examples: [
            .init("treadle init churn.h5", "write churn.json5"),
            .init("treadle init train.h5 --test test.h5 -o digits.json5", "with a test set from another file"),
            .init("treadle init scans.h5 --x /run7/pixels --y /run7/kind", "say which datasets are meant"),
        ],
        arguments: [data],
        options: [output, inputs, targets, test, force], readsForeignRows: true,
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        try call.checkJSON(beside: output)
        let source = call.argument(data)
        let stem = URL(fileURLWithPath: source).deletingPathExtension().lastPathComponent
        let path = call.value(output) ?? "\(stem).json5"
        if path != "-", !call.has(force) { try DurableFile.refuseExisting(path) }
        let draft = try ConfigurationDraft(
            data: source, for: path, x: call.value(inputs), y: call.value(targets), test: call.value(test))
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
}
