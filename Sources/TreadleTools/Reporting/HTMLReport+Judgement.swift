internal import TreadleModel
internal import TreadleRun

extension HTMLReport {
    /// What the model's answers for the evaluated rows are worth, beside what always says the same; nothing where it was
    /// not measured.
    var worth: String {
        guard let judgement = evaluated?.judgement else { return "" }
        let baseline = judgement.baselineName(classes: checkpoint.classes)
        let names = judgement.values.keys.sorted { ($0 == "loss" ? 0 : 1, $0) < ($1 == "loss" ? 0 : 1, $1) }
        var rows = names.map { name in
            let cells = [judgement.values[name], judgement.baseline[name]].map {
                $0.map { Figure.digits(4, $0) } ?? "–"
            }
            return row([name.markup] + cells, numbers: [1, 2])
        }
        if let reliability = judgement.reliability {
            rows.append(row(["calibration error", Figure.digits(4, reliability.error), "–"], numbers: [1, 2]))
        }
        let numbers = table("What it is worth", ["metric", "the model", baseline.markup], rows, numbers: [1, 2])
        let drawn = (reliabilityCharts(judgement) + residuals(judgement)).compactMap { $0.svg() }
        let charts = drawn.isEmpty ? "" : "<div class=\"charts\">\(drawn.joined())</div>"
        return section("What it is worth", HTMLPage.beside([numbers, errors(judgement), scores(judgement)]) + charts)
    }

    /// How far a regression is off, and how often by less.
    private func errors(_ judgement: Judgement) -> String {
        guard !judgement.errors.isEmpty, judgement.errors.count <= 20 else { return "" }
        let columns = Array(1...ErrorSpread.shares.count + 1)
        let rows = judgement.errors.enumerated().map { index, spread in
            let name = judgement.errors.count == 1 ? "the prediction" : "column \(index + 1)"
            return row([name] + ([spread.bias] + spread.quantiles).map { Figure.digits(4, $0) }, numbers: columns)
        }
        let shares = ErrorSpread.shares.map { "\(Figure.digits(4, $0 * 100)) %" }
        return table(
            "Errors, and the share of the rows that err by less", ["error of", "mean"] + shares, rows, numbers: columns)
    }

    private func scores(_ judgement: Judgement) -> String {
        guard !judgement.scores.isEmpty, judgement.scores.count <= 40 else { return "" }
        let rows = judgement.scores.enumerated().map { index, score in
            let numbers = [score.precision, score.recall, score.f1].map { Figure.digits(3, $0) }
            return row([className(index).markup, Figure.digits(6, score.actual)] + numbers, numbers: [1, 2, 3, 4])
        }
        let noun = judgement.rows.task == .multilabel ? "label" : "class"
        return table(
            "Scores by \(noun)", [noun, "rows", "precision", "recall", "F1"], rows, numbers: [1, 2, 3, 4])
    }

    private func reliabilityCharts(_ judgement: Judgement) -> [Chart] {
        guard let reliability = judgement.reliability, !reliability.bins.isEmpty else { return [] }
        var charts = [
            Chart(
                title: "was so, by the probability said", xTitle: "probability",
                series: [
                    .init(
                        name: "the model", points: reliability.bins.map { (x: $0.predicted, y: $0.observed) }, color: 0),
                    .init(name: "exact", points: [(x: 0, y: 0), (x: 1, y: 1)], color: 3, stroke: .dotted),
                ], xIsWhole: false)
        ]
        let curves = judgement.curves.prefix(5).map { curve in
            (name: className(curve.column), points: thinned(curve.points(judgement.rows.weights)))
        }
        charts.append(
            Chart(
                title: "found, by false alarms (ROC)", xTitle: "share of the others that is taken for it",
                series: curves.enumerated().map { index, curve in
                    let last = curve.points.last
                    let points = curve.points.map { point in
                        (x: point.wrong / (last?.wrong ?? 1), y: point.right / (last?.right ?? 1))
                    }
                    return .init(name: curve.name, points: [(x: 0, y: 0)] + points, color: index)
                }, xIsWhole: false))
        charts.append(
            Chart(
                title: "precision, by how much is found", xTitle: "share that is found",
                series: curves.enumerated().map { index, curve in
                    let last = curve.points.last
                    return .init(
                        name: curve.name,
                        points: curve.points.map { point in
                            (x: point.right / (last?.right ?? 1), y: point.right / (point.right + point.wrong))
                        }, color: index)
                }, xIsWhole: false))
        return charts
    }

    /// A curve of two hundred points looks like one of a million.
    private func thinned(_ points: [ScoreCurve.Point]) -> [ScoreCurve.Point] {
        let step = max(1, points.count / 200)
        return points.enumerated().filter { $0.offset.isMultiple(of: step) || $0.offset == points.count - 1 }
            .map(\.element)
    }

    /// How a regression errs from its smallest predictions to its largest: the mean, and the span of nine rows in ten.
    private func residuals(_ judgement: Judgement) -> [Chart] {
        let rows = judgement.rows
        guard rows.task == .regression, rows.outputs == 1, rows.count >= 40 else { return [] }
        let order = rows.predictions.indices.sorted { (rows.predictions[$0], $0) < (rows.predictions[$1], $1) }
        let parts = 20
        var lines: [[(x: Double, y: Double)]] = [[], [], []]
        for part in 0..<parts {
            let own = order[part * order.count / parts..<(part + 1) * order.count / parts]
            let errors = own.map { rows.predictions[$0] - rows.targets[$0] }.sorted()
            let place = own.reduce(0) { $0 + rows.predictions[$1] } / Double(own.count)
            let values = [
                errors[errors.count / 20], errors.reduce(0, +) / Double(errors.count),
                errors[errors.count - 1 - errors.count / 20],
            ]
            for (line, value) in values.enumerated() { lines[line].append((x: place, y: value)) }
        }
        return [
            Chart(
                title: "error, by the value predicted", xTitle: "prediction",
                series: [
                    .init(name: "lowest 5 %", points: lines[0], color: 1, stroke: .dashed),
                    .init(name: "mean", points: lines[1], color: 0),
                    .init(name: "highest 5 %", points: lines[2], color: 2, stroke: .dashed),
                ], xIsWhole: false)
        ]
    }
}
