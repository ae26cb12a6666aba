package import CKernels

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

/// What the network learns to say about a row.
///
/// ```swift
/// if model.task == .classification { print(model.classes ?? []) }
/// ```
public enum LearningTask: String, CaseIterable, Codable, Sendable {
    case classification, multilabel, regression
}

package enum LossType: String, CaseIterable, Codable, Sendable {
    case crossEntropy = "cross_entropy", bce, hinge, mse, mae, huber, poisson, quantile

    /// Its name to the kernels.
    package var kernel: ck_loss_type {
        switch self {
        case .crossEntropy: CK_CROSS_ENTROPY
        case .bce: CK_BCE
        case .hinge: CK_HINGE
        case .mse: CK_MSE
        case .mae: CK_MAE
        case .huber: CK_HUBER
        case .poisson: CK_POISSON
        case .quantile: CK_QUANTILE
        }
    }
}
