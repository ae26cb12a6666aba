internal import TreadleConfiguration
internal import TreadleRun

/// The charts of one run or several: one for each kind of metric, a colour a run, a stroke for what was measured on.
package struct RunCharts {
    package enum Axis: String, CaseIterable, Sendable { case epoch, step, seconds }

    private let runs: [RunRecord]
    private let axis: Axis
    private let isLogarithmic: Bool

    package init(_ runs: [RunRecord], over axis: Axis = .epoch, isLogarithmic: Bool = false) {
        self.runs = runs
        self.axis = axis
        self.isLogarithmic = isLogarithmic
    }

    /// Every metric of the runs by its dotted name: the losses first.
    package var names: [String] {
        let names = Set(runs.flatMap { $0.lines.flatMap(\.metrics.keys) })
        let order = ["loss", "valid.loss", "test.loss"]
        return names.subtracting(["samples_per_second", "input_wait", "rate"]).sorted { a, b in
            let (i, j) = (order.firstIndex(of: a) ?? order.count, order.firstIndex(of: b) ?? order.count)
            return i == j ? a < b : i < j
        }
    }

    /// A chart for each kind of the metrics chosen: `loss` holds `loss`, `valid.loss` and `test.loss`.
    package func charts(of chosen: [String]) -> [Chart] {
        var kinds: [String] = []
        for name in chosen where !kinds.contains(Self.kind(of: name)) { kinds.append(Self.kind(of: name)) }
        return kinds.map { kind in
            let names = chosen.filter { Self.kind(of: $0) == kind }
            let series = runs.enumerated().flatMap { index, run in
                names.enumerated().map { place, name in
                    // One run has a colour for each line; several have a colour for each run.
                    Chart.Series(
                        name: runs.count == 1 ? name : "\(run.name) \(name)", points: points(of: name, in: run),
                        color: runs.count == 1 ? place : index, stroke: Self.stroke(of: name))
                }
            }
            return Chart(
                title: kind, xTitle: axis == .seconds ? "seconds of training" : axis.rawValue, series: series,
                isLogarithmic: isLogarithmic, xIsWhole: axis != .seconds, higherIsBetter: Self.higherIsBetter(kind))
        }
    }

    private func points(of name: String, in run: RunRecord) -> [(x: Double, y: Double)] {
        (axis == .epoch ? run.epochs : run.lines).compactMap { line in
            guard let value = line.metrics[name] else { return nil }
            switch axis {
            case .epoch: return (line.epoch, value)
            case .step: return (line.step, value)
            case .seconds: return (line.seconds, value)
            }
        }
    }

    private static func kind(of name: String) -> String {
        name.split(separator: ".").last.map(String.init) ?? name
    }

    /// Nil for what is no metric that this program knows, and so has no best.
    private static func higherIsBetter(_ kind: String) -> Bool? {
        kind == "loss" || MetricName(rawValue: kind) != nil ? WatchedMetric(kind).higherIsBetter : nil
    }

    private static func stroke(of name: String) -> Chart.Stroke {
        name.hasPrefix("valid.") ? .dashed : name.hasPrefix("test.") ? .dotted : .solid
    }
}
