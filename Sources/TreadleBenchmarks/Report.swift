internal import Foundation

/// The figures of all workloads, as a table or as JSON.
struct Report {
    /// Operations a second of the cores in use.
    var peak: Double
    var threads: Int
    var isa: String
    var runs: [WorkloadRun]

    private struct Figures: Encodable {
        var workload: String
        var samplesPerSecond: Double
        var microsecondsPerStep: Double
        var gigaflops: Double
        var shareOfPeak: Double
        var rowsShareOfTime: Double
        var rowsShareOfPeak: Double
        var tilesShareOfPeak: Double
    }

    private var figures: [Figures] {
        runs.map { run in
            let workload = run.workload
            let speed = median(run.speeds)
            let rows = median(run.rowShares)
            let flops = speed * workload.operationsPerRow
            let phase1 = speed * workload.operationsOfRows / rows
            let phase2 = speed * (workload.operationsPerRow - workload.operationsOfRows) / (1 - rows)
            return Figures(
                workload: workload.name, samplesPerSecond: speed,
                microsecondsPerStep: Double(workload.batchSize) / speed * 1e6, gigaflops: flops / 1e9,
                shareOfPeak: flops / peak, rowsShareOfTime: rows, rowsShareOfPeak: phase1 / peak,
                tilesShareOfPeak: phase2 / peak)
        }
    }

    var table: String {
        var lines = [
            "\(isa), \(threads) thread\(threads == 1 ? "" : "s"), peak \(Int(peak / 1e9)) GFLOP/s",
            row(["workload", "samples/s", "µs/step", "GFLOP/s", "of peak", "rows: time", "of peak", "tiles: of peak"]),
        ]
        for f in figures {
            lines.append(
                row([
                    f.workload, String(Int(f.samplesPerSecond)), fixed(f.microsecondsPerStep, 1), fixed(f.gigaflops, 1),
                    percent(f.shareOfPeak), percent(f.rowsShareOfTime), percent(f.rowsShareOfPeak),
                    percent(f.tilesShareOfPeak),
                ]))
        }
        return lines.joined(separator: "\n")
    }

    var json: String {
        struct Whole: Encodable {
            var isa: String
            var threads: Int
            var peakGigaflops: Double
            var workloads: [Figures]
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let whole = Whole(isa: isa, threads: threads, peakGigaflops: peak / 1e9, workloads: figures)
        return (try? encoder.encode(whole)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private func row(_ cells: [String]) -> String {
        let first = cells[0].padding(toLength: 12, withPad: " ", startingAt: 0)
        return cells.dropFirst().reduce(first) { line, cell in
            line + String(repeating: " ", count: max(1, 15 - cell.count)) + cell
        }
    }

    private func fixed(_ value: Double, _ digits: Int) -> String {
        value.formatted(.number.grouping(.never).precision(.fractionLength(digits)))
    }

    private func percent(_ share: Double) -> String { fixed(share * 100, 1) + " %" }
}
