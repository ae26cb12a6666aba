internal import TreadleBase
internal import TreadleTools

/// `treadle plot RUN… -o curves.svg`: loss and metric curves of one run or several.
enum PlotCommand {
    private static let runs = Argument(
        "RUN", "a run's directory, its metrics.jsonl, or a checkpoint", count: .oneOrMore)
    private static let output = Option.value(
        "output", short: "o", "FILE.svg", "the file to write, - for stdout", values: .file)
    private static let metric = Option.value(
        "metric", "NAME", "draw this metric, as in valid.loss (default: all)", repeatable: true)
    private static let axis = Option.value(
        "x", "AXIS", "epoch, step or seconds (default: epoch)",
        values: .choice(RunCharts.Axis.allCases.map(\.rawValue)))
    private static let logarithmic = Option.flag("log", "draw values on a logarithmic axis")

    static let command = Command(
        "plot", group: .looking,
        summary: "draw the loss and metric curves of one run or several",
        discussion: [
            "Writes an SVG with a chart for each kind of metric. Dashed lines are of validation rows, dots of test rows. "
                + "It follows the light or dark theme of whoever looks at it."
        ],
        examples: [
            .init("treadle plot runs/churn -o curves.svg", "the curves of a run, also while it trains"),
            .init("treadle plot runs/a runs/b --metric valid.loss -o both.svg", "compare two runs"),
            .init("treadle plot runs/churn --x step --log -o loss.svg", "every report, not only those of epochs"),
        ],
        arguments: [runs],
        options: [output, metric, axis, logarithmic],
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        try call.checkJSON(beside: output)
        let path = try call.required(output)
        let lowercased = path.lowercased()
        if let other = [".png", ".pdf", ".jpg"].first(where: { lowercased.hasSuffix($0) }) {
            throw call.usage("plot writes SVG, not \(other); browsers and \"rsvg-convert\" turn it into others")
        }
        let paths = call.arguments(runs)
        var records = try paths.map { try RunRecord.read($0, helper: .program) }
        // Runs of one name are told apart by where they lie.
        let names = records.map(\.name)
        for (index, name) in names.enumerated() where names.filter({ $0 == name }).count > 1 {
            records[index].name = paths[index]
        }
        let charts = RunCharts(
            records, over: call.value(axis).flatMap { RunCharts.Axis(rawValue: $0) } ?? .epoch,
            isLogarithmic: call.has(logarithmic))
        let known = charts.names
        let chosen = call.values(metric)
        if let unknown = chosen.first(where: { !known.contains($0) }) {
            throw call.usage("no run has the metric \"\(unknown)\"; there is \(known.joined(separator: ", "))")
        }
        let drawn = charts.charts(of: chosen.isEmpty ? known : chosen).filter { !$0.series.isEmpty }
        guard !drawn.isEmpty else {
            throw TreadleError(
                .badData,
                "\(paths.joined(separator: ", ")): nothing to draw yet; --x step draws what came before the "
                    + "end of the first epoch")
        }
        let text = Chart.document(drawn)
        if path == "-" {
            try call.output.write(text)
        } else {
            try DurableFile.write(text, to: path)
            if call.wantsJSON {
                try call.output.write(json: ["file": .string(path), "charts": .integer(drawn.count)])
            } else {
                call.log.note("\(path): \(Figure.count(drawn.count, "chart"))")
            }
        }
        return .done
    }
}
