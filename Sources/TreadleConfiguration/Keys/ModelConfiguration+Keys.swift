internal import TreadleBase
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
                "the numbers that the network computes in; "
                    + Precision.allCases.compactMap { precision in
                        precision.traits.rounding.map { "\(precision.rawValue) \($0.effect)" }
                    }.joined(separator: ", ") + ", and both keep weights in float32"
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
                "give the first layer more of each column that is a number than the number: waves of it, or ramps over parts of its range"
            ),
            Key(
                "members", \.members, .integer(1...1000), .meaning,
                "networks that are trained on one pass through the data, each from its own seed; their answers are averaged"
            ),
            Key(
                "vary", \.vary, Variation.section.form.orNull, .meaning,
                "what each member draws for itself from its seed instead of taking what is set"),
        ])
}

extension EmbeddingConfiguration {
    static let section = Section(
        initial: EmbeddingConfiguration(type: .periodic, frequencies: 16, outputs: 3, sigma: 0.1, bins: 16),
        keys: [
            Key(
                "type", \.type, .choice(), .meaning,
                "periodic: cosines of the column; piecewise: ramps, each from 0 to 1 over a bin with as many rows as the others; and a small layer of its own"
            ),
            Key("frequencies", \.frequencies, .integer(1...1024), .meaning, "cosines of each column; with periodic"),
            Key("bins", \.bins, .integer(2...1024), .meaning, "ramps of each column; with piecewise"),
            Key(
                "outputs", \.outputs, .integer(1...32), .meaning, "numbers that they become, besides the column itself"),
            Key(
                "sigma", \.sigma, .positive, .meaning,
                "the spread of the frequencies at the start, in turns for each unit of a column; with periodic"),
        ])
}

extension Variation {
    static let section = Section(
        initial: Variation(lr: nil, units: nil, dropout: nil, weightDecay: nil),
        keys: [
            Key(
                "lr", \.lr, Form<ClosedRange<Double>>.positives.orNull, .meaning,
                "bounds of the learning rate, drawn evenly by its logarithm"),
            Key(
                "units", \.units, Form<ClosedRange<Int>>.units.orNull, .meaning,
                "bounds of the units of all hidden layers, drawn in multiples of 16"),
            Key(
                "dropout", \.dropout, Form<ClosedRange<Double>>.shares.orNull, .meaning,
                "bounds of the dropout of all hidden layers"),
            Key(
                "weight_decay", \.weightDecay, Form<ClosedRange<Double>>.positives.orNull, .meaning,
                "bounds of the weight decay, drawn evenly by its logarithm"),
        ])
}

extension Form where Value == ClosedRange<Double> {
    static let positives = bounds("two numbers above 0 such as [0.001, 0.01]") { $0 > 0 }
    static let shares = bounds("two numbers from 0 up to, not including, 1 such as [0, 0.3]") { $0 >= 0 && $0 < 1 }

    /// The lower bound and the upper one.
    private static func bounds(_ expected: String, where isRight: @escaping @Sendable (Double) -> Bool) -> Form {
        Form(expected) { (node: JSON5Node) -> ClosedRange<Double>? in
            guard case .list(let nodes) = node.value, nodes.count == 2 else { return nil }
            let numbers = nodes.compactMap { Form<Double>.number(expected, where: isRight).value(of: $0) }
            return numbers.count == 2 && numbers[0] <= numbers[1] ? numbers[0]...numbers[1] : nil
        } print: {
            .list([.number($0.lowerBound), .number($0.upperBound)])
        }
    }
}

extension Form where Value == ClosedRange<Int> {
    static let units = Form("two integers from 16 to 65536 such as [64, 512]") {
        (node: JSON5Node) -> ClosedRange<Int>? in
        guard case .list(let nodes) = node.value, nodes.count == 2 else { return nil }
        let numbers = nodes.compactMap { Form<Int>.integer(16...65_536).value(of: $0) }
        return numbers.count == 2 && numbers[0] <= numbers[1] ? numbers[0]...numbers[1] : nil
    } print: {
        .list([.literal("\($0.lowerBound)"), .literal("\($0.upperBound)")])
    }
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
