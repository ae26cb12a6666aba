package import TreadleModel

/// The section `model`: the layers between the inputs and the output, which the task and the data decide.
package struct ModelConfiguration: Equatable, Sendable {
    package var hidden: [HiddenLayer]
    package var bias: Bool
    package var initializer: Initializer
    package var precision: Precision
    package var parameterization: Parameterization
    /// Whether each number that the first layer reads is multiplied by a factor that is learnt.
    package var scaleInputs: Bool
    package var embedding: EmbeddingConfiguration?

    /// How weights start: `auto` is `normal` where √F divides them.
    package var start: Initializer { initializer == .auto && parameterization == .ntk ? .normal : initializer }
    /// How many networks are trained, each from a seed of its own; their answers are averaged.
    package var members = 1
    package var vary: Variation?
}

/// What each member draws for itself from its seed, and between which bounds.
package struct Variation: Equatable, Sendable {
    /// The learning rate, evenly by its logarithm.
    package var lr: ClosedRange<Double>?
    /// The units of every hidden layer, in multiples of 16.
    package var units: ClosedRange<Int>?
    /// The dropout of every hidden layer.
    package var dropout: ClosedRange<Double>?
    /// The weight decay, evenly by its logarithm.
    package var weightDecay: ClosedRange<Double>?

    package init(
        lr: ClosedRange<Double>? = nil, units: ClosedRange<Int>? = nil, dropout: ClosedRange<Double>? = nil,
        weightDecay: ClosedRange<Double>? = nil
    ) {
        self.lr = lr
        self.units = units
        self.dropout = dropout
        self.weightDecay = weightDecay
    }
}

/// What a number becomes, besides itself, before the first layer reads it: waves of it or ramps over parts of its range,
/// combined.
package struct EmbeddingConfiguration: Equatable, Sendable {
    package var type: EmbeddingType
    /// Waves of each column, and the numbers that they are combined to.
    package var frequencies: Int
    package var outputs: Int
    /// The spread of the frequencies that the waves start with.
    package var sigma: Double
    /// Ramps of each column.
    package var bins: Int

    package init(type: EmbeddingType, frequencies: Int, outputs: Int, sigma: Double, bins: Int = 16) {
        self.type = type
        self.frequencies = frequencies
        self.outputs = outputs
        self.sigma = sigma
        self.bins = bins
    }

    /// Waves or ramps of each column.
    package var functions: Int { type == .periodic ? frequencies : bins }
}

package enum EmbeddingType: String, CaseIterable, Sendable { case periodic, piecewise }

package struct HiddenLayer: Equatable, Sendable {
    package var units: Int
    package var activation: Activation
    /// The share of units set to zero in each training step.
    package var dropout: Double
}
