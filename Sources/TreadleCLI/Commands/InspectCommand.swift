internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleModel
internal import TreadleRun
internal import TreadleTools

/// `treadle inspect FILE`: what a checkpoint holds and how healthy it is; any other HDF5 file as a tree.
enum InspectCommand {
    private static let file = Argument("FILE.h5", "a checkpoint, or any HDF5 file")
    private static let digest = Option.flag("digest", "print the SHA-256 of the parameters and nothing else")
    private static let tensor = Option.value(
        "tensor", "NAME", "print an array, or a part of it as in dense/weight[0:3,:5]")
    private static let csv = Option.flag("csv", "with --tensor: write all numbers as CSV, exactly")
    private static let html = Option.value(
        "html", "FILE", "write all of it as a page that needs no network and no scripts", values: .file)
    private static let card = Option.value(
        "card", "FILE.md", "write a model card: Markdown with the front matter that model hubs read", values: .file)
    private static let data = Option.value(
        "data", "D.h5", "with --html or --card: the rows to measure the model on, HDF5 or a table; may be repeated",
        values: .file, repeatable: true)
    private static let limit = Option.value(
        "limit", "SECONDS", "how long libhdf5 may take for the file (default: 4)")

    static let command = Command(
        "inspect", group: .looking,
        summary: "show what a checkpoint holds and how healthy it is",
        discussion: [
            "Shows the network, where training stands, its curve, statistics of every array of weights, and what looks "
                + "sick: dead or saturated units, numbers that are not finite, overfitting, with what it usually means.",
            "A file that is no checkpoint is shown as a tree: weights of Keras, snapshots of Caffe, plain datasets. "
                + "libhdf5 opens every file in a process of its own with limits on memory and time: a hostile one can "
                + "do no harm.",
        ],
        examples: [
            .init("treadle inspect runs/churn/final.h5", "the network, its training, its numbers, what looks sick"),
            .init("treadle inspect --tensor dense/weight[0:3,:5] runs/churn/final.h5", "a corner of a weight matrix"),
            .init("treadle inspect --tensor dense/bias --csv runs/churn/final.h5", "an array for other programs"),
            .init("treadle inspect --digest runs/churn/final.h5", "equal digests mean equal weights"),
            .init("treadle inspect --html report.html runs/churn/final.h5", "a page to look at, to print, to send"),
            .init(
                "treadle inspect --html report.html --data march.csv runs/churn/final.h5",
                "the same on other rows, with how they differ from those of training"),
            .init(
                "treadle inspect --card model.md runs/churn/final.h5", "what a model hub, or a colleague, wants to know"
            ),
            .init("treadle inspect --json runs/churn/final.h5", "all of it for programs"),
            .init("treadle inspect data/train.h5", "what is in any other HDF5 file"),
        ],
        arguments: [file],
        options: [digest, tensor, csv, html, card, data, limit],
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        try call.checkJSON(beside: html)
        try call.checkJSON(beside: card)
        let path = call.argument(file)
        guard !call.has(data) || call.has(html) || call.has(card) else {
            throw call.usage("--data goes with --html FILE or --card FILE.md; eval measures on it")
        }
        guard !call.has(csv) || call.has(tensor) else { throw call.usage("--csv goes with --tensor NAME") }
        let seconds = try call.integer(limit, in: 1...86_400) ?? 4
        if Inspection.isForeign(path) {
            try inspectForeign(path, seconds, call)
        } else if call.has(digest) {
            let digest = try CheckpointFile(path, helper: .program, seconds: seconds).parameterDigest()
            if call.wantsJSON {
                try call.output.write(json: ["digest": .string(digest)])
            } else {
                try call.output.writeLine(digest)
            }
        } else if let name = call.value(tensor) {
            let (plain, slice) = try TensorSlice.split(name)
            try write(
                try SlicedArray(
                    plain, slice, of: try CheckpointFile(path, helper: .program, seconds: seconds).checkpoint()),
                call)
        } else {
            let file = try CheckpointFile(path, helper: .program, seconds: seconds)
            let inspection = try Inspection(file, workers: try call.workers())
            if let page = call.value(html) {
                let model = try file.model()
                let (evaluated, explored, note) = try measure(model, inspection, call)
                let report = HTMLReport(
                    inspection, of: model, evaluated: evaluated, note: note, explored: explored)
                try write(report.text, "report", on: inspection, to: page, evaluated, note, call)
            } else if let page = call.value(card) {
                let (evaluated, explored, note) = try measure(try file.model(), inspection, call)
                let text = ModelCard(inspection, evaluated: evaluated, importance: explored?.importance).text
                try write(text, "card", on: inspection, to: page, evaluated, note, call)
            } else {
                try write(inspection, call)
            }
        }
        return .done
    }

