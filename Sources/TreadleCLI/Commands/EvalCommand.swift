internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel
internal import TreadleRun
internal import TreadleTools

/// `treadle eval`: loss and metrics of a checkpoint on a dataset.
enum EvalCommand {
    private static let file = Argument("FILE", "the checkpoint", hasSettings: true)
    private static let data = Option.value(
        "data", "D.h5", "the dataset, HDF5 or a table; may be repeated for several files that are one", values: .file,
        repeatable: true)

    private static let confidence = Option.value(
        "confidence", "SHARE", "how far the numbers would move on other rows, as in 0.95")
    private static let against = Option.value(
        "against", "OTHER", "compare with another checkpoint on the same rows", values: .file)
    private static let importance = Option.flag(
        "importance", "which columns the model goes by: how the loss rises when a column's values change rows")
    private static let cost = Option.value(
        "cost", "FP:FN", "of two classes: what a false alarm and a missed one cost; finds the cheapest threshold")
    private static let alarm = Option.value(
        "alarm", "CLASS", "with --cost: the class that an alarm is about; the second of the two unless it is named")

    static let command = Command(
        "eval", group: .using, summary: "measure a checkpoint's loss and metrics on a dataset",
        discussion: [
            "Columns are found by the names of training. Without --data it takes data.test of the configuration that the "
                + "checkpoint was trained by, or its data.valid.",
            "Every metric that fits the task is measured, over all rows and in a fixed order: the same numbers each time. "
                + "Beside them stands what the most common class, or the mean, reaches; below, how often what was said "
                + "with some probability was so.",
            "--confidence draws the rows again, with repetition, up to 1,000 times, by the run's seed. With --against both "
                + "models are measured on the same draws, so that a small difference can be told from luck.",
        ],
        examples: [
            .init("treadle eval runs/churn/final.h5 --data data/test.h5", "measure on other data"),
            .init("treadle eval runs/churn/final.h5 --data march.csv", "on a table, by the names of its columns"),
            .init("treadle eval runs/churn/best.h5 --json", "on the run's own test set, for a script"),
            .init("treadle eval new.h5 --against old.h5 --data data/test.h5", "is the new one better, or is it luck"),
            .init("treadle eval runs/churn/final.h5 --importance", "which columns matter"),
            .init("treadle eval runs/churn/final.h5 --cost 1:20 --alarm yes", "from which probability on to act"),
        ],
        arguments: [file], options: [data, confidence, against, importance, cost, alarm], endsOnRequest: true,
        readsForeignRows: true,
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        let stop = Signals.stop
        let share = try call.value(confidence).map { text -> Double in
            guard let share = Double(text), share > 0, share < 1 else {
                throw call.usage("--confidence takes a share between 0 and 1, such as 0.95, not \(text.printable)")
            }
            return share
        }
        let prices = try call.value(cost).map { try costs($0, call) }
        let model = try call.model(at: call.argument(file))
        let workers = try call.workers(for: model)
        let log = call.log
        let (name, rows) = try model.rows(of: call.values(data), workers: workers, stop: stop) { log.write($0, $1) }
        let result = try model.evaluate(rows, workers: workers, stop: stop)
        let judgement = Judgement(try model.score(rows, workers: workers, stop: stop), workers: workers)
        if !result.loss.isFinite {
            log.warning(
                "\(model.path): some of its answers for these rows are not finite; \"treadle inspect\" tells which of its "
                    + "weights are too large")
        }
        if prices != nil, model.saved.task != .classification || model.saved.network.outputs != 2 {
            throw call.usage("--cost is for models of two classes")
        }
        let alarmed = try alarmedClass(of: model, prices != nil, call)
        let bootstrap = Bootstrap(seed: model.configuration.seed, confidence: share ?? 0.95, workers: workers)
        var text = JudgementText(judgement: judgement, classes: model.saved.classes)
        text.confidence = share ?? 0.95
        text.cost = prices.map { (alarmed, $0.alarm, $0.missed) }
        if share != nil { text.intervals = bootstrap.intervals(of: judgement.metrics) }
        let comparison = try call.value(against).map { path in
            try Comparison(
                of: model, judgement, with: path, on: call.values(data), bootstrap, confidence: share ?? 0.95,
                workers: workers, stop: stop
            ) { log.warning($0) }
        }
        let findings = call.has(importance) ? try findings(model, on: rows, call, workers, stop) : nil
        if call.wantsJSON {
            var members = json(result, set: name, of: model) + text.members
            if let comparison { members.append(.init("against", comparison.json)) }
            if let findings { members += findings.members }
            try call.output.write(json: .object(members))
        } else {
            try call.output.write(text.text)
            if let confusion = result.confusion, confusion.count <= 20 {
                try call.output.write("\n" + matrix(confusion, classes: model.saved.classes))
            }
            if let comparison { try call.output.write("\n" + comparison.text) }
            if let findings { try call.output.write("\n" + findings.text) }
        }
        return .done
    }

