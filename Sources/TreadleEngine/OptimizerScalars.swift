internal import CKernels
internal import TreadleConfiguration
internal import TreadleModel

/// An optimizer's numbers for the update at hand: what moves besides the rate is Adam's bias correction.
struct OptimizerScalars {
    private let configuration: OptimizerConfiguration
    /// Looked up once: the step asks for it every time.
    private let type: ck_optimizer_type
    /// Updates done.
    private(set) var step: Int
    // β^step by one multiplication an update, never pow: the same bits on every machine, and after a resumption.
    private var power1 = 1.0
    private var power2 = 1.0

    init(_ configuration: OptimizerConfiguration, step: Int = 0) {
        self.configuration = configuration
        let momentum = Self.momentum(configuration)
        type = momentum.map { configuration.nesterov ? $0.nesterov : $0.kernel } ?? configuration.type.traits.kernel
        self.step = step
        for _ in 0..<step {
            power1 *= configuration.beta1
            power2 *= configuration.beta2
            if power1 == 0 && power2 == 0 { break }
        }
    }

    /// The names under which checkpoints keep the optimizer's memory, in the order of the kernels' slots.
    static func slotNames(_ configuration: OptimizerConfiguration) -> [String?] {
        momentum(configuration)?.slots ?? configuration.type.traits.slots
    }

    /// Goes on by one update and gives its scalars; `decay` is what the weight decay is multiplied by.
    mutating func next(rate: Double, decay: Double = 1) -> ck_optimizer {
        step += 1
        power1 *= configuration.beta1
        power2 *= configuration.beta2
        return ck_optimizer(
            type: type, rate: rate, momentum: configuration.momentum, beta1: configuration.beta1,
            beta2: configuration.beta2, rho: configuration.rho, eps: configuration.eps,
            weight_decay: configuration.weightDecay * decay, l1: configuration.l1, correction1: 1 - power1,
            correction2: (1 - power2).squareRoot())
    }

    private static func momentum(_ configuration: OptimizerConfiguration) -> OptimizerTraits.Momentum? {
        configuration.momentum != 0 ? configuration.type.traits.momentum : nil
    }
}

extension ck_rates {
    /// How a layer follows its gradients under an optimizer.
    init(of layer: Layer, _ optimizer: OptimizerConfiguration, _ parameterization: Parameterization) {
        switch layer.kind {
        case .dense:
            self.init(
                weight: 1, bias: optimizer.biasRate,
                divisor: parameterization == .ntk ? Double(layer.inputs).squareRoot() : 1)
        case .waves, .ramps, .combination:
            self.init(weight: optimizer.embeddingRate, bias: optimizer.embeddingRate, divisor: 1)
        case .factors: self.init(weight: optimizer.scaleRate, bias: 1, divisor: 1)
        }
    }
}
