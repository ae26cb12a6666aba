import CKernels
import Testing
@testable import TreadleModel

@Suite struct OptimizerTests {
    @Test(arguments: OptimizerType.allCases) func `an optimizer remembers and is set as its paper has it`(
        type: OptimizerType
    ) {
        let (slots, settings): ([String?], Set<OptimizerTraits.Setting>) =
            switch type {
            // Momentum is kept only where it is asked for.
            case .sgd: ([], [.momentum, .nesterov])
            case .adam, .adamw: (["m", "v"], [.beta1, .beta2, .eps])
            case .rmsprop: ([nil, "v"], [.rho, .eps])
            case .adagrad: ([nil, "v"], [.eps])
            case .lion: (["m"], [.beta1, .beta2])
            }
        #expect(type.traits.slots == slots && type.traits.settings == settings)
        let names = type.traits.slots.compactMap(\.self)
        #expect(Set(names).count == names.count && type.traits.slots.count <= 2, "the kernels have two slots")
    }

    @Test func `every setting has an optimizer that uses it, and each is another one to the kernels`() {
        #expect(Set(OptimizerType.allCases.flatMap(\.traits.settings)) == Set(OptimizerTraits.Setting.allCases))
        #expect(Set(OptimizerType.allCases.map(\.traits.kernel.rawValue)).count == OptimizerType.allCases.count)
    }
}
