/// A loss with all its parameters, as the step computes it.
package struct LossFunction: Equatable, Sendable {
    package var type: LossType
    /// D of the output layer.
    package var outputs: Int
    /// What turns outputs into predictions.
    package var link: Link
    /// One weight a class, by which its rows' weights are multiplied; nil where each counts 1.
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
    /// The loss that a configuration asks for, for data with `outputs` classes, labels or target columns.
    ///
    /// Throws where the configuration does not fit the data. `classCounts`, the training rows of each
    /// class, is needed for balanced class weights alone.
    package init(
        _ configuration: LossConfiguration, task: LearningTask, outputs: Int, classCounts: [Int]? = nil
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
        guard task != .classification || outputs >= 2 else {
            throw TreadleError(
                .badData,
                "the targets hold \(outputs) class; classification needs two or more; check data.y and data.rows")
        }
        self.init(
            type: type, outputs: outputs, link: LossFunction.link(of: type, task: task, outputs: outputs),
            labelSmoothing: configuration.labelSmoothing, delta: configuration.delta,
            quantile: configuration.quantile)
        classWeights = try LossFunction.classWeights(
            configuration.classWeight, classes: outputs, counts: classCounts)
    }

    /// The weights as numbers; a class that is absent from the training rows weighs 1.
    private static func classWeights(
        _ setting: ClassWeight?, classes: Int, counts: [Int]?
    ) throws(TreadleError) -> [Double]? {
        switch setting {
        case nil:
            return nil
        case .values(let weights):
            guard weights.count == classes else {
                throw TreadleError(
                    .configuration,
                    "loss.class_weight has \(weights.count) values, but the data has \(classes) classes; give one each")
            }
            return weights
        case .balanced:
            guard let counts else { return nil }
            precondition(counts.count == classes, "every class must be counted")
            let rows = counts.reduce(0, +)
            return counts.map { $0 > 0 ? Double(rows) / (Double(classes) * Double($0)) : 1 }
        }
    }
}
