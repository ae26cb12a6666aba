package import CKernels
internal import TreadleBase

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

    package enum Link: String, CaseIterable, Sendable {
        case identity, softmax, sigmoid, exp

        /// Its name to the kernels.
        package var kernel: ck_link {
            switch self {
            case .identity: CK_LINK_IDENTITY
            case .softmax: CK_LINK_SOFTMAX
            case .sigmoid: CK_LINK_SIGMOID
            case .exp: CK_LINK_EXP
            }
        }
    }

    /// Without a `link`, predictions are what the loss's usual task makes of outputs.
    package init(
        type: LossType, outputs: Int, link: Link? = nil, classWeights: [Double]? = nil, labelSmoothing: Double = 0,
        delta: Double = 1, quantile: Double = 0.5
    ) {
        self.type = type
        self.outputs = outputs
        self.link = link ?? type.traits.links[0].value
        self.classWeights = classWeights
        self.labelSmoothing = labelSmoothing
        self.delta = delta
        self.quantile = quantile
    }

    /// The loss that answers are judged by. Label smoothing is a means of training: a model that it makes less sure of itself is
    /// no better for coming nearer to targets that nobody has seen.
    package var forJudging: LossFunction {
        var plain = self
        plain.labelSmoothing = 0
        return plain
    }
}

/// What the network learns to say about a row.
///
/// ```swift
/// if model.task == .classification { print(model.classes ?? []) }
/// ```
public enum LearningTask: String, CaseIterable, Codable, Sendable {
    /// Which one of several classes it belongs to.
    case classification
    /// Which of several labels apply to it, each by itself.
    case multilabel
    /// One quantity or several.
    case regression
}

extension LearningTask {
    /// The losses that fit, the usual one first.
    package var losses: [LossType] { LossType.allCases.filter { $0.traits.link(for: self) != nil } }
}

/// How far predictions are from targets. Of those that fit a task, the first is the usual one.
package enum LossType: String, CaseIterable, Codable, Sendable {
    case crossEntropy = "cross_entropy", bce, hinge, mse, mae, huber, poisson, quantile

    /// All that the rest of the program knows about a loss. To add one, add its name above, its traits here, and its line to
    /// `CK_MEAN_LOSSES`.
    package var traits: LossTraits {
        switch self {
        case .crossEntropy:
            LossTraits(
                CK_CROSS_ENTROPY, [.classification: .softmax], settings: [.labelSmoothing],
                weighs: [.classification]
            ) { ElementaryFunction.log(Double($0)) }
        case .bce:
            LossTraits(CK_BCE, [.multilabel: .sigmoid], settings: [.labelSmoothing], weighs: [.multilabel])
        case .hinge:
            // Its outputs are scores. Softmax and sigmoid keep their order and their signs, but give no probabilities that
            // can be believed.
            LossTraits(
                CK_HINGE, [.classification: .softmax, .multilabel: .sigmoid], weighs: [.classification])
        case .mse: LossTraits(CK_MSE, [.regression: .identity])
        case .mae: LossTraits(CK_MAE, [.regression: .identity])
        case .huber: LossTraits(CK_HUBER, [.regression: .identity], settings: [.delta])
        // Predictions are means of counts; a count that is shifted or scaled is none.
        case .poisson: LossTraits(CK_POISSON, [.regression: .exp], takesScaledTargets: false)
        case .quantile: LossTraits(CK_QUANTILE, [.regression: .identity], settings: [.quantile])
        }
    }
}

/// What a loss is to the kernels, to predictions and to configurations.
package struct LossTraits: Sendable {
    package let kernel: ck_loss_type
    /// The tasks that it fits, the usual one first, and what turns outputs into predictions there.
    package let links: KeyValuePairs<LearningTask, LossFunction.Link>
    /// The keys of `loss` that it has a use for, besides those that all have.
    package let settings: Set<Setting>
    /// The tasks in which `loss.class_weight` can say what a class or a label counts.
    package let weighs: Set<LearningTask>
    /// Whether targets may be normalized.
    package let takesScaledTargets: Bool

    /// The loss where every class is taken for as likely as the others, by their number; nil where that is no measure.
    package let guessing: (@Sendable (_ outputs: Int) -> Double)?

    package enum Setting: String, CaseIterable, Sendable {
        case labelSmoothing = "label_smoothing", delta, quantile
    }

    init(
        _ kernel: ck_loss_type, _ links: KeyValuePairs<LearningTask, LossFunction.Link>, settings: Set<Setting> = [],
        weighs: Set<LearningTask> = [], takesScaledTargets: Bool = true,
        guessing: (@Sendable (_ outputs: Int) -> Double)? = nil
    ) {
        precondition(!links.isEmpty, "a loss fits a task at least")
        self.kernel = kernel
        self.links = links
        self.settings = settings
        self.weighs = weighs
        self.takesScaledTargets = takesScaledTargets
        self.guessing = guessing
    }

    /// What turns outputs into predictions in `task`; nil where the loss does not fit it.
    package func link(for task: LearningTask) -> LossFunction.Link? { links.first { $0.key == task }?.value }
}
