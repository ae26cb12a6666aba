package import TreadleBase
package import TreadleConfiguration
internal import TreadleData
package import TreadleModel

/// Times steps of a network on made-up rows in memory.
@safe package final class StepTimer<S: Scalar> {
    private let step: EnsembleStep<S>
    private let forward: ForwardPass<S>
    private let batchSize: Int
    private let x: AlignedMemory<S>
    private let rows: [UnsafePointer<S>]
    private let classes: AlignedMemory<Int32>
    private let values: AlignedMemory<S>
    private let hasClasses: Bool
    private var steps = 0

    /// What a step's parts take, in seconds: medians.
    package struct Times: Equatable, Sendable {
        /// Of all members.
        package var step: Double
        /// Phase 1 of the first member: rows through all layers and back.
        package var rows: Double
        /// The first member's forward pass alone.
        package var forward: Double

        package var tiles: Double { max(0, step - rows) }
    }

    /// Steps of `network` as `configuration` says, with as many members.
    package init(_ configuration: Configuration, network: Network, loss: LossFunction, workers: Workers) {
        step = EnsembleStep(
            configuration, network: network, loss: loss, shards: configuration.shards, workers: workers)
        // The weights need only be of usual sizes: some units multiply zeros, which an initializer may give, faster.
        let parameters = (0..<network.members).map { member in
            Initialization.parameters(
                of: network.member(member), initializer: .auto, as: S.self, seed: 1, workers: workers)
        }
        step.load(parameters.flatMap(\.self), optimizer: OptimizerState())
        batchSize = configuration.data.batchSize
        forward = ForwardPass(
            network: network.member(0), parameters: parameters[0], loss: loss, maxRows: batchSize, workers: workers)
        let x = AlignedMemory<S>(count: batchSize * network.inputs)
        self.x = x
        unsafe rows = unsafe (0..<batchSize).map { unsafe UnsafePointer(x.start + $0 * network.inputs) }
        classes = AlignedMemory(count: batchSize)
        values = AlignedMemory(count: batchSize * network.outputs)
        hasClasses = loss.link == .softmax
        let random = Philox(seed: 1, purpose: .generation)
        for index in 0..<batchSize * network.inputs {
            unsafe x.start[index] = S(Double(random.words(at: UInt64(index))[0]) / 4_294_967_296 - 0.5)
        }
        for row in 0..<batchSize {
            let word = random.words(at: UInt64(row))[1]
            unsafe classes.start[row] = Int32(word % UInt32(network.outputs))
            for column in 0..<network.outputs {
                unsafe values.start[row * network.outputs + column] = S(word >> UInt32(column % 32) & 1)
            }
        }
    }

    /// Runs steps for about so long and returns the medians of what they took.
    package func measure(seconds: Double) -> Times {
        // The first steps find little in the caches: where there is time, a later one says how long a step takes.
        var once = Double.infinity
        for turn in 0..<4 where turn < 2 || once < seconds / 24 { once = max(1e-7, Stopwatch.time { runStep() }) }
        // Few clock readings for steps of microseconds, several blocks for a median; of steps of a second only as many as
        // there is time for.
        let affordable = seconds / 3 / once
        let blocks = max(1, min(8, Int(affordable)))
        let count = max(1, min(100_000, Int(affordable / Double(blocks))))
        var whole: [Double] = []
        var rows: [Double] = []
        var passes: [Double] = []
        for _ in 0..<blocks {
            whole.append(Stopwatch.time { runSteps(count) } / Double(count))
            var spent = 0.0
            let clock = ContinuousClock()
            var begun = clock.now
            step.first.afterRows = { spent += (clock.now - begun).seconds }
            for _ in 0..<count {
                begun = clock.now
                runStep()
            }
            step.first.afterRows = nil
            rows.append(spent / Double(count))
            passes.append(
                Stopwatch.time { for _ in 0..<count { unsafe withBatch { unsafe _ = forward.run($0) } } }
                    / Double(count))
        }
        return Times(step: Self.median(whole), rows: Self.median(rows), forward: Self.median(passes))
    }

    // A rate of nothing: the numbers stay what they are, however often they are used.
    private let stillness = (rate: 0.0, decay: 1.0)

    private func runStep() {
        unsafe withBatch { unsafe step.run($0, step: steps, pace: { _ in stillness }) }
        steps += 1
    }

    /// Steps as a run takes them: members go through several batches before they meet.
    private func runSteps(_ count: Int) {
        let end = steps + count
        while steps < end {
            unsafe withBatch { batch in
                for _ in steps..<min(steps + step.mostBatches, end) {
                    unsafe step.add(batch, step: steps) { _ in stillness }
                    steps += 1
                }
                _ = step.run()
            }
        }
    }

    private func withBatch(_ body: (Batch<S>) -> Void) {
        unsafe rows.withUnsafeBufferPointer { rows in
            guard let first = rows.baseAddress else { preconditionFailure("a batch holds at least one row") }
            unsafe body(
                Batch(
                    rows: batchSize, x: first,
                    targets: hasClasses ? .classes(classes.start) : .values(values.start), weights: nil))
        }
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
    }
}
