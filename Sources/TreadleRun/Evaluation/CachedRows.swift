internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel

/// All rows of a set as a network takes them, in memory, one column of which can change rows.
@safe final class CachedRows<S: Scalar> {
    private let model: TrainedModel
    private let seed: UInt64
    private let count: Int
    private let width: Int
    private let forward: EnsemblePass<S>
    private let pointers: AlignedMemory<UnsafePointer<S>>
    private let x: AlignedMemory<S>
    private var classes: [Int32] = []
    private var values: [S] = []
    private var weights: [S]?
    /// Of rows that members have learnt from: their numbers, by which each member's own fold is known.
    private var numbers: [UInt64] = []
    private let folds: Folds?
    private let workers: Workers

    /// Enough rows that all cores have work, and few enough that they stay in cache.
    private static var batchRows: Int { 8192 }

    @specialized(where S == Float)
    @specialized(where S == Double)
    init(_ model: TrainedModel, _ rows: RowSet, most: Int = .max, _ workers: Workers, _ stop: Stop) throws {
        let step = rows.count <= most ? 1 : (rows.count + most - 1) / most
        self.model = model
        folds = model.saved.network.members > 1 ? rows.folds : nil
        self.workers = workers
        seed = model.configuration.seed
        count = (rows.count + step - 1) / step
        width = model.saved.network.inputs
        x = AlignedMemory(count: count * width)
        unsafe pointers = unsafe AlignedMemory(count: count)
        for row in 0..<count { unsafe pointers.start[row] = UnsafePointer(x.start + row * width) }
        forward = EnsemblePass(
            network: model.saved.network, parameters: model.parameters, loss: model.loss,
            maxRows: Self.batchRows, workers: workers)
        let loader = try BatchLoader<S>(
            rows, normalization: model.saved.normalization, order: .sequential, batchSize: 1024, workers: workers)
        if rows.isWeighted { weights = [] }
        var (place, row) = (0, 0)
        while let batch = try unsafe loader.next() {
            let outputs = model.saved.network.outputs
            for offset in 0..<(unsafe batch.rows) {
                defer { place += 1 }
                guard place.isMultiple(of: step) else { continue }
                unsafe (x.start + row * width).update(from: batch.x[offset], count: width)
                row += 1
                switch unsafe batch.targets {
                case .classes(let classes): unsafe self.classes.append(classes[offset])
                case .values(let values):
                    for output in 0..<outputs { unsafe self.values.append(values[offset * outputs + output]) }
                case .absent: break
                }
                if let weights = unsafe batch.weights { unsafe self.weights?.append(weights[offset]) }
                if folds != nil, let numbers = unsafe batch.numbers { unsafe self.numbers.append(numbers[offset]) }
            }
            if let reason = stop.reason { throw TreadleError(.tryAgain, "stopped by \(reason)") }
        }
        try loader.confirmFiles()
    }

