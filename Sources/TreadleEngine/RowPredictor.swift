internal import CKernels
internal import Synchronization
package import TreadleBase
package import TreadleData
package import TreadleModel

/// A network's answers for rows in memory, for any number of callers at once.
///
/// The weights are packed once. What a pass needs besides is prepared for each caller that there is at the same time, and
/// used again by those who come later: they allocate nothing.
@safe package final class RowPredictor: Sendable {
    private enum Passes: Sendable {
        case float32(RowPassPool<Float>)
        case float64(RowPassPool<Double>)
    }

    private let passes: Passes

    /// Inputs are normalized on the way in, and outputs given in the target's own units.
    package init(
        network: Network, parameters: [LayerParameters], loss: LossFunction, normalization: Normalization
    ) {
        passes =
            switch network.precision.number {
            case .float32: .float32(RowPassPool(network, parameters, loss, normalization))
            case .float64: .float64(RowPassPool(network, parameters, loss, normalization))
            }
    }

    /// Predicts `count` rows of F numbers, row after row from `rows`, into `values` (B×D, row-major) and, where that is not
    /// null, the index of each row's greatest output into `classes`.
    ///
    /// Returns nil, or the first row that has a number which is not finite and that nothing takes the place of.
    package func predict(
        _ rows: UnsafeRawPointer, _ number: StoredNumber, count: Int, into values: UnsafeMutablePointer<Float>,
        classes: UnsafeMutablePointer<Int>?, workers: Workers
    ) -> Int? {
        switch passes {
        case .float32(let pool):
            unsafe pool.predict(rows, number, count: count, into: values, classes: classes, workers: workers)
        case .float64(let pool):
            unsafe pool.predict(rows, number, count: count, into: values, classes: classes, workers: workers)
        }
    }
}

/// One network's prepared passes: each is one caller's at a time.
private final class RowPassPool<S: Scalar>: Sendable {
    /// Rows that go through all layers together: they stay in cache, and weights that do not are read once for all.
    private static var block: Int { 96 }
    /// The fewest that are worth a task; bfloat16 wants a multiple of this.
    private static var smallBlock: Int { Int(CK_BLOCK) }
    /// Products, about, from which on several threads are worth their waking.
    private static var smallWork: Int { 1 << 20 }
    /// What taking over an input costs, in products.
    private static var productsOfInput: Int { 16 }

    private let network: Network
    private let loss: LossFunction
    /// Of each member.
    nonisolated(unsafe) private let packed: [PackedParameters<S>]
    private let transform: ColumnTransform
    private let normalization: Normalization
    private let idle: Mutex<[RowPass<S>]>

    init(
        _ network: Network, _ parameters: [LayerParameters], _ loss: LossFunction, _ normalization: Normalization
    ) {
        self.network = network
        self.loss = loss
        unsafe packed = (0..<network.members).map { member in
            let packed = PackedParameters<S>(PackedLayout(network.member(member), of: S.self))
            packed.load(Array(parameters[network.layers(of: member)]))
            return packed
        }
        transform = ColumnTransform(inputs: normalization)
        self.normalization = normalization
        idle = Mutex([])
    }

    func predict(
        _ rows: UnsafeRawPointer, _ number: StoredNumber, count: Int, into values: UnsafeMutablePointer<Float>,
        classes: UnsafeMutablePointer<Int>?, workers: Workers
    ) -> Int? {
        guard count > Self.smallBlock else {
            return unsafe predictBlock(rows, number, 0..<count, into: values, classes: classes)
        }
        let work = count * (network.parameterCount + Self.productsOfInput * network.inputs)
        // More threads than rows could only wait.
        let workers = Workers(count: work < Self.smallWork ? 1 : min(workers.count, count))
        let block = Self.rowsTogether(of: count, workers: workers.count, unit: max(8, network.precision.shardUnit))
        let blocks = (count + block - 1) / block
        let bad = Atomic<Int>(.max)
        nonisolated(unsafe) let (rows, values, classes) = unsafe (rows, values, classes)
        workers.forEach(blocks) { index, _ in
            let first = index * block
            let failed = unsafe predictBlock(
                rows, number, first..<min(first + block, count), into: values, classes: classes)
            if let failed { bad.min(failed, ordering: .relaxed) }
        }
        let first = bad.load(ordering: .relaxed)
        return first == .max ? nil : first
    }

    /// As many rows a block as fit, in as many blocks as come out even for the workers.
    private static func rowsTogether(of count: Int, workers: Int, unit: Int) -> Int {
        let turns = (count + workers * block - 1) / (workers * block)
        let even = (count + turns * workers - 1) / (turns * workers)
        return min(block, max(smallBlock, (even + unit - 1) / unit * unit))
    }

