internal import TreadleBase
internal import TreadleModel

extension LossConfiguration {
    static let section = Section(
        initial: LossConfiguration(type: .automatic, classWeight: nil, labelSmoothing: 0, delta: 1, quantile: 0.5),
        keys: [
            Key(
                "type", \.type, .lossType, .meaning,
                "auto is "
                    + LearningTask.allCases.map { "\($0.losses[0].rawValue) for \($0.rawValue)" }.joined(
                        separator: ", ")),
            Key(
                "class_weight", \.classWeight, .classWeight, .meaning,
                "what rows of each class count, or the presence of each label; balanced lets rare ones count as much as frequent ones"
            ),
            Key(
                "label_smoothing", \.labelSmoothing, .shareBelowOne, .meaning,
                "the share of the target spread over all classes, in training alone; cross_entropy and bce"),
            Key("delta", \.delta, .positive, .meaning, "huber: the error where squared turns into linear"),
            Key("quantile", \.quantile, .properShare, .meaning, "quantile: which one is estimated"),
        ])
}

extension Form where Value == Automatic<LossType> {
    static let lossType = choice(
        [("auto", .automatic)] + LossType.allCases.map { (word: $0.rawValue, value: .value($0)) }
    ) { type in
        switch type {
        case .automatic: "auto"
        case .value(let type): type.rawValue
        }
    }
}

extension Form where Value == ClassWeight? {
    static let classWeight: Form = {
        let expected = "\"balanced\", a list of numbers above 0, or null"
        return Form(expected) { node in
            switch node.value {
            case .null: return .some(nil)
            case .text("balanced"): return .balanced
            case .list(let nodes):
                let weights = nodes.compactMap { Form<Double>.positive.value(of: $0) }
                return weights.count == nodes.count && weights.count >= 2 ? .values(weights) : nil
            default: return nil
            }
        } print: { weight in
            switch weight {
            case nil: .null
            case .balanced: .text("balanced")
            case .values(let weights): .list(weights.map { .number($0) })
            }
        }
    }()
}

extension OptimizerConfiguration {
    static let section = Section(
        initial: OptimizerConfiguration(
            type: .adam, lr: 1e-3, momentum: 0, nesterov: false, beta1: 0.9, beta2: 0.999, rho: 0.99, eps: 1e-8,
            weightDecay: 0, l1: 0, clipNorm: nil),
        keys: [
            Key("type", \.type, .choice(), .meaning, "the rule of a step"),
            Key("lr", \.lr, .positive, .meaning, "the learning rate"),
            Key("momentum", \.momentum, .shareBelowOne, .meaning, "sgd: what is kept of the step before"),
            Key("nesterov", \.nesterov, .truth, .meaning, "sgd: look ahead along the momentum"),
            Key("beta1", \.beta1, .shareBelowOne, .meaning, "adam, adamw: decay of the mean of gradients"),
            Key("beta2", \.beta2, .shareBelowOne, .meaning, "adam, adamw: decay of the mean of squares"),
            Key("rho", \.rho, .shareBelowOne, .meaning, "rmsprop: decay of the mean of squares"),
            Key("eps", \.eps, .positive, .meaning, "all but sgd: keeps a division away from zero"),
            Key(
                "weight_decay", \.weightDecay, .notNegative, .meaning,
                "pulls weights to zero; adamw applies it to the weights, the others to the gradient"),
            Key(
                "decay_schedule", \.decaySchedule, .choice(), .meaning,
                "how weight_decay changes during a run: not; flat for one half, then down to 0; as the learning rate does"
            ),
            Key("l1", \.l1, .notNegative, .meaning, "pulls weights to zero by a constant force"),
            Key(
                "clip_norm", \.clipNorm, Form<Double>.positive.orNull, .meaning,
                "the largest norm of the whole gradient; a larger one is scaled down"),
            Key(
                "bias_rate", \.biasRate, .notNegative, .meaning,
                "what lr is multiplied by for the biases of dense layers"),
            Key(
                "scale_rate", \.scaleRate, .notNegative, .meaning,
                "what lr is multiplied by for the factors of model.scale_inputs"),
            Key(
                "embedding_rate", \.embeddingRate, .notNegative, .meaning,
                "what lr is multiplied by for the parameters of model.embedding"),
        ])
}

extension ScheduleConfiguration {
    static let section = Section(
        initial: ScheduleConfiguration(
            type: .constant, warmupSteps: 0, gamma: 0.1, stepEpochs: 10, minLr: 0, power: 1, cycles: 4,
            patience: 5),
        keys: [
            Key("type", \.type, .choice(), .meaning, "how the learning rate moves after the warm-up"),
            Key("warmup_steps", \.warmupSteps, .integer(0...1_000_000_000), .meaning, "steps of linear rise to lr"),
            Key(
                "gamma", \.gamma, .number("a number above 0 up to 1") { $0 > 0 && $0 <= 1 }, .meaning,
                "what the rate is multiplied by: by step, by exponential after each epoch, by plateau"),
            Key("step_epochs", \.stepEpochs, .integer(1...1_000_000_000), .meaning, "step: epochs between reductions"),
            Key("min_lr", \.minLr, .notNegative, .meaning, "all that fall by a curve, plateau: the lowest rate"),
            Key("power", \.power, .positive, .meaning, "poly: the exponent of the decay"),
            Key("cycles", \.cycles, .integer(1...30), .meaning, "coslog: how often the rate rises and falls again"),
            Key("patience", \.patience, .integer(0...1_000_000_000), .meaning, "plateau: epochs without progress"),
        ])
}
