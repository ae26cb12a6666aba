/// A loss with all its parameters, as the step computes it.
package struct LossFunction: Equatable, Sendable {
    package var type: LossType
    /// D of the output layer.
    package var outputs: Int
    /// What turns outputs into predictions.
    package var link: Link
    /// One weight a class, by which its rows' weights are multiplied; for bce over labels, what a label's presence
    /// weighs against its absence. Nil where each counts 1.
    package var classWeights: [Double]?
    package var labelSmoothing: Double
    package var delta: Double
    package var quantile: Double

    /// In the order of `ck_link`.
    package enum Link: String, CaseIterable, Sendable { case identity, softmax, sigmoid, exp }

    package init(
        type: LossType, outputs: Int, link: Link? = nil, classWeights: [Double]? = nil, labelSmoothing: Double = 0,
        delta: Double = 1, quantile: Double = 0.5
    ) {
        self.type = type
        self.outputs = outputs
        self.link = link ?? LossFunction.link(of: type, task: .classification, outputs: outputs)
        self.classWeights = classWeights
        self.labelSmoothing = labelSmoothing
        self.delta = delta
        self.quantile = quantile
    }

    /// How predictions follow from outputs: probabilities for classes and labels, the mean for poisson.
    ///
    /// A hinge's outputs are scores; their softmax or sigmoid orders and splits them alike, but is not calibrated.
    package static func link(of type: LossType, task: LearningTask, outputs: Int) -> Link {
        switch type {
        case .crossEntropy: .softmax
        case .bce: .sigmoid
        case .hinge: task == .multilabel || outputs == 1 ? .sigmoid : .softmax
        case .poisson: .exp
        case .mse, .mae, .huber, .quantile: .identity
        }
    }
}

extension LossFunction {
    /// How often each class, or each label's presence, occurs among the training rows: what balancing needs.
    package struct Census: Equatable, Sendable {
        package var rows: Int
        package var counts: [Int]

        package init(rows: Int, counts: [Int]) {
            self.rows = rows
            self.counts = counts
        }
    }

    /// The loss that a configuration asks for, for data with `outputs` classes, labels or target columns.
    ///
    /// Throws where the configuration does not fit the data. `census` is needed for balanced class weights alone.
    package init(
        _ configuration: LossConfiguration, task: LearningTask, outputs: Int, census: Census? = nil
    ) throws(TreadleError) {
        let type: LossType =
            switch configuration.type {
            case .value(let type): type
            case .automatic:
                switch task {
                case .classification: .crossEntropy
                case .multilabel: .bce
                case .regression: .mse
                }
            }
        guard type != .crossEntropy || outputs >= 2 else {
            throw TreadleError(
                .badData, "the data has \(outputs) class; cross_entropy needs at least two; check data.y and data.rows")
        }
        self.init(
            type: type, outputs: outputs, link: LossFunction.link(of: type, task: task, outputs: outputs),
            labelSmoothing: configuration.labelSmoothing, delta: configuration.delta,
            quantile: configuration.quantile)
        classWeights = try LossFunction.classWeights(
            configuration.classWeight, task: task, outputs: outputs, census: census)
    }

    /// The weights of `count` classes as numbers; what is absent from the data weighs 1.
    private static func classWeights(
        _ setting: ClassWeight?, task: LearningTask, outputs: Int, census: Census?
    ) throws(TreadleError) -> [Double]? {
        // A single output tells two classes apart.
        let count = task == .classification ? max(outputs, 2) : outputs
        switch setting {
        case nil:
            return nil
        case .values(let weights):
            guard weights.count == count else {
                throw TreadleError(
                    .configuration,
                    "loss.class_weight has \(weights.count) values, but the data has \(count) "
                        + (task == .multilabel ? "labels" : "classes") + "; give one each")
            }
            return weights
        case .balanced:
            guard let census else { return nil }
            precondition(census.counts.count == count, "a census must count every class")
            return census.counts.map { present in
                guard present > 0 else { return 1 }
                return task == .multilabel
                    ? Double(census.rows - present) / Double(present)
                    : Double(census.rows) / (Double(count) * Double(present))
            }
        }
    }
}
