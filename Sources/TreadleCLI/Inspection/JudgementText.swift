internal import HDF5
internal import TreadleBase
internal import TreadleModel
internal import TreadleRun
internal import TreadleTools

/// What `treadle eval` says of a model, for people and for programs.
struct JudgementText {
    let judgement: Judgement
    let classes: [String]?
    var intervals: [String: Bootstrap.Interval] = [:]
    var confidence = 0.95
    /// What a false alarm about a class costs, and what a missed one.
    var cost: (about: Int, alarm: Double, missed: Double)?

    // MARK: For people

    var text: String { [numbers, sentences, scores, errors, reliability].compactMap { $0 }.joined(separator: "\n") }

    private var numbers: String {
        let titles = ["", "the model", judgement.baselineName(classes: classes).printable]
        let interval = intervals.isEmpty ? [] : ["with \(percent(confidence)) % confidence"]
        var table = TextTable((titles + interval).enumerated().map { .init($1, $0 == 0 ? .left : .right) })
        let blank = intervals.isEmpty ? [] : [""]
        table.add(["rows", Figure.grouped(judgement.rows.count), ""] + blank)
        for name in EpochTable.ordered(judgement.values.keys) {
            let base = judgement.baseline[name].map(Figure.steady) ?? ""
            let range = intervals[name].map { "\(Figure.steady($0.low)) to \(Figure.steady($0.high))" }
            table.add(
                [name, Figure.steady(judgement.values[name] ?? .nan), base] + (intervals.isEmpty ? [] : [range ?? ""]))
        }
        if let reliability = judgement.reliability {
            table.add(["calibration error", Figure.steady(reliability.error), ""] + blank)
        }
        return table.text()
    }

    private var sentences: String? {
        var lines: [String] = []
        if let interval = intervals["accuracy"] ?? intervals["rmse"] ?? intervals["loss"] {
            let name = intervals["accuracy"] != nil ? "accuracy" : intervals["rmse"] != nil ? "rmse" : "loss"
            lines.append(
                "On other rows of the same kind, \(name) would lie between \(Figure.short(interval.low)) and "
                    + "\(Figure.short(interval.high)), with \(percent(confidence)) % confidence.")
        }
        if let cheapest, let about = cost?.about {
            let name = className(about).printable
            let threshold =
                cheapest.threshold.isFinite
                ? "say \(name) from a probability of \(Figure.short(cheapest.threshold)) on" : "never say \(name)"
            lines.append(
                "Cheapest, where \(name) is the alarm: \(threshold), which costs \(Figure.short(cheapest.cost)) a row; from ½ on it costs "
                    + "\(Figure.short(cheapest.usual)).")
        }
        return lines.isEmpty ? nil : lines.map { $0 + "\n" }.joined()
    }

    private var scores: String? {
        guard !judgement.scores.isEmpty, judgement.scores.count <= 40 else { return nil }
        let noun = judgement.rows.task == .multilabel ? "label" : "class"
        var table = TextTable(
            [.init(noun)] + ["rows", "precision", "recall", "f1"].map { .init($0, .right) })
        for (index, score) in judgement.scores.enumerated() {
            table.add(
                [className(index).printable, Figure.compact(score.actual)]
                    + [score.precision, score.recall, score.f1].map(Figure.steady))
        }
        return table.text()
    }

    private var errors: String? {
        guard !judgement.errors.isEmpty, judgement.errors.count <= 20 else { return nil }
        let shares = ErrorSpread.shares.map { "\(percent($0)) %" }
        let isOne = judgement.errors.count == 1
        var table = TextTable(
            [.init("error of")] + (["mean"] + shares).map { .init($0, .right) })
        for (index, spread) in judgement.errors.enumerated() {
            table.add(
                [isOne ? "the prediction" : "column \(index + 1)", Figure.steady(spread.bias)]
                    + spread.quantiles.map(Figure.steady))
        }
        return table.text()
    }

