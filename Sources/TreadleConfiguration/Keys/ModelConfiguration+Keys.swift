internal import TreadleModel

extension ModelConfiguration {
    static let section = Section(
        initial: ModelConfiguration(hidden: [], bias: true, initializer: .auto, precision: .float32),
        keys: [
            Key(
                "hidden", \.hidden, HiddenLayer.section.form.list("a list of layers { units: … }"), .any,
                "the hidden layers; [] is a linear model", isRequired: true),
            Key("bias", \.bias, .truth, .meaning, "add a bias in every layer"),
            Key(
                "init", \.initializer, .choice(), .meaning,
                "how weights start; auto is he before relu and its kin, glorot otherwise"),
            Key(
                "precision", \.precision, .choice(), .meaning,
                "the numbers that the network computes in; bfloat16 rounds what products read, and keeps weights in float32"
            ),
        ])
}

extension HiddenLayer {
    static let section = Section(
        initial: HiddenLayer(units: 1, activation: .relu, dropout: 0),
        keys: [
            Key("units", \.units, .integer(1...16_777_216), .meaning, "outputs of the layer", isRequired: true),
            Key("activation", \.activation, .choice(), .meaning, "the function after the layer"),
            Key(
                "dropout", \.dropout, .shareBelowOne, .meaning, "the share of outputs set to zero in each training step"
            ),
        ])
}
