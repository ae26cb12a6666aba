internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

extension Retraining {
    /// Measures the old model and the new one on the same rows, and decides.
    func judge(
        _ candidate: String, served: Checkpoint?, match: Correspondence?,
        _ known: KnownColumns?
    ) throws -> RetrainReport {
        let data = try TrainingData(
            configuration, workers: workers, cacheDirectory: directory, like: known, stop: options.host.stop)
        guard let rows = data.valid else {
            throw TreadleError(
                .configuration, "data.valid gives no rows to judge models by; raise its fraction or name files")
        }
        let watched = WatchedMetric(promotion.metric)
        func measure(_ model: TrainedModel) throws -> Double {
            let metrics = configuration.metrics.filter { $0 != .confusion }
            let result = try model.evaluate(rows, metrics: metrics, workers: workers, stop: options.host.stop)
            return result.named("valid")[watched.name] ?? .nan
        }
        let new = try TrainedModel(CheckpointFile(candidate))
        var report = RetrainReport(.promoted, "", model: promoted.path)
        report.metric = watched.name
        report.new = try measure(new)
        guard report.new?.isFinite == true else {
            report.outcome = .notPromoted
            report.reason = "its \(watched.name) is not a number"
            return report
        }
        guard let served, let match else {
            report.reason = served == nil ? "the first model" : "promoted without comparison, as asked"
            return report
        }
        let arranged = served.model.arranged(by: match)
        report.drift = Drift(from: arranged.normalization, to: data.normalization, names: data.columns)
        if options.promotesAnyway {
            report.reason = "promoted without comparison, as asked"
            return report
        }
        let old = try TrainedModel(arranged, from: served.origin, path: promoted.path)
        report.old = try measure(old)
        if let worst = report.drift?.worst, let limit = promotion.maxDrift, worst.amount > limit {
            report.outcome = .notPromoted
            report.reason =
                "the data drifted: \(worst.name) by \(Self.text(worst.amount)), more than retrain.promote.max_drift, \(Self.text(limit))"
            return report
        }
        decide(&report, watched)
        try judgeLuck(&report, new, old, on: rows, watched)
        return report
    }

    /// Says how much of the difference may be luck, and takes the promotion back where it may be too much.
    private func judgeLuck(
        _ report: inout RetrainReport, _ new: TrainedModel, _ old: TrainedModel, on rows: RowSet,
        _ watched: WatchedMetric
    ) throws {
        let confidence = promotion.confidence ?? 0.95
        let name = watched.name.split(separator: ".").last.map(String.init) ?? watched.name
        func metrics(_ model: TrainedModel) throws -> RowMetrics {
            RowMetrics(
                try model.score(rows, workers: workers, stop: options.host.stop),
                metrics: MetricName(rawValue: name).map { [$0] } ?? [], workers: workers)
        }
        let bootstrap = Bootstrap(seed: configuration.seed, confidence: confidence, workers: workers)
        let differences = bootstrap.differences(
            of: try metrics(new), from: try metrics(old), margin: margin(report.old ?? .nan))
        guard let difference = differences[name] else { return }
        report.difference = difference
        let interval = difference.interval
        report.reason +=
            " (by \(Self.text(interval.low)) to \(Self.text(interval.high)) with \(Self.text(confidence * 100)) % confidence)"
        guard report.outcome == .promoted, promotion.confidence != nil else { return }
        let sure = Self.text((difference.notWorse * 1000).rounded(.down) / 10)
        let asked = Self.text(confidence * 100)
        guard difference.notWorse < confidence else {
            report.reason += ", no worse with \(sure) % confidence"
            return
        }
        report.outcome = .notPromoted
        report.reason +=
            ", but it may be luck: no worse with \(sure) % confidence, and retrain.promote.confidence asks for \(asked) %"
    }

    private func decide(_ report: inout RetrainReport, _ watched: WatchedMetric) {
        guard let old = report.old, let new = report.new else { return }
        let margin = margin(old)
        let worse = watched.higherIsBetter ? old - new : new - old
        if old.isFinite, worse > margin {
            report.outcome = .notPromoted
            report.reason =
                "\(watched.name) is \(Self.text(new)), worse than \(Self.text(old)) by more than the tolerance, \(Self.text(margin))"
        } else {
            report.reason = "\(watched.name) \(Self.text(old)) → \(Self.text(new))"
        }
    }

    /// By how much the new model may be worse than this.
    private func margin(_ old: Double) -> Double {
        switch promotion.tolerance {
        case .absolute(let amount): amount
        case .share(let share): abs(old) * share
        }
    }

    static func text(_ number: Double) -> String { String(format: "%.6g", number) }
}
