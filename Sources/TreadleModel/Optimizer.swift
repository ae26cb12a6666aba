package import CKernels

/// How weights follow their gradients.
package enum OptimizerType: String, CaseIterable, Sendable {
    case sgd, adam, adamw, rmsprop, adagrad, lion

    /// All that the rest of the program knows about an optimizer. To add one, add its name above, its traits here, and its
    /// line to `CK_OPTIMIZERS`.
    package var traits: OptimizerTraits {
        switch self {
        case .sgd:
            OptimizerTraits(
                CK_SGD, slots: [], settings: [.momentum, .nesterov],
                momentum: .init(kernel: CK_MOMENTUM, nesterov: CK_NESTEROV, slots: ["momentum"]))
        case .adam: OptimizerTraits(CK_ADAM, slots: ["m", "v"], settings: [.beta1, .beta2, .eps])
        case .adamw: OptimizerTraits(CK_ADAMW, slots: ["m", "v"], settings: [.beta1, .beta2, .eps])
        // The kernels keep squares in their second slot.
        case .rmsprop: OptimizerTraits(CK_RMSPROP, slots: [nil, "v"], settings: [.rho, .eps])
        case .adagrad: OptimizerTraits(CK_ADAGRAD, slots: [nil, "v"], settings: [.eps])
        case .lion: OptimizerTraits(CK_LION, slots: ["m"], settings: [.beta1, .beta2])
        }
    }
}

/// What an optimizer is to the kernels, to checkpoints and to configurations.
package struct OptimizerTraits: Sendable {
    package let kernel: ck_optimizer_type
    /// The names under which checkpoints keep what it remembers, in the order of the kernels' slots.
    package let slots: [String?]
    /// What it is where `optimizer.momentum` is not 0; nil where it has no use for that.
    package let momentum: Momentum?
    /// The keys of `optimizer` that it has a use for, besides those that all have.
    package let settings: Set<Setting>

    package enum Setting: String, CaseIterable, Sendable { case momentum, nesterov, beta1, beta2, rho, eps }

    package struct Momentum: Sendable {
        package let kernel: ck_optimizer_type
        /// With `optimizer.nesterov`.
        package let nesterov: ck_optimizer_type
        package let slots: [String?]
    }

    init(
        _ kernel: ck_optimizer_type, slots: [String?], settings: Set<Setting>, momentum: Momentum? = nil
    ) {
        self.kernel = kernel
        self.slots = slots
        self.settings = settings
        self.momentum = momentum
    }
}

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
