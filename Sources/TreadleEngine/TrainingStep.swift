internal import CKernels
package import TreadleBase
package import TreadleConfiguration
package import TreadleData
package import TreadleModel

/// What one batch gave.
package struct StepResult: Equatable, Sendable, BitwiseCopyable {
    /// Σ wᵢ·ℓᵢ over the batch's rows, and Σ wᵢ: the loss is their quotient.
    package var lossSum: Double
    package var weightSum: Double
    /// False where the loss is infinite or NaN; the weights then stay as they were.
    package var isFinite: Bool { lossSum.isFinite }

    package init(lossSum: Double = 0, weightSum: Double = 0) {
        self.lossSum = lossSum
        self.weightSum = weightSum
    }

    static func += (sum: inout StepResult, other: StepResult) {
        sum.lossSum += other.lossSum
        sum.weightSum += other.weightSum
    }
}

/// One update of a network's weights from one batch, on all workers.
///
/// Phase 1 takes rows through all layers forward, through the loss and back to every dY. Phase 2 takes tiles of weights: it
/// sums xᵀ·dY over the shards by a fixed tree, divides by the weights' sum, and updates. The weights are a pure function of
/// what was loaded and of the batches: not of the workers, the blocks or the tiles.
@safe package final class TrainingStep<S: Scalar> {
    package let network: Network
    package let shards: Shards
    let path: GradientPath

    /// How work is handed out; tests set it otherwise and expect the same bits.
    var sharing: StepSharing
    private let crew: Crew<StepPhase>
    private let workers: Workers

    private let accumulate: Int
    private let optimizer: OptimizerConfiguration
    private var scalars: OptimizerScalars

    private let packed: PackedParameters<S>
    private let slots: [(name: String, values: PackedParameters<S>)]
    private let gradient: PackedParameters<S>?
    private let shardGradients: AlignedMemory<S>?
    private let step: StepPlan<S>
    private let tiles: [ck_tile]
    private let dealtStarts: [Int]
    private let tileMemory: AlignedMemory<ck_tile>
    private let tileOrder: AlignedMemory<Int>
    private let squares: AlignedMemory<Double>
    private let scratch: AlignedMemory<UInt8>

    /// Is handed the sums of an update's gradient and (Σ wᵢ·ℓᵢ, Σ wᵢ) before they are scaled and clipped, and may change them:
    /// the gradient check takes them here. Ranks meet in the exchange.
    package typealias Reduction = (_ gradient: UnsafeMutableBufferPointer<S>, _ sums: inout StepResult) -> Void
    private let reduce: Reduction?
    /// Brings the whole gradient together; nil where tiles update at once.
    private let exchange: (any GradientExchange<S>)?

    // The group of batches under way: how many, and their sums.
    private var batchesInGroup = 0
    private var group = StepResult()

    /// A step for batches of up to `batchSize` rows; `accumulate` batches make an update.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package convenience init(
        network: Network, loss: LossFunction, optimizer: OptimizerConfiguration,
        parameterization: Parameterization = .standard, batchSize: Int, shards: Shards,
        accumulate: Int = 1, seed: UInt64, workers: Workers, ranks: Ranks = .alone, reduce: Reduction? = nil
    ) {
        let needsWhole = unsafe optimizer.clipNorm != nil || accumulate > 1 || reduce != nil || !ranks.isAlone
        let path = GradientPath(
            network: network, batchSize: batchSize, shards: shards.own.count, workers: workers.count,
            needsWhole: needsWhole, bytesPerNumber: MemoryLayout<S>.stride)
        unsafe self.init(
            network: network, loss: loss, optimizer: optimizer, parameterization: parameterization,
            batchSize: batchSize, shards: shards, accumulate: accumulate, seed: seed, workers: workers, path: path,
            ranks: ranks, reduce: reduce)
    }

    /// The same with the way to go given, for tests.
    init(
        network: Network, loss: LossFunction, optimizer: OptimizerConfiguration,
        parameterization: Parameterization = .standard, batchSize: Int, shards: Shards,
        accumulate: Int, seed: UInt64, workers: Workers, path: GradientPath, ranks: Ranks = .alone,
        reduce: Reduction? = nil
    ) {
        self.network = network
        self.shards = shards
        self.path = path
        self.workers = workers
        self.accumulate = accumulate
        self.optimizer = optimizer
        unsafe self.reduce = reduce
        scalars = OptimizerScalars(optimizer)

        let layout = PackedLayout(network, of: S.self)
        packed = PackedParameters(layout)
        let memories = OptimizerScalars.slotNames(optimizer).map { name in
            name.map { ($0, PackedParameters<S>(layout)) }
        }
        slots = memories.compactMap(\.self).map { (name: $0.0, values: $0.1) }
        gradient = path.isWhole ? PackedParameters(layout) : nil
        // The stem's gradients are summed shard by shard in any case.
        let shardNumbers = path.rows == .inShards ? layout.count : layout.stemCount
        shardGradients = shardNumbers > 0 ? AlignedMemory(count: shards.own.count * shardNumbers) : nil
        step = StepPlan(
            network: network, loss: loss, parameters: packed, slots: memories.map { $0?.1 }, gradient: gradient,
            shardGradients: shardGradients, shardNumbers: shardNumbers,
            rates: network.layers.map { ck_rates(of: $0, optimizer, parameterization) },
            capacity: shards.mostOwnRows(of: batchSize), shards: shards.own.count,
            seed: seed, trains: true)
        sharing = StepSharing(
            path: path, shards: shards, layout: layout, inputs: network.inputs, workers: workers.count,
            blockUnit: unsafe step.plan.pointee.unit)

        tiles = Tiles.list(layout, rows: batchSize, precision: network.precision)
        let (order, starts) = Tiles.dealt(tiles, layout, to: workers.count)
        dealtStarts = starts
        tileMemory = AlignedMemory(tiles)
        tileOrder = AlignedMemory(order)
        squares = AlignedMemory(count: tiles.count)
        let ranksExchange = ranks.isAlone ? nil : RankExchange<S>(ranks, shards: shards, tiles: tiles, layout: layout)
        exchange = ranksExchange ?? (path.isWhole ? SoleProcess<S>(tiles: tiles.count) : nil)
        let scratchBytes = (ck_tile_scratch(shards.own.count) + 127) / 128 * 128
        scratch = AlignedMemory(count: scratchBytes * workers.count)
        let tasks = unsafe StepTasks(
            plan: step.plan, tiles: tileMemory.start, order: tileOrder.start, squares: squares.start,
            scratch: scratch.start, scratchBytes: scratchBytes, ownTiles: exchange?.ownTiles ?? [])
        nonisolated(unsafe) let waiting = ranksExchange
        crew = Crew(workers) { phase, task, worker in
            unsafe tasks.perform(phase, task, worker)
            // Buckets that were sent go on meanwhile; the first worker is the thread that joined the job.
            if worker == 0, let waiting = unsafe waiting { waiting.proceed() }
        }
    }

    /// Called between the phases: for those who measure them.
    package var afterRows: (() -> Void)?

    // MARK: state

    /// Starts from these weights and what the optimizer remembers of earlier updates.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func load(_ parameters: [LayerParameters], optimizer state: OptimizerState) {
        packed.load(parameters, workers: workers)
        step.refreshOperands(workers: workers)
        for slot in slots {
            if let saved = state.slots.first(where: { $0.name == slot.name }) {
                slot.values.load(saved.layers, workers: workers)
            } else {
                slot.values.clear()
            }
            exchange?.keepOwn(of: slot.values)
        }
        scalars = OptimizerScalars(optimizer, step: state.step)
        batchesInGroup = 0
        group = StepResult()
    }

    /// Sets one weight (row-major) or bias of a layer, for those who look at what a small change does.
    func set(layer: Int, isBias: Bool, place: Int, to value: S) {
        let entry = packed.layout.entries[layer]
        let position =
            isBias
            ? entry.biasStart.map { $0 + place }
            : entry.place(input: place / entry.units, unit: place % entry.units)
        guard let position else { preconditionFailure("a layer without biases has none to set") }
        unsafe packed.start[position] = value
        if !entry.isStem { unsafe ck_refresh_operands(step.plan, layer - step.stemLayers, 0, 1) }
    }

    /// The weights as they are.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func parameters() -> [LayerParameters] {
        packed.unload(names: network.layers.map(\.name), workers: workers)
    }

    /// What the optimizer remembers. Every rank must ask; the first is told.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func optimizerState() -> OptimizerState {
        let names = network.layers.map(\.name)
        return OptimizerState(
            step: scalars.step,
            slots: slots.compactMap { slot in
                guard let exchange else {
                    return .init(name: slot.name, layers: slot.values.unload(names: names, workers: workers))
                }
                guard exchange.bringToFirst(slot.values) else { return nil }
                defer { exchange.keepOwn(of: slot.values) }
                return .init(name: slot.name, layers: slot.values.unload(names: names, workers: workers))
            })
    }

    /// How many numbers the optimizer remembers for each weight.
    package var slotCount: Int { slots.count }

    // MARK: the step

    /// Trains on one batch; `updates` is the number of updates before it, and `decay` what the weight decay is multiplied
    /// by. The weights change when `endsGroup` is true, as for every batch unless gradients accumulate.
    @discardableResult
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func run(
        _ batch: Batch<S>, step updates: Int, rate: Double, decay: Double = 1, endsGroup: Bool = true
    ) -> StepResult {
        unsafe bind(batch, step: updates)
        unsafe trainRows(batch.rows)
        afterRows?()
        let sums = exchange?.sum(over: self, adds: batchesInGroup > 0) ?? step.rowSums
        group += sums
        guard endsGroup else {
            exchange?.keepSums(adds: batchesInGroup > 0)
            batchesInGroup += 1
            return sums
        }
        let result = update(rate: rate, decay: decay) ?? sums
        batchesInGroup = 0
        group = StepResult()
        return result
    }

    private func bind(_ batch: Batch<S>, step updates: Int) {
        unsafe step.bind(batch)
        unsafe step.cut(into: shards, wholeRows: batch.wholeRows)
        let dropoutStep = UInt64(updates * accumulate + batchesInGroup)
        for layer in 0..<step.denseLayers { unsafe step.layers[layer].dropout.step = dropoutStep }
    }

    /// Phase 1.
    private func trainRows(_ rows: Int) {
        let shared = sharing.sharesRows(rows)
        switch path.rows {
        case .inShards:
            crew.run(.shards(block: sharing.blockRowsInShard), tasks: shards.own.count, shared: shared)
        case .byColumns where shared:
            trainColumns(rows)
        case .byRows, .byColumns:
            let block = sharing.blockRows(rows, shared: shared)
            crew.run(.rows(block: block), tasks: (rows + block - 1) / block, shared: shared)
        }
        let parts = step.stemParts
        guard parts > 0 else { return }
        crew.run(.stem(parts: parts), tasks: shards.own.count * parts, shared: sharing.sharesStem(rows))
    }

    /// Phase 1 layer by layer. What comes after the last hidden layer is computed by rows: it has few weights.
    private func trainColumns(_ rows: Int) {
        let block = sharing.blockRows(rows, shared: true)
        let blocks = (rows + block - 1) / block
        let entries = packed.layout.entries.dropFirst(step.stemLayers)
        crew.run(.pack(block: block), tasks: blocks)
        for layer in entries.indices.dropLast() {
            let pieces = sharing.pieces(rows, panels: entries[layer].panels)
            crew.run(.forward(layer: layer - step.stemLayers, pieces: pieces), tasks: pieces.count)
        }
        crew.run(.finish(block: block), tasks: blocks)
        // Nothing asks for the errors of x itself.
        for layer in entries.indices.dropLast().dropFirst(step.stemLayers > 0 ? 0 : 1).reversed() {
            let pieces = sharing.pieces(rows, panels: entries[layer].inputPanels)
            crew.run(.backward(layer: layer - step.stemLayers, pieces: pieces), tasks: pieces.count)
        }
    }

    /// Phase 2, and 3 where the whole gradient is needed first. Returns the sums where `reduce` has changed them.
    private func update(rate: Double, decay: Double) -> StepResult? {
        var changed: StepResult?
        if let reduce = unsafe reduce, let gradient {
            unsafe reduce(UnsafeMutableBufferPointer(start: gradient.start, count: gradient.layout.count), &group)
            changed = group
        }
        guard group.isFinite else {
            exchange?.collectSums(into: gradient, adds: batchesInGroup > 0)
            return changed
        }
        unsafe step.plan.pointee.optimizer = scalars.next(rate: rate, decay: decay)
        unsafe step.plan.pointee.scale = group.weightSum > 0 ? 1 / group.weightSum : 0
        guard let exchange, let gradient else {
            crew.run(
                .update, tasks: tiles.count, starts: dealtStarts,
                shared: sharing.sharesTiles(unsafe step.plan.pointee.rows))
            return changed
        }
        if let clipNorm = optimizer.clipNorm {
            exchange.collectSums(into: gradient, adds: batchesInGroup > 0)
            unsafe step.plan.pointee.clip = min(1, clipNorm / (gradientNorm(exchange) + 1e-6))
        }
        exchange.update(packed, from: gradient, adds: batchesInGroup > 0) { tiles in
            crew.run(.apply(first: tiles.lowerBound), tasks: tiles.count, shared: sharing.sharesParameters)
        }
        if exchange.takesOthersWeights {
            let parts = StepPlan<S>.refreshParts
            crew.run(
                .refresh(parts: parts), tasks: step.denseLayers * parts, shared: sharing.sharesParameters)
        }
        return changed
    }

    private func gradientNorm(_ exchange: any GradientExchange<S>) -> Double {
        crew.run(.squares, tasks: exchange.ownTiles.count, shared: sharing.sharesParameters)
        unsafe exchange.gather(squares.start)
        return unsafe ck_sum(tiles.count, squares.start).squareRoot()
    }
}

// What an exchange asks of the step: the sums of its part of the batch.
extension TrainingStep: GradientSource {
    /// The sums of losses and weights of some of this process's shards.
    func rowSums(of subtree: Range<Int>) -> StepResult { step.among(subtree) { step.rowSums } }

    /// Writes the sums of some tiles' gradients over some of this process's shards, or adds them to what is there.
    func sumTiles(_ range: Range<Int>, of subtree: Range<Int>, adds: Bool) -> PackedParameters<S> {
        guard let gradient else { preconditionFailure("only a whole gradient is exchanged") }
        step.among(subtree) {
            crew.run(
                .sum(first: range.lowerBound, adds: adds), tasks: range.count,
                shared: sharing.sharesTiles(unsafe step.plan.pointee.rows))
        }
        return gradient
    }

    var ownShards: Range<Int> { 0..<shards.own.count }
}
