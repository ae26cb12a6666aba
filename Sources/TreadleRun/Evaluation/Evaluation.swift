package import TreadleConfiguration
package import TreadleModel

/// What a network reaches on a set of rows.
///
/// ```swift
/// let evaluation = try model.evaluate(files: ["data/test.h5"])
/// print(evaluation.loss, evaluation.metrics["accuracy"] ?? 0)
/// ```
public struct Evaluation: Equatable, Sendable {
    /// How many rows were measured on.
    public var rows: Int
    /// The mean loss over the rows, by their weights.
    public var loss: Double
    /// By the name of the metric, without the set's.
    public var metrics: [String: Double]
    /// Row i, column j: the weight of the rows of class i that were taken for class j; nil unless asked for.
    public var confusion: [[Double]]?

    /// Loss and metrics under the set's name: `valid.loss`, `valid.accuracy`.
    package func named(_ set: String) -> [String: Double] {
        var named = ["\(set).loss": loss]
        for (name, value) in metrics { named["\(set).\(name)"] = value }
        return named
    }
}

/// What a network reaches on the rows of a set, by the name that people know it by: `test`, `valid`.
package struct EvaluatedSet: Sendable {
    package var set: String
    package var evaluation: Evaluation
    /// What the answers are worth, where every row was looked at.
    package var judgement: Judgement?

    package init(set: String, evaluation: Evaluation, judgement: Judgement? = nil) {
        self.set = set
        self.evaluation = evaluation
        self.judgement = judgement
    }
}

extension LearningTask {
    /// What a report wants to be measured besides the metrics of the configuration. The matrix has a number for every
    /// pair of classes: of a great many classes it would fill the memory, and no one could read it.
    package func reportMetrics(outputs: Int) -> [MetricName] {
        self == .classification && outputs <= 1000 ? [.confusion] : []
    }
}