    private static func write(_ inspection: Inspection, _ call: Invocation) throws {
        guard !call.wantsJSON else { return try call.output.write(json: inspection.json) }
        let terminal = call.output.terminal
        let text = InspectionText(
            inspection, width: terminal.width(fallback: 100), unicode: terminal.hasUnicode, heading: terminal.bold)
        try call.output.write(text.text)
    }

    private static func write(
        _ text: String, _ what: String, on inspection: Inspection, to page: String, _ evaluated: EvaluatedSet?,
        _ note: String?, _ call: Invocation
    ) throws {
        if page == "-" {
            try call.output.write(text)
        } else {
            try DurableFile.write(text, to: page)
            if call.wantsJSON {
                try call.output.write(
                    json: [
                        "file": .string(page), "checkpoint": .string(inspection.path),
                        "set": evaluated.map { .string($0.set) } ?? .null, "note": note.map(JSONValue.string) ?? .null,
                    ])
            } else {
                call.log.note("\(page): the \(what) on \(inspection.path)")
            }
        }
    }

    /// What the model reaches on the rows that the call or its configuration names, and how it uses their columns; where they
    /// are not there, why not.
    private static func measure(
        _ saved: SavedModel, _ inspection: Inspection, _ call: Invocation
    ) throws -> (EvaluatedSet?, Exploration?, note: String?) {
        do {
            let workers = try call.workers()
            let model = try TrainedModel(saved, from: inspection.checkpoint.origin, path: inspection.path)
            let log = call.log
            let (set, rows) = try model.rows(of: call.values(data), workers: workers) { log.write($0, $1) }
            let extra = model.configuration.task.reportMetrics(outputs: inspection.checkpoint.network.outputs)
            let result = try model.evaluate(rows, metrics: model.configuration.metrics + extra, workers: workers)
            let judgement = Judgement(try model.score(rows, workers: workers), workers: workers)
            let explored = try Exploration(model, on: rows, workers: workers)
            return (EvaluatedSet(set: set, evaluation: result, judgement: judgement), explored, nil)
        } catch let error as TreadleError where error.kind != .tryAgain && !call.has(data) {
            call.log.note("the report goes without a measurement: \(error)")
            return (nil, nil, error.description)
        }
    }

    private static func inspectForeign(_ path: String, _ seconds: Int, _ call: Invocation) throws {
        guard !call.has(html), !call.has(card) else {
            throw TreadleError(
                .badData, "\(path): not a checkpoint of treadle; --html and --card report on checkpoints")
        }
        guard !call.has(digest) else {
            throw TreadleError(
                .badData, "\(path): not a checkpoint of treadle, so it has no digest; sha256sum tells files apart")
        }
        if let name = call.value(tensor) {
            try write(try SlicedArray.readGuarded(name, of: path, seconds: seconds, helper: .program), call)
            return
        }
        let survey = try FileSurvey.readGuarded(path, seconds: seconds, helper: .program)
        if call.wantsJSON {
            try call.output.write(json: survey.json(path: path))
        } else {
            try call.output.write(SurveyText(survey, path: path, unicode: call.output.terminal.hasUnicode).text)
        }
    }

    private static func write(_ array: SlicedArray, _ call: Invocation) throws {
        let text = ArrayText(array: array)
        if call.wantsJSON {
            try call.output.write(json: text.json)
        } else if call.has(csv) {
            try text.writeCSV(to: call.output)
        } else {
            // A person asks for a part; a file takes all.
            let terminal = call.output.terminal
            try text.write(to: call.output, most: terminal.isTerminal ? 2000 : .max, unicode: terminal.hasUnicode)
        }
    }
}
