internal import TreadleBase

/// Runs side by side on one page: what was set otherwise, what came of it, and the curves of all of them.
package struct RunTablePage {
    private let runs: [RunTable.Run]
    private let table: RunTable
    private let records: [RunRecord]

    /// `records` are of the same runs in the same order, as far as they can be drawn.
    package init(_ runs: [RunTable.Run], of table: RunTable, records: [RunRecord]) {
        self.runs = runs
        self.table = table
        self.records = records
    }

    package var text: String {
        let title = Figure.count(runs.count, "run")
        return HTMLPage.text(title: title, ["<header><h1>\(title)</h1></header>", comparison, curves])
    }

    private var comparison: String {
        let metrics = Array(table.metrics.prefix(10))
        let head = ["run"] + table.differing + metrics + ["epochs", "time", "digest"]
        let numbers = Array(1...head.count - 2)
        let rows = runs.map { run -> String in
            let settings = table.differing.map { run.settings[$0]?.text().markup ?? "–" }
            let values = metrics.map { name -> String in
                let value = run.metrics[name].map(Figure.short) ?? "–"
                return best(name) == run.directory ? "<b>\(value)</b>" : value
            }
            let rest = [
                Figure.grouped(run.epoch) + (run.isFinished ? "" : " (under way)"), Figure.duration(run.seconds),
                String(run.digest.prefix(12)),
            ]
            return HTMLPage.row([run.directory.markup] + settings + values + rest, numbers: numbers)
        }
        let legend = "<p class=\"soft\">Settings that are not the same in all; the best of each metric stands out.</p>"
        return HTMLPage.section(
            "Settings and metrics", legend + HTMLPage.table(head.map(\.markup), rows, numbers: numbers))
    }

    /// The run that is best by a metric.
    private func best(_ name: String) -> String? {
        runs.count > 1 ? try? table.sorted(by: name).first?.directory : nil
    }

    private var curves: String {
        let charts = RunCharts(records)
        let drawn = charts.charts(of: charts.names).filter { $0.series.contains { $0.points.count > 1 } }
            .compactMap { $0.svg(width: 560, height: 340) }
        guard !drawn.isEmpty else { return "" }
        return HTMLPage.section("Curves", "<div class=\"charts\">\(drawn.joined())</div>")
    }
}