    private var reliability: String? {
        guard let reliability = judgement.reliability else { return nil }
        var table = TextTable(["said", "on average", "was so", "rows"].map { .init($0, .right) })
        for bin in reliability.bins {
            table.add([
                "\(percent(bin.low))–\(percent(bin.high)) %", percentage(bin.predicted), percentage(bin.observed),
                Figure.compact(bin.weight),
            ])
        }
        return table.text()
    }

    private func className(_ index: Int) -> String {
        classes.flatMap { $0.indices.contains(index) ? $0[index] : nil } ?? String(index)
    }

    private func percent(_ share: Double) -> String { Figure.digits(4, share * 100) }
    private func percentage(_ share: Double) -> String { Figure.steady(share * 100) + " %" }

    private var cheapest: (threshold: Double, cost: Double, usual: Double)? {
        guard let cost else { return nil }
        let curve = ScoreCurve(judgement.rows, column: cost.about)
        return ScoreCurve.cheapest(
            curve.points(judgement.rows.weights), alarm: cost.alarm, missed: cost.missed)
    }

    // MARK: For programs

    var members: [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        if let brier = judgement.values["brier"] { members.append(.init("brier", .number(brier))) }
        members.append(
            .init(
                "baseline",
                .object(
                    [.init("what", .string(judgement.baselineName(classes: classes)))]
                        + judgement.baseline.keys.sorted().map { .init($0, .number(judgement.baseline[$0] ?? .nan)) })))
        if let reliability = judgement.reliability {
            members.append(.init("calibration_error", .number(reliability.error)))
            members.append(.init("reliability", .array(reliability.bins.map(json))))
        }
        if !judgement.scores.isEmpty {
            members.append(.init("class_scores", .array(judgement.scores.enumerated().map(json))))
        }
        let curves = judgement.curves
        if !curves.isEmpty { members.append(.init("curves", .array(curves.map(json)))) }
        if !judgement.errors.isEmpty { members.append(.init("errors", .array(judgement.errors.map(json)))) }
        if let cheapest, let about = cost?.about {
            members.append(
                .init(
                    "cheapest",
                    [
                        "class": .string(className(about)),
                        "threshold": cheapest.threshold.isFinite ? .number(cheapest.threshold) : .null,
                        "cost": .number(cheapest.cost), "cost_at_half": .number(cheapest.usual),
                    ]))
        }
        if !intervals.isEmpty {
            let all = intervals.keys.sorted().map { name in
                JSONValue.Member(
                    name, .array([.number(intervals[name]?.low ?? .nan), .number(intervals[name]?.high ?? .nan)]))
            }
            members.append(.init("intervals", .object([.init("confidence", .number(confidence))] + all)))
        }
        return members
    }

    private func json(_ bin: Reliability.Bin) -> JSONValue {
        [
            "low": .number(bin.low), "high": .number(bin.high), "predicted": .number(bin.predicted),
            "observed": .number(bin.observed), "weight": .number(bin.weight),
        ]
    }

    private func json(_ index: Int, _ score: RowMetrics.ClassScore) -> JSONValue {
        [
            "class": .string(className(index)), "weight": .number(score.actual),
            "precision": .number(score.precision), "recall": .number(score.recall), "f1": .number(score.f1),
        ]
    }

    private func json(_ curve: ScoreCurve) -> JSONValue {
        let points = curve.points(judgement.rows.weights)
        // A curve of a few hundred points looks like one of a million.
        let step = max(1, points.count / 200)
        let shown = points.enumerated().filter { $0.offset.isMultiple(of: step) || $0.offset == points.count - 1 }
        return [
            "class": .string(className(curve.column)),
            "average_precision": .number(ScoreCurve.averagePrecision(points)),
            "points": .array(
                shown.map { _, point in
                    [
                        "threshold": .number(point.threshold), "true_positives": .number(point.right),
                        "false_positives": .number(point.wrong),
                    ]
                }),
        ]
    }

    private func json(_ spread: ErrorSpread) -> JSONValue {
        .object(
            [.init("mean", .number(spread.bias))]
                + zip(ErrorSpread.shares, spread.quantiles).map { .init("\(Figure.short($0))", .number($1)) })
    }
}
