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
