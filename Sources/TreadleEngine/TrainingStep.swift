internal import CKernels
package import TreadleBase
package import TreadleConfiguration
package import TreadleData
package import TreadleModel

/// What one batch gave.
package struct StepResult: Equatable, Sendable {
    /// Σ wᵢ·ℓᵢ over the batch's rows, and Σ wᵢ: the loss is their quotient.
    package var lossSum: Double
    package var weightSum: Double
    /// False where the loss is infinite or NaN; the weights then stay as they were.
    package var isFinite: Bool { lossSum.isFinite }

    package init(lossSum: Double, weightSum: Double) {
        self.lossSum = lossSum
        self.weightSum = weightSum
    }
}

/// One update of a network's weights from one batch, on all workers.
///
/// Phase 1 takes blocks of rows through all layers forward, through the loss and back to every dY. Phase 2 takes tiles of
/// weights: it sums xᵀ·dY over the shards by a fixed tree, divides by the weights' sum, and updates. The weights are a pure
/// function of what was loaded and of the batches: not of the workers, the blocks or the tiles.
@safe package final class TrainingStep<S: Scalar> {
    package let network: Network
    package let shards: Shards
    let path: GradientPath

    /// How work is handed out; tests set it otherwise and expect the same bits.
    var sharing: StepSharing
    private let crew: Crew<StepPhase>

    private let accumulate: Int
    private let clipNorm: Double?
    private let seed: UInt64
    private let optimizer: OptimizerConfiguration
    private var scalars: OptimizerScalars

    private let packed: PackedParameters<S>
    private let slots: [(name: String, values: PackedParameters<S>)]
    private let gradient: PackedParameters<S>?
    private let shardGradients: AlignedMemory<S>?
    private let step: StepPlan<S>
    private let tiles: AlignedMemory<ck_tile>
    private let squares: AlignedMemory<Double>
    private let scratch: AlignedMemory<UInt8>

    /// Is handed the sums of an update's gradient and (Σ wᵢ·ℓᵢ, Σ wᵢ) before they are scaled and clipped, and may change them:
    /// the gradient check takes them here. Ranks meet in `RankExchange`.
    package typealias Reduction = (_ gradient: UnsafeMutableBufferPointer<S>, _ sums: inout StepResult) -> Void
    private let reduce: Reduction?
    /// Shares the whole gradient and its update with other ranks; nil in the one process of most runs.
    private let exchange: RankExchange<S>?
    private let ownTiles: [Int]

    // The group of batches under way: how many, and their sums.
    private var batchesInGroup = 0
    private var group = StepResult(lossSum: 0, weightSum: 0)

    /// A step for batches of up to `batchSize` rows; `accumulate` batches make an update.
    package convenience init(
        network: Network, loss: LossFunction, optimizer: OptimizerConfiguration, batchSize: Int, shards: Shards,
        accumulate: Int = 1, seed: UInt64, workers: Workers, ranks: Ranks = .alone, reduce: Reduction? = nil
    ) {
        let needsWhole = unsafe optimizer.clipNorm != nil || accumulate > 1 || reduce != nil || !ranks.isAlone
        let path = GradientPath(
            network: network, batchSize: batchSize, shards: shards.own.count, needsWhole: needsWhole,
            bytesPerNumber: MemoryLayout<S>.stride)
        unsafe self.init(
            network: network, loss: loss, optimizer: optimizer, batchSize: batchSize, shards: shards,
            accumulate: accumulate, seed: seed, workers: workers, path: path, ranks: ranks, reduce: reduce)
    }

    /// The same with the way to go given, for tests.
    init(
        network: Network, loss: LossFunction, optimizer: OptimizerConfiguration, batchSize: Int, shards: Shards,
        accumulate: Int, seed: UInt64, workers: Workers, path: GradientPath, ranks: Ranks = .alone,
        reduce: Reduction? = nil
    ) {
        self.network = network
        self.shards = shards
        self.path = path
        self.accumulate = accumulate
        self.seed = seed
        self.optimizer = optimizer
        unsafe self.reduce = reduce
        clipNorm = optimizer.clipNorm
        scalars = OptimizerScalars(optimizer)

        let panel = StepPlan<S>.panel
        let layout = PackedLayout(network, panel: panel)
        packed = PackedParameters(layout)
        let names = OptimizerScalars.slotNames(optimizer)
        let memories = names.map { name in name.map { (name: $0, values: PackedParameters<S>(layout)) } }
        slots = memories.compactMap { $0 }
        gradient = path.isWhole ? PackedParameters(layout) : nil
        let ownShards = shards.own.count
        sharing = StepSharing(
            path: path, shards: ownShards, parameters: layout.count, inputs: network.inputs,
            panel: panel)
        shardGradients = path.sumsInShards ? AlignedMemory(count: ownShards * layout.count) : nil
        // Of a short batch, rounding can give some shards a row more than their part of it.
        let capacity = min(batchSize, batchSize * ownShards / shards.count + 2)
        step = StepPlan(
            network: network, loss: loss, parameters: packed, capacity: capacity, shards: ownShards, trains: true)

        for (index, entry) in layout.entries.enumerated() {
            let layer = unsafe step.layers + index
            for (slot, memory) in memories.enumerated() {
                guard let memory else { continue }
                let pointers = unsafe memory.values.pointers(layer: index)
                if slot == 0 {
                    unsafe layer.pointee.slots.0 = pointers
                } else {
                    unsafe layer.pointee.slots.1 = pointers
                }
            }
            if let gradient { unsafe layer.pointee.gradient = gradient.pointers(layer: index) }
            if let shardGradients {
                unsafe layer.pointee.shards.weight = UnsafeMutableRawPointer(shardGradients.start + entry.weightStart)
                unsafe layer.pointee.shards.bias = entry.biasStart.map {
                    unsafe UnsafeMutableRawPointer(shardGradients.start + $0)
                }
                unsafe layer.pointee.shard_stride = layout.count
            }
            unsafe layer.pointee.dropout.seed = seed
        }

        let list = Tiles.list(layout)
        tiles = AlignedMemory(count: list.count)
        for (index, tile) in list.enumerated() { unsafe tiles.start[index] = tile }
        squares = AlignedMemory(count: list.count)
        exchange = ranks.isAlone ? nil : RankExchange(ranks, shards: shards, tiles: list, layout: layout)
        ownTiles = exchange?.ownTiles ?? Array(list.indices)
        let scratchBytes = (ck_tile_scratch(ownShards) + 127) / 128 * 128
        scratch = AlignedMemory(count: scratchBytes * workers.count)
        let tasks = unsafe StepTasks(
            plan: step.plan, tiles: tiles.start, squares: squares.start, scratch: scratch.start,
            scratchBytes: scratchBytes, ownTiles: ownTiles)
        nonisolated(unsafe) let exchange = exchange
        crew = Crew(workers) { phase, task, worker in
            unsafe tasks.perform(phase, task, worker)
            // Buckets that were sent go on meanwhile; the first worker is the thread that joined the job.
            if worker == 0, let exchange = unsafe exchange { exchange.proceed() }
        }
    }

    /// Called between the phases: for those who measure them.
    package var afterRows: (() -> Void)?

    // MARK: state

    /// Starts from these weights and what the optimizer remembers of earlier updates.
    package func load(_ parameters: [LayerParameters], optimizer state: OptimizerState) {
        packed.load(parameters)
        for index in network.layers.indices { unsafe ck_refresh_transposed(step.plan, index) }
        for slot in slots {
            if let saved = state.slots.first(where: { $0.name == slot.name }) {
                slot.values.load(saved.layers)
            } else {
                slot.values.clear()
            }
            if let exchange { slot.values.release(except: exchange.ownRanges) }
        }
        scalars = OptimizerScalars(optimizer, step: state.step)
        batchesInGroup = 0
        group = StepResult(lossSum: 0, weightSum: 0)
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
        unsafe ck_refresh_transposed(step.plan, layer)
    }

    /// The weights as they are.
    package func parameters() -> [LayerParameters] { packed.unload(names: network.layers.map(\.name)) }

    /// What the optimizer remembers. Every rank must ask; the first is told.
    package func optimizerState() -> OptimizerState {
        let names = network.layers.map(\.name)
        return OptimizerState(
            step: scalars.step,
            slots: slots.compactMap { slot in
                guard let exchange else { return .init(name: slot.name, layers: slot.values.unload(names: names)) }
                exchange.bringToFirst(slot.values)
                guard exchange.ranks.isFirst else { return nil }
                defer { slot.values.release(except: exchange.ownRanges) }
                return .init(name: slot.name, layers: slot.values.unload(names: names))
            })
    }

    /// How many numbers the optimizer remembers for each weight.
    package var slotCount: Int { slots.count }

    // MARK: the step

    /// Trains on one batch; `updates` is the number of updates before it, `totalRows` the rows of the whole batch where
    /// `batch` holds only those of this rank's shards. The weights change when `endsGroup` is true, as for every batch
    /// unless gradients accumulate.
    @discardableResult
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func run(
        _ batch: Batch<S>, step updates: Int, rate: Double, endsGroup: Bool = true, totalRows: Int? = nil
    ) -> StepResult {
        let plan = unsafe step.plan
        let rows = unsafe batch.rows
        unsafe step.bind(batch)
        let ownStart = shards.start(of: shards.own.lowerBound, rows: totalRows ?? rows)
        for shard in 0...shards.own.count {
            let start = shards.start(of: shards.own.lowerBound + shard, rows: totalRows ?? rows)
            unsafe plan.pointee.shard_starts[shard] = start - ownStart
        }
        unsafe plan.pointee.first_row = ownStart
        let dropoutStep = UInt64(updates * accumulate + batchesInGroup)
        for layer in network.layers.indices { unsafe step.layers[layer].dropout.step = dropoutStep }

        trainRows(rows)
        afterRows?()

        let result: StepResult
        if let exchange {
            exchange.tell(exchange.subtrees.map { subtree in step.among(subtree) { sumRows() } })
            sendTiles(to: exchange)
            result = exchange.hear()
        } else {
            result = sumRows()
            if path.isWhole { sumTiles(0..<tiles.count, adds: batchesInGroup > 0) }
        }
        group.lossSum += result.lossSum
        group.weightSum += result.weightSum
        guard path.isWhole else { return endsGroup ? updateTiles(result, rate: rate) : result }
        return endsGroup ? applyWhole(result, rate: rate) : keepSums(result)
    }

    private func sumRows() -> StepResult {
        let plan = unsafe step.plan
        return unsafe StepResult(
            lossSum: ck_sum_over_shards(plan, plan.pointee.row_losses),
            weightSum: ck_sum_over_shards(plan, plan.pointee.row_weights))
    }

    /// Phase 1.
    private func trainRows(_ rows: Int) {
        let shared = sharing.sharesRows(rows)
        if path.sumsInShards {
            return crew.run(.shards(block: sharing.blockRowsInShard), tasks: shards.own.count, shared: shared)
        }
        let block = sharing.blockRows(rows, workers: shared ? crew.count : 1)
        crew.run(.rows(block: block), tasks: (rows + block - 1) / block, shared: shared)
    }

    /// Phase 2 where nothing needs the whole gradient.
    private func updateTiles(_ result: StepResult, rate: Double) -> StepResult {
        defer { group = StepResult(lossSum: 0, weightSum: 0) }
        guard group.isFinite else { return result }
        let plan = unsafe step.plan
        unsafe plan.pointee.optimizer = scalars.next(rate: rate)
        unsafe plan.pointee.scale = group.weightSum > 0 ? 1 / group.weightSum : 0
        crew.run(.update, tasks: tiles.count, shared: sharing.sharesTiles(unsafe plan.pointee.rows))
        return result
    }

    /// Phase 2 of one of several ranks: each bucket travels while those after it are computed.
    private func sendTiles(to exchange: RankExchange<S>) {
        guard let gradient else { return }
        for bucket in exchange.buckets {
            for (number, subtree) in exchange.subtrees.enumerated() {
                step.among(subtree) { sumTiles(bucket.tiles, adds: false) }
                exchange.pack(bucket, subtree: number, of: gradient)
            }
            exchange.send(bucket)
        }
    }

    /// Phase 2 of the whole path: the gradient sums of one batch, added to those of the group.
    private func sumTiles(_ range: Range<Int>, adds: Bool) {
        crew.run(
            .sum(first: range.lowerBound, adds: adds), tasks: range.count,
            shared: sharing.sharesTiles(unsafe step.plan.pointee.rows))
    }

    /// Between the batches of a group: its sums are there, and the next batch's will be added.
    private func keepSums(_ result: StepResult) -> StepResult {
        if let exchange {
            // A batch's shares meet before batches do, as in one process.
            for bucket in exchange.buckets.indices { exchange.receive(bucket, adds: batchesInGroup > 0) }
        }
        batchesInGroup += 1
        return result
    }

    /// Phase 3: shows the sums to `reduce`, takes in those of other ranks, scales, clips and updates.
    private func applyWhole(_ result: StepResult, rate: Double) -> StepResult {
        var result = result
        defer {
            group = StepResult(lossSum: 0, weightSum: 0)
            batchesInGroup = 0
        }
        if let reduce = unsafe reduce, let gradient {
            unsafe reduce(UnsafeMutableBufferPointer(start: gradient.start, count: gradient.layout.count), &group)
            result = group
        }
        // Where nothing needs all sums first, buckets are updated as they come in.
        let needsAll = clipNorm != nil || !group.isFinite
        if needsAll, let exchange, let gradient {
            for bucket in exchange.buckets.indices {
                exchange.receive(bucket, adds: batchesInGroup > 0)
                exchange.putSums(bucket, into: gradient)
            }
        }
        guard group.isFinite else { return result }
        let plan = unsafe step.plan
        let shared = sharing.sharesParameters
        unsafe plan.pointee.optimizer = scalars.next(rate: rate)
        unsafe plan.pointee.scale = group.weightSum > 0 ? 1 / group.weightSum : 0
        unsafe plan.pointee.clip = 1
        if let clipNorm {
            crew.run(.squares, tasks: ownTiles.count, shared: shared)
            let squares = unsafe squares.start
            unsafe exchange?.gather(squares)
            let norm = unsafe ck_sum(tiles.count, squares).squareRoot()
            unsafe plan.pointee.clip = min(1, clipNorm / (norm + 1e-6))
        }
        guard let exchange, let gradient else {
            crew.run(.apply(first: 0), tasks: tiles.count, shared: shared)
            return result
        }
        for (number, bucket) in exchange.buckets.enumerated() {
            if !needsAll {
                exchange.receive(number, adds: batchesInGroup > 0)
                exchange.putSums(number, into: gradient)
            }
            let part = bucket.parts[exchange.ranks.index]
            crew.run(.apply(first: part.lowerBound), tasks: part.count, shared: shared)
            exchange.spread(bucket, of: packed)
        }
        exchange.takeSpread(into: packed)
        crew.run(.transpose, tasks: network.layers.count, shared: shared)
        return result
    }
}
