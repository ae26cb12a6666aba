internal import CKernels
internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel

/// A workload ready to be timed: its data in memory, its network initialized.
@safe final class WorkloadRun {
    let workload: Workload
    private let step: TrainingStep<Float>
    private let x: UnsafeMutablePointer<Float>
    private let classes: UnsafeMutablePointer<Int32>
    private let values: UnsafeMutablePointer<Float>
    private let rows: UnsafeMutablePointer<UnsafePointer<Float>>
    private var steps = 0
    private var batchStart = 0

    /// Samples a second of each timed run, and the share of its time that phase 1 took.
    private(set) var speeds: [Double] = []
    private(set) var rowShares: [Double] = []

    init(_ workload: Workload, workers: Workers) {
        self.workload = workload
        let network = workload.network
        let (count, inputs) = (workload.rows, network.inputs)
        unsafe step = TrainingStep(
            network: network, loss: workload.loss, optimizer: workload.optimizer, batchSize: workload.batchSize,
            shards: Shards(batchSize: workload.batchSize), seed: 1, workers: workers)
        step.load(WorkloadRun.weights(network), optimizer: OptimizerState())
        // On large pages, as the loader keeps rows in memory.
        let bytes = count * inputs * MemoryLayout<Float>.stride
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 1 << 21)
        unsafe madvise(memory, bytes, MADV_HUGEPAGE)
        unsafe x = memory.bindMemory(to: Float.self, capacity: count * inputs)
        unsafe classes = .allocate(capacity: count)
        unsafe values = .allocate(capacity: count * network.outputs)
        unsafe rows = .allocate(capacity: count)
        var random = SystemIndependentGenerator(state: 7)
        for index in 0..<count * inputs { unsafe (x + index).initialize(to: random.nextFloat()) }
        for row in 0..<count {
            unsafe (classes + row).initialize(to: Int32(random.next() % UInt64(network.outputs)))
            unsafe (rows + row).initialize(to: UnsafePointer(x + row * inputs))
        }
        for index in 0..<count * network.outputs { unsafe (values + index).initialize(to: random.nextFloat()) }
        // The linear workload reads shuffled rows; the others find their batches in order, as their peers do.
        if count > 65_536 {
            let all = unsafe UnsafeMutableBufferPointer(start: rows, count: count)
            for row in stride(from: count - 1, to: 0, by: -1) {
                unsafe all.swapAt(row, Int(random.next() % UInt64(row + 1)))
            }
        }
    }

    deinit {
        unsafe x.deallocate()
        unsafe classes.deallocate()
        unsafe values.deallocate()
        unsafe rows.deallocate()
    }

    /// Runs steps for about `seconds` by `clock` and keeps their speed.
    func time(seconds: Double, clock: @escaping () -> Double) {
        var inRows = 0.0
        var begun = 0.0
        step.afterRows = { inRows += clock() - begun }
        for _ in 0..<4 { trainOneBatch() }
        (inRows, begun) = (0, 0)
        var samples = 0
        let start = clock()
        // Clocks are read so rarely that a step of microseconds is not slowed: phases are timed in a run of their own.
        step.afterRows = nil
        var elapsed = 0.0
        repeat {
            for _ in 0..<batchesBetweenClocks { trainOneBatch() }
            samples += batchesBetweenClocks * workload.batchSize
            elapsed = clock() - start
        } while elapsed < seconds
        speeds.append(Double(samples) / elapsed)

        step.afterRows = { inRows += clock() - begun }
        let phasesStart = clock()
        for _ in 0..<batchesBetweenClocks {
            begun = clock()
            trainOneBatch()
        }
        rowShares.append(inRows / (clock() - phasesStart))
        step.afterRows = nil
    }

    func train(steps: Int) {
        for _ in 0..<steps { trainOneBatch() }
    }

    private var batchesBetweenClocks: Int {
        max(8, Int(5e7 / (workload.operationsPerRow * Double(workload.batchSize))))
    }

    private func trainOneBatch() {
        if batchStart + workload.batchSize > workload.rows { batchStart = 0 }
        let targets: Targets<Float> =
            workload.classifies
            ? unsafe .classes(classes + batchStart) : unsafe .values(values + batchStart * workload.network.outputs)
        let batch = unsafe Batch(
            rows: workload.batchSize, x: UnsafePointer(rows + batchStart),
            targets: targets, weights: nil)
        unsafe step.run(batch, step: steps, rate: workload.optimizer.lr)
        steps += 1
        batchStart += workload.batchSize
    }

    /// Weights of a usual size; which ones changes no speed.
    private static func weights(_ network: Network) -> [LayerParameters] {
        var random = SystemIndependentGenerator(state: 3)
        return network.layers.map { layer in
            let scale = 1 / Float(layer.inputs).squareRoot()
            let values = (0..<layer.inputs * layer.units).map { _ in random.nextFloat() * scale }
            return LayerParameters(
                name: layer.name, weight: Tensor(shape: [layer.inputs, layer.units], storage: .float32(values)),
                bias: Tensor(shape: [layer.units], storage: .float32(Array(repeating: 0, count: layer.units))))
        }
    }
}

/// SplitMix64: the same rows in every run.
struct SystemIndependentGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Between −1 and 1.
    mutating func nextFloat() -> Float { Float(Int32(truncatingIfNeeded: next() >> 32)) * 0x1p-31 }
}
