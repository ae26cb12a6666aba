package import TreadleBase
package import TreadleModel

/// What `"auto"` comes to, as far as the configuration alone decides it.
extension Configuration {
    /// The loss that `loss.type` names, or the task's own.
    package var lossType: LossType {
        switch loss.type {
        case .value(let type): type
        case .automatic: task.losses[0]
        }
    }

    /// How a batch is cut into shards: never derived from the machine.
    package var shards: Shards {
        let configured: Int? = if case .value(let count) = compute.shards { count } else { nil }
        return Shards(batchSize: data.batchSize, configured: configured, unit: model.precision.shardUnit)
    }

    /// What early stopping, the best checkpoint and the plateau schedule watch.
    package var watchedMetric: String { stop.early?.metric ?? EarlyStopping.section.initial.metric }
}

extension LearningTask {
    /// The losses that fit, the usual one first.
    package var losses: [LossType] {
        switch self {
        case .classification: [.crossEntropy, .hinge]
        case .multilabel: [.bce, .hinge]
        case .regression: [.mse, .mae, .huber, .poisson, .quantile]
        }
    }

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
