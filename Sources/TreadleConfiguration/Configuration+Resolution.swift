package import TreadleBase
package import TreadleModel

/// What `"auto"` comes to, as far as the configuration alone decides it.
extension Configuration {
    /// The loss that `loss.type` names, or the task's own.
    package var lossType: LossType { loss.type(for: task) }

    /// How a batch is cut into shards: never derived from the machine.
    package var shards: Shards {
        let configured: Int? = if case .value(let count) = compute.shards { count } else { nil }
        return Shards(batchSize: data.batchSize, configured: configured, unit: model.precision.shardUnit)
    }

    /// What early stopping, the best checkpoint and the plateau schedule watch.
    package var watchedMetric: String { stop.early?.metric ?? EarlyStopping.section.initial.metric }
}

extension LossConfiguration {
    /// The loss that is named, or the usual one of the task.
    package func type(for task: LearningTask) -> LossType {
        switch type {
        case .value(let type): type
        case .automatic: task.losses[0]
        }
    }

    /// What to say of a loss that does not fit.
    static func misfit(_ type: LossType, _ task: LearningTask) -> String {
        "loss.type \"\(type.rawValue)\" does not fit task \"\(task.rawValue)\"; use "
            + choiceList(task.losses.map(\.rawValue))
    }
}

extension LearningTask {
    /// The metrics that can be measured.
    package var metrics: [MetricName] {
        switch self {
        case .classification: [.accuracy, .macroF1, .logLoss, .auc, .confusion]
        case .multilabel: [.accuracy, .macroF1, .logLoss, .auc]
        case .regression: [.rmse, .mae, .r2]
        }
    }
}

extension Configuration {
    /// The threads to use: as many as this process may have cores, unless the configuration says otherwise.
    package var threadCount: Int {
        switch compute.threads {
        case .value(let count): count
        case .automatic: Cores.available
        }
    }
}
