internal import HDF5
internal import TreadleBase
internal import TreadleRun
internal import TreadleTools

/// `treadle eval`: loss and metrics of a checkpoint on a dataset.
enum EvalCommand {
    private static let file = Argument("FILE", "the checkpoint", hasSettings: true)
    private static let data = Option.value(
        "data", "D.h5", "the dataset, HDF5 or a table; may be repeated for several files that are one", values: .file,
        repeatable: true)

    static let command = Command(
        "eval", group: .using, summary: "measure a checkpoint's loss and metrics on a dataset",
        discussion: [
            "Without --data it takes data.test of the configuration that the checkpoint was trained by, or its data.valid.",
            "Every metric that fits the task is measured, over all rows and in a fixed order: the same numbers each time.",
        ],
        examples: [
            .init("treadle eval runs/churn/final.h5 --data data/test.h5", "measure on other data"),
            .init("treadle eval runs/churn/best.h5 --json", "on the run's own test set, for a script"),
        ],
        arguments: [file], options: [data], endsOnRequest: true, readsForeignRows: true,
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        let stop = Signals.stop
        let model = try call.model(at: call.argument(file))
        let workers = try call.workers(for: model)
        let log = call.log
        let (name, rows) = try model.rows(of: call.values(data), workers: workers, stop: stop) { log.write($0, $1) }
        let result = try model.evaluate(rows, workers: workers, stop: stop)
        if call.wantsJSON {
            try call.output.write(json: json(result, set: name, of: model))
        } else {
            try call.output.write(text(result, classes: model.saved.classes))
        }
        return .done
    }

    private static func text(_ result: Evaluation, classes: [String]?) -> String {
        var table = TextTable([.init(""), .init("", .right)])
        table.add(["rows", Figure.grouped(result.rows)])
        table.add(["loss", Figure.steady(result.loss)])
        for name in EpochTable.ordered(result.metrics.keys) {
            table.add([name, Figure.steady(result.metrics[name] ?? .nan)])
        }
        guard let confusion = result.confusion, confusion.count <= 20 else { return table.text() }
        return table.text() + "\n" + matrix(confusion, classes: classes)
    }

    /// The confusion matrix: a row for each class, a column for each answer.
    private static func matrix(_ confusion: [[Double]], classes: [String]?) -> String {
        let names = confusion.indices.map { (classes?[$0] ?? String($0)).printable }
        var table = TextTable([.init("true \\ predicted")] + names.map { .init($0, .right) })
        for (name, row) in zip(names, confusion) { table.add([name] + row.map { Figure.compact($0) }) }
        return table.text()
    }

    private static func json(_ result: Evaluation, set: String, of model: TrainedModel) -> JSONValue {
        let metrics = EpochTable.ordered(result.metrics.keys)
        var members: [JSONValue.Member] = [
            .init("checkpoint", .string(model.path)), .init("set", .string(set)), .init("rows", .integer(result.rows)),
            .init("loss", .number(result.loss)),
        ]
        members += metrics.map { .init($0, .number(result.metrics[$0] ?? .nan)) }
        if let confusion = result.confusion {
            members.append(.init("confusion", .array(confusion.map { .array($0.map(JSONValue.number)) })))
            if let classes = model.saved.classes {
                members.append(.init("classes", .array(classes.map(JSONValue.string))))
            }
        }
        return .object(members)
    }
}
