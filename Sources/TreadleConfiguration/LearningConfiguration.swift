package import TreadleModel

/// The section `loss`.
package struct LossConfiguration: Equatable, Sendable {
    package var type: Automatic<LossType>
    package var classWeight: ClassWeight?
    package var labelSmoothing: Double
    /// Where Huber's loss turns from squared to linear.
    package var delta: Double
    /// Which quantile the quantile loss estimates.
    package var quantile: Double
}

package enum ClassWeight: Equatable, Sendable {
    /// Rows ÷ (classes · rows of the class), counted over the training rows.
    case balanced
    case values([Double])
}

/// The section `optimizer`; what a type does not use keeps its default.
package struct OptimizerConfiguration: Equatable, Sendable {
    package var type: OptimizerType
    package var lr: Double
    package var momentum: Double
    package var nesterov: Bool
    package var beta1: Double
    package var beta2: Double
    /// The decay of rmsprop's mean of squares.
    package var rho: Double
    package var eps: Double
    package var weightDecay: Double
    package var decaySchedule: DecaySchedule
    package var l1: Double
    package var clipNorm: Double?
    /// What the rate is multiplied by for some parameters: the biases of dense layers, the factors of the inputs, and all of
    /// the embedding.
    package var biasRate: Double
    package var scaleRate: Double
    package var embeddingRate: Double

    package init(
        type: OptimizerType, lr: Double, momentum: Double, nesterov: Bool, beta1: Double, beta2: Double, rho: Double,
        eps: Double, weightDecay: Double, decaySchedule: DecaySchedule = .constant, l1: Double, clipNorm: Double?,
        biasRate: Double = 1, scaleRate: Double = 1, embeddingRate: Double = 1
    ) {
        self.type = type
        self.lr = lr
        self.momentum = momentum
        self.nesterov = nesterov
        self.beta1 = beta1
        self.beta2 = beta2
        self.rho = rho
        self.eps = eps
        self.weightDecay = weightDecay
        self.decaySchedule = decaySchedule
        self.l1 = l1
        self.clipNorm = clipNorm
        self.biasRate = biasRate
        self.scaleRate = scaleRate
        self.embeddingRate = embeddingRate
    }
}

/// How the pull of `weight_decay` changes in the course of a run.
package enum DecaySchedule: String, CaseIterable, Sendable {
    case constant, flatCosine = "flat_cosine", rate
}

/// The section `schedule`: how the learning rate moves.
package struct ScheduleConfiguration: Equatable, Sendable {
    package var type: ScheduleType
    package var warmupSteps: Int
    /// step, exponential and plateau multiply the rate by this.
    package var gamma: Double
    /// step: after every so many epochs.
    package var stepEpochs: Int
    /// The curves that end at all end at this rate; plateau never goes below it.
    package var minLr: Double
    package var power: Double
    /// coslog: how often the rate rises and falls.
    package var cycles: Int
    /// plateau: so many epochs without progress.
    package var patience: Int
}

package enum ScheduleType: String, CaseIterable, Sendable {
    case constant, step, exponential, cosine, poly, plateau, linear, coslog, flatCosine = "flat_cosine"
    case flatLinear = "flat_linear"
}