    private func predictBlock(
        _ rows: UnsafeRawPointer, _ number: StoredNumber, _ block: Range<Int>,
        into values: UnsafeMutablePointer<Float>, classes: UnsafeMutablePointer<Int>?
    ) -> Int? {
        let waiting = idle.withLock { $0.popLast() }
        let pass = unsafe waiting ?? RowPass(network, packed, loss, capacity: Self.block)
        defer { idle.withLock { $0.append(pass) } }
        let source = unsafe rows + block.lowerBound * network.inputs * number.size
        if let failed = unsafe pass.take(source, number, count: block.count, transform) {
            return block.lowerBound + failed
        }
        let width = network.outputs
        unsafe pass.run(
            into: values + block.lowerBound * width, classes: classes.map { unsafe $0 + block.lowerBound },
            normalization)
        return nil
    }
}

/// The memory of a forward pass over a few rows, for one caller at a time.
@safe private final class RowPass<S: Scalar>: @unchecked Sendable {
    private let network: Network
    /// Of each member, all on the same rows.
    private let steps: [StepPlan<S>]
    /// Of several members: the sums of their answers, row by row.
    private let sums: AlignedMemory<Double>
    private let x: AlignedMemory<S>
    private let pointers: AlignedMemory<UnsafePointer<S>>
    /// Numbers from one row of `x` to the next.
    private let stride: Int
    private var rows = 0

    init(_ network: Network, _ packed: [PackedParameters<S>], _ loss: LossFunction, capacity: Int) {
        self.network = network
        let panel = packed[0].layout.panel
        stride = (network.inputs + panel - 1) / panel * panel
        x = AlignedMemory(count: capacity * stride)
        unsafe pointers = unsafe AlignedMemory(count: capacity)
        for row in 0..<capacity { unsafe pointers.start[row] = UnsafePointer(x.start + row * stride) }
        sums = AlignedMemory(count: packed.count > 1 ? capacity * network.outputs : 0)
        steps = packed.enumerated().map { member, packed in
            let step = StepPlan<S>(
                network: network.member(member), loss: loss, parameters: packed, capacity: capacity, shards: 1,
                trains: false)
            step.refreshOperands()
            return step
        }
    }

    /// Normalizes `count` rows; returns the first that has a number which is not finite.
    func take(_ source: UnsafeRawPointer, _ number: StoredNumber, count: Int, _ transform: ColumnTransform) -> Int? {
        rows = count
        let rowBytes = network.inputs * number.size
        for row in 0..<count {
            let isFinite = unsafe transform.convert(
                source + row * rowBytes, number, width: network.inputs, into: x.start + row * stride)
            if !isFinite { return row }
        }
        return nil
    }

    func run(
        into values: UnsafeMutablePointer<Float>, classes: UnsafeMutablePointer<Int>?,
        _ normalization: Normalization
    ) {
        let width = network.outputs
        for (member, step) in steps.enumerated() {
            unsafe step.bind(Batch(rows: rows, x: UnsafePointer(pointers.start), targets: .absent, weights: nil))
            step.draw(together: rows)
            unsafe ck_predict_rows(step.plan, 0, rows)
            if steps.count > 1 { add(step, isFirst: member == 0) }
        }
        let step = steps[0]
        for row in 0..<rows {
            let output = unsafe step.output + row * step.outputStride
            let result = unsafe values + row * width
            if let classes = unsafe classes { unsafe classes[row] = best(of: output, width) }
            for column in 0..<width {
                unsafe result[column] = Float(normalization.value(of: Double(output[column]), column: column))
            }
        }
    }

    /// Adds a member's answers to the sums; with the last one, their mean takes the place of the first one's answers.
    private func add(_ step: StepPlan<S>, isFirst: Bool) {
        let width = network.outputs
        let isLast = step === steps[steps.count - 1]
        for row in 0..<rows {
            let own = unsafe step.output + row * step.outputStride
            let mean = unsafe UnsafeMutablePointer(mutating: steps[0].output) + row * steps[0].outputStride
            for column in 0..<width {
                let sum = unsafe (isFirst ? 0 : sums.start[row * width + column]) + Double(own[column])
                unsafe sums.start[row * width + column] = sum
                if isLast { unsafe mean[column] = S(sum / Double(steps.count)) }
            }
        }
    }

    /// The index of the greatest; of equals, the first.
    private func best(of output: UnsafePointer<S>, _ width: Int) -> Int {
        var best = 0
        for column in 1..<max(1, width) where unsafe output[column] > output[best] { best = column }
        return best
    }
}