    /// The loss as it is, and by group and repeat with the group's columns shuffled.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func losses(
        _ groups: [Importance.Group], _ repeats: Int, _ stop: Stop, _ progress: (Double) -> Void
    ) throws -> (loss: Double, losses: [[Double]]) {
        let base = loss()
        var losses: [[Double]] = []
        // The same orders for every group: to make one takes longer than to use it.
        let orders = (0..<repeats).map { order(ofTurn: $0) }
        for (index, group) in groups.enumerated() {
            let kept = group.columns.map { column in (0..<count).map { unsafe x.start[$0 * width + column] } }
            losses.append(
                try (0..<repeats).map { turn in
                    if let reason = stop.reason { throw TreadleError(.tryAgain, "stopped by \(reason)") }
                    progress(Double(index * repeats + turn) / Double(groups.count * repeats))
                    write(kept, to: group.columns, in: orders[turn])
                    return loss()
                })
            write(kept, to: group.columns, in: nil)
        }
        progress(1)
        return (base, losses)
    }

    /// For every row the one whose values it gets, the `turn`-th time.
    private func order(ofTurn turn: Int) -> [UInt64] {
        let permutation = Permutation(count: count, seed: seed, epoch: turn)
        let (block, count) = (1 << 14, count)
        return unsafe [UInt64](unsafeUninitializedCapacity: count) { order, initialized in
            // Each block of rows is one task's alone.
            nonisolated(unsafe) let base = order.baseAddress
            workers.forEach((count + block - 1) / block) { index, _ in
                let rows = index * block..<min((index + 1) * block, count)
                if let base = unsafe base { unsafe permutation.fill(base + rows.lowerBound, from: rows) }
            }
            initialized = count
        }
    }

    /// Puts the values of columns into the rows, in another order or as they were.
    @specialized(where S == Float)
    @specialized(where S == Double)
    private func write(_ values: [[S]], to columns: [Int], in order: [UInt64]?) {
        let block = 1 << 14
        // Each block of rows is one task's alone.
        nonisolated(unsafe) let start = unsafe x.start
        let (count, width) = (count, width)
        workers.forEach((count + block - 1) / block) { index, _ in
            let rows = index * block..<min((index + 1) * block, count)
            for (place, column) in columns.enumerated() {
                unsafe values[place].withUnsafeBufferPointer { values in
                    guard let order else {
                        for row in rows { unsafe start[row * width + column] = values[row] }
                        return
                    }
                    unsafe order.withUnsafeBufferPointer { order in
                        for row in rows { unsafe start[row * width + column] = values[Int(order[row])] }
                    }
                }
            }
        }
    }

    /// The mean loss over all rows, by their weights.
    private func loss() -> Double {
        var (sum, weight) = (0.0, 0.0)
        unsafe forEachBatch { _, _, _ in
            sum += forward.rowSums.lossSum
            weight += forward.rowSums.weightSum
        }
        return sum / weight
    }

    /// The mean of each output over all rows, each counting the same, in the units of the network's outputs after the link.
    @specialized(where S == Float)
    @specialized(where S == Double)
    private func means() -> [Double] {
        let outputs = model.saved.network.outputs
        var sums = [Double](repeating: 0, count: outputs)
        unsafe forEachBatch { _, rows, predictions in
            for place in 0..<rows * outputs { unsafe sums[place % outputs] += Double(predictions[place]) }
        }
        return sums.map { $0 / Double(count) }
    }

    /// Takes all rows through the network; with folds, each by the members that have not learnt from it.
    @specialized(where S == Float)
    @specialized(where S == Double)
    private func forEachBatch(_ body: (_ first: Int, _ rows: Int, _ predictions: UnsafePointer<S>) -> Void) {
        let outputs = model.saved.network.outputs
        unsafe classes.withUnsafeBufferPointer { classes in
            unsafe values.withUnsafeBufferPointer { values in
                unsafe (weights ?? []).withUnsafeBufferPointer { weights in
                    unsafe numbers.withUnsafeBufferPointer { numbers in
                        for first in stride(from: 0, to: count, by: Self.batchRows) {
                            let targets: Targets<S> =
                                if let base = classes.baseAddress, !classes.isEmpty {
                                    unsafe .classes(base + first)
                                } else if let base = values.baseAddress {
                                    unsafe .values(base + first * outputs)
                                } else {
                                    unsafe .absent
                                }
                            let rows = min(Self.batchRows, count - first)
                            let batch = unsafe Batch(
                                rows: rows, x: UnsafePointer(pointers.start + first), targets: targets,
                                weights: self.weights == nil ? nil : weights.baseAddress.map { unsafe $0 + first },
                                numbers: folds == nil ? nil : numbers.baseAddress.map { unsafe $0 + first })
                            let predictions =
                                if let folds {
                                    unsafe forward.run(batch, outOf: folds) { _, _, _, _ in }
                                } else {
                                    unsafe forward.run(batch)
                                }
                            unsafe body(first, rows, predictions)
                        }
                    }
                }
            }
        }
    }

    // MARK: Setting columns

    /// The mean answer where these inputs have these values in all rows, one list of values after another.
    func means(settingInputs inputs: [Int], to choices: [[S]]) -> [[Double]] {
        let kept = inputs.map { column in (0..<count).map { unsafe x.start[$0 * width + column] } }
        defer { write(kept, to: inputs, in: nil) }
        return choices.map { values in
            for (input, value) in zip(inputs, values) {
                for row in 0..<count { unsafe x.start[row * width + input] = value }
            }
            return means()
        }
    }

    /// The different values of an input at evenly spaced ranks from its lowest to its highest.
    func ranks(of input: Int, most: Int) -> [S] {
        let sorted = (0..<count).map { unsafe x.start[$0 * width + input] }.filter(\.isFinite).sorted()
        guard let last = sorted.indices.last else { return [] }
        var values: [S] = []
        for place in 0..<most {
            let value = sorted[place * last / max(1, most - 1)]
            if values.last != value { values.append(value) }
        }
        return values
    }
}
