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
    /// Each worker's own.
    private let passes: [EnsemblePass<S>]
    private let pointers: AlignedMemory<UnsafePointer<S>>
    private let x: AlignedMemory<S>
    // What the network should say: one of the two, or nothing.
    private var classes: AlignedMemory<Int32>?
    private var values: AlignedMemory<S>?
    private var weights: AlignedMemory<S>?
    /// Of rows that members have learnt from: their numbers, by which each member's own fold is known.
    private var numbers: AlignedMemory<UInt64>?
    private let folds: Folds?
    private let workers: Workers

    /// Rows that one worker takes through the network at once: few enough that they stay in its cache while a column is
    /// changed again and again, and that also small sets have work for several workers.
    private static var blockRows: Int { 192 }

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
        let pass = EnsemblePass<S>(
            network: model.saved.network, parameters: model.parameters, loss: model.loss.forJudging,
            bounds: model.saved.normalization.outputBounds, maxRows: Self.blockRows, workers: Workers(count: 1))
        passes = [pass] + (1..<workers.count).map { _ in EnsemblePass(beside: pass, maxRows: Self.blockRows) }
        let loader = try BatchLoader<S>(
            rows, normalization: model.saved.normalization, order: .sequential, batchSize: 1024, workers: workers)
        let outputs = model.saved.network.outputs
        var (place, row) = (0, 0)
        while let batch = try unsafe loader.next() {
            for offset in 0..<(unsafe batch.rows) {
                defer { place += 1 }
                guard place.isMultiple(of: step) else { continue }
                unsafe (x.start + row * width).update(from: batch.x[offset], count: width)
                unsafe keep(batch, row: offset, as: row, outputs: outputs)
                row += 1
            }
            try stop.check()
        }
        try loader.confirmFiles()
    }

    /// Keeps what belongs to a row of a batch besides its inputs.
    private func keep(_ batch: Batch<S>, row offset: Int, as row: Int, outputs: Int) {
        switch unsafe batch.targets {
        case .classes(let own):
            if classes == nil { classes = AlignedMemory(count: count) }
            if let classes { unsafe classes.start[row] = own[offset] }
        case .values(let own):
            if values == nil { values = AlignedMemory(count: count * outputs) }
            if let values {
                unsafe (values.start + row * outputs).update(from: own + offset * outputs, count: outputs)
            }
        case .absent: break
        }
        if let own = unsafe batch.weights {
            if weights == nil { weights = AlignedMemory(count: count) }
            if let weights { unsafe weights.start[row] = own[offset] }
        }
        if folds != nil, let own = unsafe batch.numbers {
            if numbers == nil { numbers = AlignedMemory(count: count) }
            if let numbers { unsafe numbers.start[row] = own[offset] }
        }
    }

    // MARK: Blocks of rows

    private var blockCount: Int { (count + Self.blockRows - 1) / Self.blockRows }

    /// Does `body` with each of these blocks of rows, one worker a block, by that worker's pass.
    private func forEachBlock(
        in blocks: Range<Int>, _ body: (_ block: Int, _ rows: Range<Int>, _ pass: EnsemblePass<S>) -> Void
    ) {
        workers.forEach(blocks.count) { index, worker in
            let block = blocks.lowerBound + index
            let first = block * Self.blockRows
            body(block, first..<min(first + Self.blockRows, count), passes[worker])
        }
    }

    /// What the network says of a block of rows; with folds, of each by the members that have not learnt from it.
    @discardableResult
    private func answer(_ rows: Range<Int>, by pass: EnsemblePass<S>) -> UnsafePointer<S> {
        let first = rows.lowerBound
        let targets: Targets<S> =
            if let classes {
                unsafe .classes(classes.start + first)
            } else if let values {
                unsafe .values(values.start + first * pass.network.outputs)
            } else {
                unsafe .absent
            }
        let batch = unsafe Batch(
            rows: rows.count, x: UnsafePointer(pointers.start + first), targets: targets,
            weights: weights.map { unsafe UnsafePointer($0.start + first) },
            numbers: numbers.map { unsafe UnsafePointer($0.start + first) })
        guard let folds else { return unsafe pass.run(batch) }
        return unsafe pass.run(batch, outOf: folds) { _, _, _, _ in }
    }

    /// The values of a column in all rows.
    private func column(_ column: Int) -> [S] { (0..<count).map { unsafe x.start[$0 * width + column] } }

    // MARK: Shuffling columns

    /// The loss as it is, and by group and repeat with the group's columns shuffled.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func losses(
        _ groups: [Importance.Group], _ repeats: Int, _ stop: Stop, _ progress: (Double) -> Void
    ) throws -> (loss: Double, losses: [[Double]]) {
        let base = try losses([], in: [nil], stop) { _ in }
        // The same orders for every group: to make one takes longer than to use it.
        let orders = (0..<repeats).map { order(ofTurn: $0) }
        let all = try groups.enumerated().map { index, group in
            try losses(group.columns, in: orders, stop) { progress((Double(index) + $0) / Double(groups.count)) }
        }
        progress(1)
        return (base[0], all)
    }

    /// The mean loss over all rows, by their weights, with these columns in each of these orders, nil being their own.
    ///
    /// A block is changed, answered and restored by one worker while it is in cache. The sums of blocks are added in their
    /// order: any number of workers gives the same bits.
    @specialized(where S == Float)
    @specialized(where S == Double)
    private func losses(
        _ columns: [Int], in orders: [[UInt64]?], _ stop: Stop, _ progress: (Double) -> Void
    ) throws -> [Double] {
        let kept = columns.map { column($0) }
        let turns = orders.count
        let sums = AlignedMemory<Double>(count: blockCount * turns)
        let weights = AlignedMemory<Double>(count: blockCount * turns)
        // So few at a time that somebody who stops it does not wait.
        let few = 64 * workers.count
        for first in stride(from: 0, to: blockCount, by: few) {
            try stop.check()
            progress(Double(first) / Double(blockCount))
            forEachBlock(in: first..<min(first + few, blockCount)) { block, rows, pass in
                for (turn, order) in orders.enumerated() {
                    write(kept, to: columns, of: rows, in: order)
                    unsafe answer(rows, by: pass)
                    let sum = pass.rowSums
                    unsafe sums.start[block * turns + turn] = sum.lossSum
                    unsafe weights.start[block * turns + turn] = sum.weightSum
                }
                write(kept, to: columns, of: rows, in: nil)
            }
        }
        return (0..<turns).map { turn in
            var (sum, weight) = (0.0, 0.0)
            for block in 0..<blockCount {
                unsafe sum += sums.start[block * turns + turn]
                unsafe weight += weights.start[block * turns + turn]
            }
            return sum / weight
        }
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

    /// Puts the values of columns into these rows, in another order or as they were.
    @specialized(where S == Float)
    @specialized(where S == Double)
    private func write(_ values: [[S]], to columns: [Int], of rows: Range<Int>, in order: [UInt64]?) {
        let (start, width) = unsafe (x.start, width)
        for (values, column) in zip(values, columns) {
            unsafe values.withUnsafeBufferPointer { values in
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

    // MARK: Setting columns

    /// The mean answer where these inputs have these values in all rows, one list of values after another, each row
    /// counting the same, in the units of the network's outputs after the link.
    @specialized(where S == Float)
    @specialized(where S == Double)
    func means(settingInputs inputs: [Int], to choices: [[S]]) -> [[Double]] {
        let kept = inputs.map { column($0) }
        let (outputs, start, width) = unsafe (model.saved.network.outputs, x.start, width)
        let all = choices.count * outputs
        let sums = AlignedMemory<Double>(count: blockCount * all)
        forEachBlock(in: 0..<blockCount) { block, rows, pass in
            for (turn, values) in choices.enumerated() {
                for (input, value) in zip(inputs, values) {
                    for row in rows { unsafe start[row * width + input] = value }
                }
                let answers = unsafe answer(rows, by: pass)
                let own = unsafe sums.start + block * all + turn * outputs
                for place in 0..<rows.count * outputs { unsafe own[place % outputs] += Double(answers[place]) }
            }
            write(kept, to: inputs, of: rows, in: nil)
        }
        return choices.indices.map { turn in
            (0..<outputs).map { output in
                var sum = 0.0
                for block in 0..<blockCount { unsafe sum += sums.start[block * all + turn * outputs + output] }
                return sum / Double(count)
            }
        }
    }

    /// The different values of an input at evenly spaced places from its lowest to its highest.
    func quantiles(of input: Int, most: Int) -> [S] {
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
