package import TreadleConfiguration
package import TreadleModel

/// What a network reaches on a set of rows.
package struct Evaluation: Equatable, Sendable {
    package var rows: Int
    /// The mean loss over the rows, by their weights.
    package var loss: Double
    /// By the name of the metric, without the set's.
    package var metrics: [String: Double]
    /// Row i, column j: the weight of the rows of class i that were taken for class j; nil unless asked for.
    package var confusion: [[Double]]?

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

    package init(set: String, evaluation: Evaluation) {
        self.set = set
        self.evaluation = evaluation
    }
}

extension LearningTask {
    /// What a report wants to be measured besides the metrics of the configuration. The matrix has a number for every
    /// pair of classes: of a great many classes it would fill the memory, and no one could read it.
    package func reportMetrics(outputs: Int) -> [MetricName] {
        self == .classification && outputs <= 1000 ? [.confusion] : []
    }
}