    /// A pass over the rows for every column and repeat: on a terminal it shows how far it is.
    private static func findings(
        _ model: TrainedModel, on rows: RowSet, _ call: Invocation, _ workers: Workers, _ stop: Stop
    ) throws -> ImportanceText {
        let isShown = call.log.terminal.isTerminal && !call.isQuiet
        defer { if isShown { call.log.showLive(nil) } }
        let importance = try Importance(of: model, on: rows, workers: workers, stop: stop) { share in
            guard isShown else { return }
            let bar = String(repeating: "#", count: Int(share * 30))
            call.log.showLive(
                "importance [" + bar + String(repeating: ".", count: 30 - bar.count) + "] \(Figure.percent(share))")
        }
        return ImportanceText(importance: importance, coefficients: Coefficients.all(model))
    }

    /// The place among the classes of the one that `--alarm` names.
    private static func alarmedClass(of model: TrainedModel, _ isAsked: Bool, _ call: Invocation) throws -> Int {
        guard let name = call.value(alarm) else { return 1 }
        guard isAsked else {
            throw call.usage("--alarm says which class the costs of --cost are about; give --cost, too")
        }
        let classes = model.saved.classes ?? ["0", "1"]
        guard let place = classes.firstIndex(of: name) else {
            let known = classes.map(\.printable).joined(separator: " and ")
            throw call.usage("--alarm takes a class of the model, \(known), not \(name.printable)")
        }
        return place
    }

    /// `1:20`: what a false alarm costs, and what a missed one.
    private static func costs(_ text: String, _ call: Invocation) throws -> (alarm: Double, missed: Double) {
        let parts = text.split(separator: ":").map { Double($0) }
        guard parts.count == 2, let alarm = parts[0], let missed = parts[1], alarm >= 0, missed >= 0,
            (alarm + missed).isFinite, alarm + missed > 0
        else {
            throw call.usage(
                "--cost takes two costs such as 1:20, of a false alarm and of a missed one, not \(text.printable)")
        }
        return (alarm, missed)
    }

    /// The confusion matrix: a row for each class, a column for each answer.
    private static func matrix(_ confusion: [[Double]], classes: [String]?) -> String {
        let names = confusion.indices.map { (classes?[$0] ?? String($0)).printable }
        var table = TextTable([.init("true \\ predicted")] + names.map { .init($0, .right) })
        for (name, row) in zip(names, confusion) { table.add([name] + row.map { Figure.compact($0) }) }
        return table.text()
    }

    private static func json(_ result: Evaluation, set: String, of model: TrainedModel) -> [JSONValue.Member] {
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
        return members
    }
}

/// Two models on the same rows.
private struct Comparison {
    private let paths: [String]
    private let values: [[String: Double]]
    private let differences: [String: Bootstrap.Difference]
    private let confidence: Double
    /// What the first model's training went by.
    private let watched: String

