public import TreadleModel

/// Everything that decides a run, validated: one value, equal when the runs are equal.
///
/// ```swift
/// let file = try Configuration(contentsOf: "churn.json5", overrides: ["optimizer.lr=0.01"])
/// let text = try Configuration(
///     json5: "{ name: 'churn', data: { train: 'train.h5' }, model: { hidden: [{ units: 64 }] } }",
///     baseDirectory: "/srv/churn")
/// print(file.name, text.directory)
/// ```
///
/// It says what the article <doc:Configuring> describes; what it leaves out takes its default.
///
/// Each property is named after its key in the file, in camel case: `data.batch_size` is `data.batchSize`.
/// Optional sections are nil where the file says `null`.
public struct Configuration: Equatable, Sendable {
    package var schema: Int
    /// What the run is called.
    public package(set) var name: String
    /// What is learnt: classes, labels or quantities.
    public package(set) var task: LearningTask
    package var seed: UInt64
    package var data: DataConfiguration
    package var model: ModelConfiguration
    package var loss: LossConfiguration
    package var optimizer: OptimizerConfiguration
    package var schedule: ScheduleConfiguration
    package var stop: StopConfiguration
    package var compute: ComputeConfiguration
    package var metrics: [MetricName]
    package var calibrate: Bool
    package var checkpoint: CheckpointConfiguration
    package var log: LogConfiguration
    package var retrain: RetrainConfiguration?

    /// The directory that the file's relative paths start from: where the configuration file lies.
    package var baseDirectory: String
}

package enum MetricName: String, CaseIterable, Sendable {
    case accuracy, macroF1 = "macro_f1", logLoss = "log_loss", auc, confusion
    case rmse, mae, r2
}

/// A setting that the program chooses unless the file does.
package enum Automatic<Value: Equatable & Sendable>: Equatable, Sendable {
    case automatic
    case value(Value)
}

/// An amount of memory or disk: so many bytes, or a share of what the machine has.
package enum Amount: Equatable, Sendable {
    case bytes(Int)
    case share(Double)
}

/// By how much a candidate may be worse: an amount, or a share of the present value.
package enum Tolerance: Equatable, Sendable {
    case absolute(Double)
    case share(Double)
}

extension Configuration {
    /// Every setting with its value, as JSON: reads back to the same value.
    ///
    /// ```swift
    /// try configuration.resolvedText.write(toFile: "resolved.json5", atomically: true, encoding: .utf8)
    /// ```
    public var resolvedText: String {
        Configuration.section.form.write(self, .any).lines() + "\n"
    }
}
