/// The shape of a network: F inputs, then dense layers, the last of which makes the output.
package struct Network: Equatable, Sendable, Codable {
    package var inputs: Int
    /// At least one; the last is the output layer, whose activation is identity: the loss knows the link.
    package var layers: [Layer]
    /// What the products compute in.
    package var precision: Precision

    package init(inputs: Int, layers: [Layer], precision: Precision = .float32) {
        self.inputs = inputs
        self.layers = layers
        self.precision = precision
    }

    package var outputs: Int { layers.last?.units ?? 0 }
    package var parameterCount: Int { layers.reduce(0) { $0 + $1.parameterCount } }
}

/// One dense layer: `activation(x · W + b)`, W being inputs×units.
package struct Layer: Equatable, Sendable, Codable {
    /// `dense`, `dense_1`, `dense_2`, … as Keras counts them.
    package var name: String
    package var inputs: Int
    package var units: Int
    package var activation: Activation
    package var dropout: Double
    package var hasBias: Bool

    package init(
        name: String, inputs: Int, units: Int, activation: Activation, dropout: Double, hasBias: Bool
    ) {
        self.name = name
        self.inputs = inputs
        self.units = units
        self.activation = activation
        self.dropout = dropout
        self.hasBias = hasBias
    }

    package var parameterCount: Int { inputs * units + (hasBias ? units : 0) }
}
