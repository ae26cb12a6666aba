internal import TreadleBase
internal import TreadleModel

/// How steps are computed, which must not show in any bit.
package struct ComputingWay: Equatable, Sendable {
    package var threads: Int
    package var set: String

    /// "2 threads, avx512"
    package var text: String { "\(threads) \(threads == 1 ? "thread" : "threads"), \(set)" }

    /// The usual way, and one with another number of threads, so that other cores do other parts of the work, and a plainer
    /// instruction set where the CPU has one that is not much slower.
    static func two(threads: Int, precision: Precision) -> (first: ComputingWay, second: ComputingWay) {
        let usual = Treadle.instructionSet
        // All that is not bfloat16 is computed by AVX-512 on CPUs that have more for bfloat16.
        let withoutUnit = precision.roundsOperands ? "avx512" : "avx2"
        let plainer = ["amx": withoutUnit, "avx512bf16": withoutUnit, "avx512": "avx2"][usual] ?? usual
        return (
            ComputingWay(threads: threads, set: usual),
            ComputingWay(threads: threads > 1 ? threads - 1 : 2, set: plainer)
        )
    }
}

/// The first place where the same steps gave other bits the second time, which is the machine's fault.
package struct StepDifference: Equatable, Sendable {
    package var step: Int
    package var layer: String

    /// The first difference between what two computations left in every layer, as digests by layer after one step.
    init?(_ first: [String], _ second: [String], after step: Int, of network: Network) {
        guard let layer = first.indices.first(where: { first[$0] != second[$0] }) else { return nil }
        self.step = step
        self.layer = network.layers[layer].name
    }

    /// What a person is told of it.
    package func text(_ ways: [ComputingWay]) -> String {
        let how = ways.map(\.text).joined(separator: "; ")
        return
            "step \(step) gave other weights in layer \(layer) the second time (\(how); on cores \(Cores.names)): CPU or "
            + "memory of this machine are broken"
    }
}
