package import TreadleConfiguration

/// The metric that early stopping, the best checkpoint and promotion go by.
package struct WatchedMetric: Equatable, Sendable {
    /// The dotted name, as in metrics.jsonl.
    package let name: String
    package let higherIsBetter: Bool

    package init(name: String, higherIsBetter: Bool) {
        self.name = name
        self.higherIsBetter = higherIsBetter
    }

    /// The metric of this name, whose last part says which way is better.
    package init(_ name: String) {
        let last = name.split(separator: ".").last.flatMap { MetricName(rawValue: String($0)) }
        self.init(name: name, higherIsBetter: last?.higherIsBetter ?? false)
    }

    /// What a run goes by: without a validation set, the training loss.
    package init(of configuration: Configuration) {
        let name = configuration.watchedMetric
        self.init(configuration.data.valid == nil && name.hasPrefix("valid.") ? "loss" : name)
    }

    /// Whether `value` is better than `best` by more than `margin`; a NaN never is, and anything is better than none.
    package func isBetter(_ value: Double, than best: Double?, by margin: Double = 0) -> Bool {
        guard !value.isNaN else { return false }
        guard let best else { return true }
        return higherIsBetter ? value > best + margin : value < best - margin
    }
}
