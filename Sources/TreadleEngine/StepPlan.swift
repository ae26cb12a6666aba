internal import CKernels
internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// The memory of a step for up to `capacity` rows, described to the kernels, which lay it out themselves.
@safe final class StepPlan<S: Scalar> {
    let network: Network
    let plan: UnsafeMutablePointer<ck_plan>
    /// The dense layers. Those of a stem lie before them, and between the two a place for what the stem hands on.
    let layers: UnsafeMutablePointer<ck_layer>
    /// How many layers the stem has, and how many follow it.
    let stemLayers: Int
    let denseLayers: Int

    private let planMemory = unsafe AlignedMemory<ck_plan>(count: 1)
    private let layerMemory: AlignedMemory<ck_layer>
    private let embedded: AlignedMemory<Int>
    private let rows: AlignedMemory<UInt8>
    private let classWeights: AlignedMemory<S>?
    private let capacity: Int

    /// What the layers have besides `parameters`: filled in before the memory is laid out. `shardGradients` has room for each
    /// shard's gradient of the first `shardNumbers` parameters.
    init(
        network: Network, loss: LossFunction, parameters: PackedParameters<S>, slots: [PackedParameters<S>?] = [],
        gradient: PackedParameters<S>? = nil, shardGradients: AlignedMemory<S>? = nil, shardNumbers: Int = 0,
        rates: [ck_rates] = [], capacity: Int, shards: Int, seed: UInt64 = 0, trains: Bool
    ) {
        self.network = network
        self.capacity = capacity
        let layout = parameters.layout
        classWeights = loss.classWeights.map { weights in
            let memory = AlignedMemory<S>(count: weights.count)
            for (index, weight) in weights.enumerated() { unsafe memory.start[index] = S(weight) }
            return memory
        }
        stemLayers = network.stem.count
        denseLayers = network.layers.count - stemLayers
        unsafe layerMemory = AlignedMemory(count: network.layers.count + 1)
        embedded = AlignedMemory(network.embedded)
        unsafe plan = planMemory.start
        unsafe layers = layerMemory.start + stemLayers + 1
        for (index, (layer, entry)) in zip(network.layers, layout.entries).enumerated() {
            var c = unsafe ck_layer()
            unsafe c.inputs = layer.inputs
            unsafe c.units = layer.units
            unsafe c.activation = layer.activation.kernel
            unsafe c.dropout = ck_dropout(
                seed: seed, step: 0, layer: UInt32(max(0, index - stemLayers)), rate: layer.dropout)
            unsafe c.rates = index < rates.count ? rates[index] : ck_rates(weight: 1, bias: 1, divisor: 1)
            unsafe c.parameters = parameters.pointers(layer: index)
            if let slot = slots.first ?? nil { unsafe c.slots.0 = slot.pointers(layer: index) }
            if slots.count > 1, let slot = slots[1] { unsafe c.slots.1 = slot.pointers(layer: index) }
            if let gradient { unsafe c.gradient = gradient.pointers(layer: index) }
            if let shardGradients, entry.weightStart < shardNumbers {
                unsafe c.shards.weight = UnsafeMutableRawPointer(shardGradients.start + entry.weightStart)
                unsafe c.shards.bias = entry.biasStart.map { unsafe UnsafeMutableRawPointer(shardGradients.start + $0) }
                unsafe c.shard_stride = shardNumbers
            }
            unsafe (layerMemory.start + (index < stemLayers ? index : index + 1)).initialize(to: c)
        }
        var described = unsafe ck_plan()
        unsafe described.numbers = network.precision.kernel(for: S.self)
        if network.precision.rounds(S.self) { BFloat16Unit.check { _, _ in } }
        unsafe described.layer_count = denseLayers
        unsafe described.layers = layers
        if stemLayers > 0 {
            unsafe described.stem.layer_count = stemLayers
            unsafe described.stem.layers = layerMemory.start
            unsafe described.stem.inputs = network.inputs
            unsafe described.stem.embedded = network.embedded.count
            unsafe described.stem.columns = UnsafeRawPointer(embedded.start).assumingMemoryBound(to: Int.self)
            unsafe described.stem.frequencies = network.stem.first { $0.kind == .combination }?.inputs ?? 0
            unsafe described.stem.outputs = network.embeddingOutputs
            unsafe described.stem.piecewise = network.stem.first?.kind == .ramps ? 1 : 0
            unsafe described.stem.scales = network.stem.last?.kind == .factors ? 1 : 0
        }
        unsafe described.scale = 1
        unsafe described.clip = 1
        unsafe described.loss = ck_loss(loss, classWeights: classWeights.map { unsafe UnsafeRawPointer($0.start) })
        let bytes = unsafe ck_arrange(&described, capacity, shards, trains ? 1 : 0, nil)
        rows = AlignedMemory(count: bytes)
        unsafe ck_arrange(&described, capacity, shards, trains ? 1 : 0, rows.start)
        unsafe plan.initialize(to: described)
    }

