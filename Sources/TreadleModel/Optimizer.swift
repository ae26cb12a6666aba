package enum OptimizerType: String, CaseIterable, Sendable { case sgd, adam, adamw, rmsprop, adagrad }

/// What an optimizer remembers besides the weights.
package struct OptimizerState: Equatable, Sendable {
    /// Updates done: Adam's t.
    package var step: Int
    /// `momentum`, or `m` and `v`, …: each with one entry a layer, shaped like the parameters.
    package var slots: [Slot]

    package struct Slot: Equatable, Sendable {
        package var name: String
        package var layers: [LayerParameters]

        package init(name: String, layers: [LayerParameters]) {
            self.name = name
            self.layers = layers
        }
    }

    package init(step: Int = 0, slots: [Slot] = []) {
        self.step = step
        self.slots = slots
    }
}
