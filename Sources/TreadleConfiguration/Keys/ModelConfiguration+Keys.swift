internal import TreadleModel

extension ModelConfiguration {
    static let section = Section(
        initial: ModelConfiguration(
            hidden: [], bias: true, initializer: .auto, precision: .float32, parameterization: .standard,
            scaleInputs: false, embedding: nil),
        keys: [
            Key(
                "hidden", \.hidden, HiddenLayer.section.form.list("a list of layers { units: … }"), .any,
                "the hidden layers; [] is a linear model", isRequired: true),
            Key("bias", \.bias, .truth, .meaning, "add a bias in every layer"),
            Key(
                "init", \.initializer, .choice(), .meaning,
                "how weights start; auto is he before relu and its kin, glorot otherwise, and normal with ntk"),
            Key(
                "precision", \.precision, .choice(), .meaning,
                "the numbers that the network computes in; bfloat16 rounds what products read, and keeps weights in float32"
            ),
            Key(
                "parameterization", \.parameterization, .choice(), .meaning,
                "what the optimizer moves: the weights, or with ntk √(inputs) times the weights, in layers of every width alike"
            ),
            Key(
                "scale_inputs", \.scaleInputs, .truth, .meaning,
                "multiply each number that the first layer reads by a factor that is learnt and starts at 1"),
            Key(
                "embedding", \.embedding, EmbeddingConfiguration.section.form.orNull, .meaning,
                "give the first layer more of each column that is a number than the number: waves of it, whose lengths are learnt"
            ),
        ])
}

extension EmbeddingConfiguration {
    static let section = Section(
        initial: EmbeddingConfiguration(type: .periodic, frequencies: 16, outputs: 3, sigma: 0.1),
        keys: [
            Key("type", \.type, .choice(), .meaning, "periodic: cosines of the column, and a small layer of its own"),
            Key("frequencies", \.frequencies, .integer(1...1024), .meaning, "cosines of each column"),
            Key(
                "outputs", \.outputs, .integer(1...32), .meaning, "numbers that they become, besides the column itself"),
            Key(
                "sigma", \.sigma, .positive, .meaning,
                "the spread of the frequencies at the start, in turns for each unit of a column"),
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
