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
        return HTMLPage.text(
            title: title, isWide: true, ["<header><h1>\(title)</h1></header>", comparison, curves])
    }

    /// Metrics right behind the names: narrow windows show them first.
    private var comparison: String {
        let metrics = Array(table.metrics.prefix(10))
        let settings = table.differing
        let head = ["run"] + metrics + settings + ["epochs", "time", "digest"]
        let firstSetting = 1 + metrics.count
        let places = settings.indices.filter { index in
            runs.allSatisfy { $0.settings[settings[index]].map { $0.double != nil } ?? true }
        }.map { firstSetting + $0 }
        let numbers = Array(1..<firstSetting) + places + [head.count - 3, head.count - 2]
        let rows = runs.map { run -> String in
            let values = metrics.map { name -> String in
                let value = run.metrics[name].map(Figure.short) ?? "–"
                return best(name) == run.directory ? "<b>\(value)</b>" : value
            }
            let set = settings.map { run.setting($0)?.markup ?? "–" }
            let rest = [
                Figure.grouped(run.epoch) + (run.isFinished ? "" : " (under way)"), Figure.duration(run.seconds),
                String(run.digest.prefix(12)),
            ]
            return HTMLPage.row([run.directory.markup] + values + set + rest, numbers: numbers)
        }
        let legend = "<p class=\"soft\">Settings that are not the same in all; the best of each metric stands out.</p>"
        return HTMLPage.section(
            "Settings and metrics",
            legend
                + HTMLPage.table(
                    "Settings and metrics", head.map(Self.breakable), rows, numbers: numbers, wraps: true))
    }

    /// A dotted name that may go on in another line behind each dot.
    private static func breakable(_ name: String) -> String {
        name.split(separator: ".", omittingEmptySubsequences: false).map { String($0).markup }
            .joined(separator: ".<wbr/>")
    }

    /// The run that is best by a metric.
    private func best(_ name: String) -> String? {
        runs.count > 1 ? try? table.sorted(by: name).first?.directory : nil
    }

    private var curves: String {
        let charts = RunCharts(records)
        let drawn = charts.charts(of: charts.names).filter { $0.series.contains { $0.points.count > 1 } }
            .compactMap { $0.svg(height: 240) }
        guard !drawn.isEmpty else { return "" }
        return HTMLPage.section("Curves", "<div class=\"charts pairs\">\(drawn.joined())</div>")
    }
}
