internal import HDF5
internal import TreadleData
internal import TreadleModel
internal import TreadleRun

extension HTMLReport {
    /// Which columns the model goes by, and what it says by their values; nothing where there were no rows to try it on.
    var columns: String {
        guard let explored else { return "" }
        return section(
            "Which columns matter",
            importance(explored.importance, of: explored.summary.rows) + coefficients(explored.coefficients))
            + dependences(explored)
    }

    private func importance(_ importance: Importance, of all: Int) -> String {
        let shown = importance.findings.prefix(20)
        let most = max(shown.map(\.rise).max() ?? 0, .leastNormalMagnitude)
        let rows = shown.map { finding in
            let width = (max(0, finding.rise / most) * 100).mark
            let bar = "<span class=\"share\"><i style=\"width:\(width)%\"></i></span>"
            return row(
                [
                    finding.group.name.markup, bar, Figure.digits(4, finding.rise),
                    "± " + Figure.digits(2, finding.spread),
                ],
                numbers: [2, 3])
        }
        let rest = importance.findings.count - shown.count
        let legend =
            "By how much the loss of \(Figure.part(importance.rows, of: all, "row")) rises when a column’s values change "
            + "rows, \(importance.repeats) times over; as they are, it is \(Figure.digits(4, importance.loss))."
            + (rest > 0 ? " \(Figure.count(rest, "column")) matter less." : "")
        return "<p class=\"soft\">\(legend)</p>"
            + table(
                "Which columns matter",
                ["column", HTMLPage.unseen("bar"), "rise of the loss", HTMLPage.unseen("spread over the repeats")],
                rows, numbers: [2, 3])
    }

    /// Of many outputs the first few: nobody reads a hundred tables.
    private func coefficients(_ all: [Coefficients]) -> String {
        let tables = all.prefix(5).map { coefficients in
            let rows = coefficients.columns.prefix(40).map { column in
                row(
                    [column.name.markup, Figure.digits(4, column.perUnit), Figure.digits(4, column.perSpread)],
                    numbers: [1, 2])
            }
            let legend = "The model is linear: what a column adds to \(coefficients.what.markup)."
            return "<div><p class=\"soft\">\(legend)</p>"
                + table(
                    "What a column adds to \(coefficients.what.markup)", ["column", "a unit", "a spread"], rows,
                    numbers: [1, 2])
                + "</div>"
        }
        return HTMLPage.beside(tables)
    }

    /// Why these columns have neither curve nor table.
    private func omission(_ explored: Exploration) -> String {
        guard !explored.omitted.isEmpty else { return "" }
        let columns = explored.omitted.map { group in
            group.name.markup + " (" + Self.obstacle(group, in: explored.summary.schema) + ")"
        }
        return "<p class=\"soft\">Left out, though they matter: \(columns.joined(separator: ", ")).</p>"
    }

    /// In words.
    static func obstacle(_ group: Importance.Group, in schema: TableSchema?) -> String {
        switch schema?.columns.first(where: { $0.name == group.name })?.kind {
        case .date: "a date, which is several inputs"
        case .category(let values, _, _) where group.columns.count > 1:
            "a category of \(Figure.count(values.count, "value")), too many for a table"
        case nil where group.columns.count > 1: "\(Figure.count(group.columns.count, "input")) together"
        default: "the same value in all rows looked at"
        }
    }

    /// Curves of numbers, and tables of words.
    private func dependences(_ explored: Exploration) -> String {
        let all = explored.dependences
        guard !all.isEmpty || !explored.omitted.isEmpty else { return "" }
        let outputs = shownOutputs
        let charts = all.filter { $0.points[0].word == nil }.compactMap { dependence -> String? in
            Chart(
                title: dependence.name, xTitle: dependence.name,
                series: outputs.enumerated().map { index, output in
                    .init(
                        name: output.name,
                        points: dependence.points.map { (x: $0.value, y: $0.means[output.place]) }, color: index)
                }, xIsWhole: false
            ).svg()
        }
        let tables = all.filter { $0.points[0].word != nil }.map { dependence in
            let rows = dependence.points.map { point in
                row(
                    [(point.word ?? "").markup] + outputs.map { Figure.digits(4, point.means[$0.place]) },
                    numbers: Array(1...outputs.count))
            }
            return table(
                "What it says by \(dependence.name.markup)",
                [dependence.name.markup] + outputs.map(\.name.markup), rows, numbers: Array(1...outputs.count))
        }
        let legend =
            "What it says on average when a column has the same value in all rows, and the others are as they are."
        let drawn = charts.isEmpty ? "" : "<div class=\"charts\">\(charts.joined())</div>"
        return section(
            "What it says by column",
            (all.isEmpty ? "" : "<p class=\"soft\">\(legend)</p>") + drawn + HTMLPage.beside(tables)
                + omission(explored))
    }

