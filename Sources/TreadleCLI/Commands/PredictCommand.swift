internal import Foundation
internal import HDF5
internal import TreadleBase
internal import TreadleData
internal import TreadleRun
internal import TreadleTools

/// `treadle predict`: what a model says about the rows of a file.
enum PredictCommand {
    private static let file = Argument("FILE", "the checkpoint", hasSettings: true)
    private static let inputs = Argument(
        "INPUT", "rows to predict: HDF5 files or tables that are one dataset, or an NPY or IDX file", count: .oneOrMore)
    private static let output = Option.value(
        "output", short: "o", "OUT", "write there: HDF5, or CSV for a name in .csv; - writes CSV to stdout",
        values: .file)
    private static let x = Option.value(
        "x", "PATH", "where the inputs are in HDF5 files, if not where they were in training")
    private static let force = Option.flag("force", short: "f", "replace the output where it exists")

    private static let spread = Option.flag(
        "spread", "say how far the members of a model disagree: their standard deviation, beside each value")

    static let command = Command(
        "predict", group: .using, summary: "say what a model makes of new rows",
        discussion: [
            "Classes: /probabilities (N×K), /class and /class_name. Labels: /probabilities and /label, 1 from 0.5 on. "
                + "Quantities: /value in the target's own units. The normalization of training is applied to the inputs.",
            "A model with members answers by their mean; --spread adds their standard deviation, as /spread or columns.",
            "Columns are found by the names of training, in HDF5 files with names as in tables. Those of a table that the "
                + "model does not know are left out, and words that it does not know count as other ones. "
                + "Memory stays small however long the input is, and the output appears when it is whole.",
        ],
        examples: [
            .init("treadle predict models/churn.h5 new.csv -o -", "a table in, a table out"),
            .init("treadle predict runs/churn/final.h5 data/test.h5 -o predicted.h5", "from HDF5 to HDF5"),
            .init(
                "treadle predict models/churn.h5 new.csv --spread -o new-scores.csv", "with the members' disagreement"),
        ],
        arguments: [file, inputs], options: [output, x, spread, force], endsOnRequest: true, readsForeignRows: true,
        run: run)

    /// Whether all are text: a model that knows a table's columns reads them as its training data was imported.
    private static func areTables(_ files: [String]) throws -> Bool {
        try files.allSatisfy { try !H5File.isHDF5($0) && FileKind(of: InputFile($0)) == .table }
    }

    private static func run(_ call: Invocation) throws -> ExitCode {
        try call.checkJSON(beside: output)
        let target = try call.required(output)
        let isText = target == "-" || target.lowercased().hasSuffix(".csv")
        if !isText { _ = try call.hdf5File(output, or: ".csv") }
        let files = call.arguments(inputs)
        let stop = Signals.stop
        let model = try call.model(at: call.argument(file))
        let workers = try call.workers(for: model)
        let predictor = try Predictor(model, workers: workers, spread: call.has(spread), stop: stop)
        let sink: (Int) throws -> any PredictionSink = { rows in
            if target == "-" {
                return PredictionTable(model: model, workers: workers, put: { try call.output.write($0) })
            }
            guard isText else {
                return try PredictionFile(
                    target, model: model, rows: rows, spread: call.has(spread), replacing: call.has(force))
            }
            let text = try TextFile(target, replacing: call.has(force))
            return PredictionTable(model: model, workers: workers, put: text.write, close: text.finish)
        }
        let log = call.log
        let rows: Int
        let isHDF5 = try files.allSatisfy { try H5File.isHDF5($0) }
        let knowsTables = model.saved.schema != nil && !call.has(x)
        if try isHDF5 || (knowsTables && areTables(files)) {
            rows = try predictor.predict(
                files: files, x: call.value(x), directory: FileManager.default.currentDirectoryPath,
                note: { log.write($0, $1) }, to: sink)
        } else {
            guard files.count == 1 else {
                throw call.usage("several inputs must all be HDF5 files; predict from other files one by one")
            }
            guard !call.has(x) else { throw call.usage("--x goes with HDF5 inputs") }
            rows = try predictor.predict(table: files[0], options: TableOptions(), to: sink)
        }
        if call.wantsJSON {
            try call.output.write(json: ["file": .string(target), "rows": .integer(rows)])
            return .done
        }
        if target != "-" { log.note("\(target): predictions for \(Figure.count(rows, "row"))") }
        return .done
    }
}