    init(
        of model: TrainedModel, _ judgement: Judgement, with path: String, on files: [String], _ bootstrap: Bootstrap,
        confidence: Double, workers: Workers, stop: Stop, warn: (String) -> Void
    ) throws {
        let other = try TrainedModel.read(path, helper: .program)
        guard other.saved.task == model.saved.task, other.saved.network.outputs == model.saved.network.outputs,
            other.saved.classes == nil || model.saved.classes == nil || other.saved.classes == model.saved.classes
        else {
            throw TreadleError(
                .badData,
                "\(path): it answers with other classes or quantities than \(model.path); only models of the same "
                    + "outputs can be compared")
        }
        if files.isEmpty, model.mayHaveTaught(other) {
            warn(
                "\(path): its training put other rows aside (data.valid, data.test or the seed differ), and may have learnt from "
                    + "some of these; name rows that neither model has learnt from with --data")
        }
        // The same rows, whose columns the other model finds by its own names.
        let rows = try model.rows(of: files, like: other, workers: workers, stop: stop) { _, _ in }.rows
        let scored = try other.score(rows, workers: workers, stop: stop)
        guard scored.count == judgement.rows.count, scored.classes == judgement.rows.classes,
            scored.targets.count == judgement.rows.targets.count
        else {
            throw TreadleError(
                .badData,
                "\(path): by its columns other rows are put aside for validation than by those of \(model.path), so that the "
                    + "two cannot be compared on them; name rows with --data")
        }
        let metrics = RowMetrics(scored, workers: workers)
        paths = [model.path, path]
        values = [judgement.values, metrics.values()]
        differences = bootstrap.differences(of: judgement.metrics, from: metrics)
        self.confidence = confidence
        let name = WatchedMetric(of: model.configuration).name.split(separator: ".").last.map(String.init) ?? "loss"
        watched = differences[name] == nil ? "loss" : name
    }

    var text: String {
        var table = TextTable(
            [
                "", paths[0].printable, paths[1].printable, "difference",
                "with \(Figure.digits(4, confidence * 100)) % confidence",
            ]
            .enumerated().map { .init($1, $0 == 0 ? .left : .right) })
        for name in EpochTable.ordered(differences.keys) {
            guard let difference = differences[name]?.interval else { continue }
            table.add([
                name, Figure.steady(values[0][name] ?? .nan), Figure.steady(values[1][name] ?? .nan),
                Figure.steady(difference.value),
                "\(Figure.steady(difference.low)) to \(Figure.steady(difference.high))",
            ])
        }
        return table.text() + "\n" + sentence + "\n"
    }

    private var sentence: String {
        guard let difference = differences[watched]?.interval else { return "Nothing can be compared." }
        let better = WatchedMetric(watched).higherIsBetter == (difference.value > 0)
        if difference.low == 0, difference.high == 0 { return "By \(watched) the two are the same on these rows." }
        let certain = difference.low > 0 || difference.high < 0
        let verdict = certain ? "more than luck" : "it may be luck, as the interval holds 0"
        return "By \(watched), \(paths[0].printable) is \(better ? "better" : "worse") by "
            + "\(Figure.short(abs(difference.value))) than \(paths[1].printable): \(verdict)."
    }

    var json: JSONValue {
        .object(
            [.init("checkpoint", .string(paths[1])), .init("confidence", .number(confidence))]
                + EpochTable.ordered(differences.keys).compactMap { name in
                    differences[name].map { difference in
                        .init(
                            name,
                            [
                                "value": .number(values[1][name] ?? .nan),
                                "difference": .number(difference.interval.value),
                                "low": .number(difference.interval.low), "high": .number(difference.interval.high),
                                "not_worse": .number(difference.notWorse),
                            ])
                    }
                } + [.init("sentence", .string(sentence))])
    }
}