    /// Points the plan at a batch's rows, targets and weights.
    func bind(_ batch: Batch<S>) {
        unsafe precondition(batch.rows <= capacity, "a batch has more rows than the step was made for")
        unsafe plan.pointee.rows = batch.rows
        unsafe plan.pointee.first_row = batch.firstRow
        unsafe plan.pointee.x = UnsafeRawPointer(batch.x).assumingMemoryBound(to: UnsafeRawPointer?.self)
        var targets = unsafe ck_targets()
        switch unsafe batch.targets {
        case .classes(let classes): unsafe targets.classes = classes
        case .values(let values): unsafe targets.values = UnsafeRawPointer(values)
        case .absent: break
        }
        unsafe targets.weights = batch.weights.map { unsafe UnsafeRawPointer($0) }
        unsafe plan.pointee.targets = targets
    }

    /// Lays the panels of activations out for `rows` rows, as few as there may be: those of a single row lie side by side.
    ///
    /// Only for a plan that predicts, whose rows are computed anew each time; operands of bfloat16 keep their places.
    func draw(together rows: Int) {
        guard !network.precision.roundsOperands, unsafe plan.pointee.capacity != rows else { return }
        unsafe plan.pointee.capacity = rows
        let panel = Int(CK_PANEL_BYTES) / MemoryLayout<S>.stride
        for index in 0..<denseLayers where unsafe layers[index].input_rows != nil {
            unsafe layers[index].input_panel = rows * panel
        }
    }

    /// Cuts the bound batch's rows into this process's shards.
    func cut(into shards: Shards, wholeRows: Int) {
        let first = shards.start(of: shards.own.lowerBound, rows: wholeRows)
        for (place, shard) in (shards.own.lowerBound...shards.own.upperBound).enumerated() {
            unsafe plan.pointee.shard_starts[place] = shards.start(of: shard, rows: wholeRows) - first
        }
    }

    /// In how many parts a layer's copies of weights are made anew: often one layer has most of the weights.
    static var refreshParts: Int { 8 }

    /// Copies what products read of the weights anew.
    func refreshOperands(workers: Workers = Workers(count: 1)) {
        let parts = workers.count > 1 ? Self.refreshParts : 1
        workers.forEach(denseLayers * parts) { task, _ in
            unsafe ck_refresh_operands(plan, task / parts, task % parts, parts)
        }
    }

    /// A layer by its number in the network.
    private func place(of index: Int) -> UnsafeMutablePointer<ck_layer> {
        unsafe layerMemory.start + (index < stemLayers ? index : index + 1)
    }

    /// How many parts a shard's gradient of the stem has.
    var stemParts: Int { stemLayers == 0 ? 0 : unsafe ck_stem_parts(plan) }

    /// The sums of the rows' losses and weights, over the shards' tree.
    var rowSums: StepResult {
        unsafe StepResult(
            lossSum: ck_sum_over_shards(plan, plan.pointee.row_losses),
            weightSum: ck_sum_over_shards(plan, plan.pointee.row_weights))
    }

    /// The same of the first `rows` rows, where nothing is cut into shards.
    func rowSums(of rows: Int) -> StepResult {
        unsafe StepResult(
            lossSum: ck_sum(rows, plan.pointee.row_losses), weightSum: ck_sum(rows, plan.pointee.row_weights))
    }

    /// Does `body` as if there were no shards but these.
    func among<Result>(_ shards: Range<Int>, _ body: () -> Result) -> Result {
        let all = unsafe plan.pointee.shard_count
        if shards == 0..<all { return body() }
        move(by: shards.lowerBound)
        unsafe plan.pointee.shard_count = shards.count
        defer {
            unsafe plan.pointee.shard_count = all
            move(by: -shards.lowerBound)
        }
        return body()
    }

    private func move(by shards: Int) {
        unsafe plan.pointee.shard_starts += shards
        for index in network.layers.indices {
            let layer = unsafe place(of: index)
            let bytes = unsafe shards * layer.pointee.shard_stride * MemoryLayout<S>.stride
            unsafe layer.pointee.shards.weight = layer.pointee.shards.weight.map { unsafe $0 + bytes }
            unsafe layer.pointee.shards.bias = layer.pointee.shards.bias.map { unsafe $0 + bytes }
        }
    }

    /// The outputs, or predictions after `ck_predict_rows`: rows `outputStride` apart.
    var output: UnsafePointer<S> { unsafe UnsafePointer(plan.pointee.outputs.assumingMemoryBound(to: S.self)) }
    var outputStride: Int { unsafe plan.pointee.output_stride }
}

extension ck_loss {
    init(_ loss: LossFunction, classWeights: UnsafeRawPointer?) {
        unsafe self.init()
        unsafe type = loss.type.traits.kernel
        unsafe outputs = loss.outputs
        unsafe smoothing = loss.labelSmoothing
        unsafe delta = loss.delta
        unsafe quantile = loss.quantile
        unsafe class_weights = classWeights
        unsafe link = loss.link.kernel
    }
}
