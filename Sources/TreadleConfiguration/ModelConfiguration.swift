package import TreadleModel

/// The section `model`: the layers between the inputs and the output, which the task and the data decide.
package struct ModelConfiguration: Equatable, Sendable {
    package var hidden: [HiddenLayer]
    package var bias: Bool
    package var initializer: Initializer
    package var precision: Precision
}

package struct HiddenLayer: Equatable, Sendable {
    package var units: Int
    package var activation: Activation
    /// The share of units set to zero in each training step.
    package var dropout: Double
}
