internal import HDF5
internal import TreadleBase
internal import TreadleTools

/// `treadle runs DIR…`: runs side by side.
enum RunsCommand {
    private static let directories = Argument("DIR", "a run's directory, or one with runs below it", count: .oneOrMore)
    private static let sort = Option.value(
        "sort", "KEY", "order by a metric (the best first), a setting, time, epoch or name")

    private static let html = Option.value(
        "html", "FILE", "write a page with the table and the curves of all runs", values: .file)

    static let command = Command(
        "runs", group: .looking,
        summary: "compare runs: settings that differ, metrics, time, digest",
        discussion: [
            "A line for each run: the settings that are not the same in all of them, what the weights in its final.h5, or in "
                + "its newest checkpoint, reach, how long it trained, and the digest of its weights. Equal digests mean "
                + "equal weights.",
            "A run that is still under way is marked with an asterisk.",
        ],
        examples: [
            .init("treadle runs runs/", "every run below a directory"),
            .init("treadle runs runs/a runs/b --sort valid.loss", "two of them, the better first"),
            .init("treadle runs runs/ --html runs.html", "table and curves on one page"),
            .init("treadle runs runs/ --json", "with all settings, for programs"),
        ],
        arguments: [directories], options: [sort, html],
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        try call.checkJSON(beside: html)
        let table = try RunTable(call.arguments(directories), helper: .program) { call.log.write($0, $1) }
        let runs = try table.sorted(by: call.value(sort) ?? "name")
        if let page = call.value(html) {
            let records = runs.compactMap { run -> RunRecord? in
                var record = try? RunRecord.read(run.directory, helper: .program)
                record?.name = run.directory
                return record
            }
            let text = RunTablePage(runs, of: table, records: records).text
            if page == "-" {
                try call.output.write(text)
            } else {
                try DurableFile.write(text, to: page)
                call.log.note("\(page): \(Figure.count(runs.count, "run"))")
            }
        } else if call.wantsJSON {
            try call.output.write(json: .array(runs.map(json)))
        } else {
            try call.output.write(text(runs, of: table))
        }
        return .done
    }

    private static func text(_ runs: [RunTable.Run], of table: RunTable) -> String {
        let metrics = table.metrics.prefix(6)
        let titles = ["run"] + table.differing + metrics + ["epochs", "time", "digest"]
        var lines = TextTable(titles.enumerated().map { .init($1.printable, $0 == 0 ? .left : .right) })
        for run in runs {
            let settings = table.differing.map { run.setting($0)?.printable ?? "-" }
            let values = metrics.map { run.metrics[$0].map(Figure.short) ?? "-" }
            lines.add(
                [run.directory.printable] + settings + values + [
                    Figure.grouped(run.epoch) + (run.isFinished ? "" : "*"), Figure.duration(run.seconds),
                    String(run.digest.prefix(12)),
                ])
        }
        return lines.text()
    }

    private static func json(_ run: RunTable.Run) -> JSONValue {
        .object([
            .init("directory", .string(run.directory)), .init("name", .string(run.name)),
            .init("file", .string(run.file)), .init("finished", .bool(run.isFinished)),
            .init("epoch", .integer(run.epoch)), .init("seconds", .number(run.seconds)),
            .init("digest", .string(run.digest)),
            .init("metrics", .object(run.metrics.keys.sorted().map { .init($0, .number(run.metrics[$0] ?? .nan)) })),
            .init("settings", .object(run.settings.keys.sorted().map { .init($0, run.settings[$0] ?? .null) })),
        ])
    }
}