    /// Of two classes the second, of many outputs the first few.
    private var shownOutputs: [(place: Int, name: String)] {
        let network = checkpoint.network
        if checkpoint.task == .classification, network.outputs == 2 { return [(1, className(1))] }
        return (0..<min(5, network.outputs)).map { place in
            (place, checkpoint.task == .regression && network.outputs == 1 ? "prediction" : className(place))
        }
    }

    // MARK: The data

    /// What the rows are like that the model was measured on, beside those that it learnt from.
    var data: String {
        guard let explored else { return "" }
        let summary = explored.summary
        let drifts = Dictionary((explored.drift?.columns ?? []).map { ($0.name, $0.amount) }) { first, _ in first }
        var rows: [String] = []
        var hasCategories = false
        func add(_ name: String, _ kind: String, _ values: [String], missing: Int, drift: Double?) {
            let share = summary.rows > 0 ? Double(missing) / Double(summary.rows) * 100 : 0
            rows.append(
                row(
                    [name.markup, kind.markup, missing == 0 ? "–" : Figure.digits(3, share) + " %"] + values
                        + [drift.map { Figure.digits(3, $0) } ?? "–"], numbers: [2, 3, 4, 5, 6]))
        }
        func numbers(_ input: DataSummary.Input) -> [String] {
            [input.low, input.mean, input.high].map { $0.isFinite ? Figure.digits(4, $0) : "–" }
        }
        var place = 0
        for column in summary.schema?.columns ?? [] where rows.count < 200 {
            let inputs = summary.inputs[place..<min(place + column.inputs.count, summary.inputs.count)]
            place += column.inputs.count
            guard let first = inputs.first else { continue }
            switch column.kind {
            case .number: add(column.name, "number", numbers(first), missing: first.missing, drift: drifts[first.name])
            case .date: add(column.name, "date", ["–", "–", "–"], missing: first.missing, drift: drifts[first.name])
            case .flag(_, let yes):
                let share = Figure.digits(3, first.mean * 100) + " % " + yes
                add(column.name, "flag", ["–", share.markup, "–"], missing: first.missing, drift: drifts[first.name])
            case .category(let values, let hasOther, let hasMissing):
                hasCategories = true
                let most = Self.mostCommon(
                    of: values, hasOther: hasOther, hasMissing: hasMissing, shares: inputs.map(\.mean))
                let share = most.map { Figure.digits(3, $0.share * 100) + " % " + $0.word } ?? "–"
                let missing = hasMissing ? inputs.last.map { Int(($0.mean * Double(summary.rows)).rounded()) } : nil
                add(
                    column.name, "category of \(values.count)", ["–", share.markup, "–"], missing: missing ?? 0,
                    drift: inputs.compactMap { drifts[$0.name] }.max())
            }
        }
        if summary.schema == nil {
            for input in summary.inputs.prefix(200) {
                add(input.name, "number", numbers(input), missing: input.missing, drift: drifts[input.name])
            }
        }
        let rest = (summary.schema?.columns.count ?? summary.inputs.count) - rows.count
        let legend =
            "\(Figure.count(summary.rows, "row")): what the model was measured on. Drift is how far they lie from what it was "
            + "trained on, in standard deviations of the mean or doublings of the spread, whichever is more; of a category, that of the value "
            + "whose share has moved most."
            + (hasCategories ? " “(other)” are values that training did not know, or found too rare." : "")
            + (rest > 0 ? " \(Figure.count(rest, "column")) more." : "")
        return section(
            "The data",
            "<p class=\"soft\">\(legend)</p>"
                + table(
                    "The data", ["column", "kind", "missing", "lowest", "mean, or most", "highest", "drift"], rows,
                    numbers: [2, 3, 4, 5, 6]))
    }

    /// What most rows have in a category: one of its values, one that training did not know or pooled as rare, or none.
    ///
    /// `shares` are those of its inputs; what they leave is of values that none of the inputs stands for.
    static func mostCommon(
        of values: [String], hasOther: Bool, hasMissing: Bool, shares: [Double]
    ) -> (word: String, share: Double)? {
        let words = values + (hasOther ? ["(other)"] : []) + (hasMissing ? ["(missing)"] : [])
        var all = zip(words, shares).map { (word: $0, share: $1) }
        if !hasOther { all.append((word: "(other)", share: 1 - shares.reduce(0, +))) }
        return all.filter { $0.share.isFinite }.max { $0.share < $1.share }
    }
}
