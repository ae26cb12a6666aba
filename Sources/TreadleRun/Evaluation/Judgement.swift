package import TreadleBase
internal import TreadleModel

/// What there is to say about a model's answers for rows, each of which is known: is it any good, and can it be believed.
package struct Judgement: Sendable {
    package let metrics: RowMetrics
    /// By name: the loss, the metrics of the task, and the Brier score.
    package let values: [String: Double]
    /// The same of what always answers with the most common class, or the mean: what a model must beat.
    package let baseline: [String: Double]
    package let reliability: Reliability?
    /// By class or label.
    package let scores: [RowMetrics.ClassScore]
    /// Of a regression's target columns.
    package let errors: [ErrorSpread]

    package var rows: ScoredRows { metrics.rows }

    package init(_ rows: ScoredRows, workers: Workers) {
        metrics = RowMetrics(rows, workers: workers)
        values = metrics.values()
        baseline = RowMetrics(rows.constant, workers: workers).values()
        reliability = Reliability(rows)
        scores = metrics.classScores()
        errors = (0..<rows.outputs).compactMap { ErrorSpread(rows, column: $0) }
    }

    /// What always gives `baseline`, in words.
    package func baselineName(classes: [String]?) -> String {
        switch rows.task {
        case .regression: return "the mean"
        case .multilabel: return "the shares"
        case .classification:
            let most = scores.indices.max { scores[$0].actual < scores[$1].actual } ?? 0
            return "always " + (classes.flatMap { $0.indices.contains(most) ? $0[most] : nil } ?? String(most))
        }
    }

    /// The outputs whose ROC and precision–recall curves are worth a look: of two classes the second, and not too many.
    package var curves: [ScoreCurve] {
        guard rows.task != .regression, rows.outputs <= 20 else { return [] }
        let columns = rows.task == .classification && rows.outputs == 2 ? 1..<2 : 0..<rows.outputs
        return columns.map { ScoreCurve(rows, column: $0) }
    }
}
