internal import CKernels
internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// The memory of a step for up to `capacity` rows, described to the kernels.
///
/// Rows of activations and of their errors start on cache lines, a distance apart that is no multiple of 512 bytes:
/// columns at powers of two fall into few sets of the cache (measured: 52 ms a step against 41).
@safe final class StepPlan<S: Scalar> {
    let network: Network
    let capacity: Int
    let plan: UnsafeMutablePointer<ck_plan>
    let layers: UnsafeMutablePointer<ck_layer>

    private let planMemory = unsafe AlignedMemory<ck_plan>(count: 1)
    private let layerMemory: AlignedMemory<ck_layer>
    private let shardStarts: AlignedMemory<Int>
    private let rowLosses: AlignedMemory<Double>
    private let rowWeights: AlignedMemory<Double>
    private let classWeights: AlignedMemory<S>?
    private var rows: [AlignedMemory<S>] = []
    private var rowPointers: [AlignedMemory<UnsafeMutableRawPointer?>] = unsafe []

    /// 128 bytes' worth of numbers, the width of a panel.
    static var panel: Int { Int(CK_PANEL_BYTES) / MemoryLayout<S>.stride }

    init(
        network: Network, loss: LossFunction, parameters: PackedParameters<S>, capacity: Int, shards: Int,
        trains: Bool
    ) {
        self.network = network
        self.capacity = capacity
        unsafe layerMemory = AlignedMemory(count: network.layers.count)
        shardStarts = AlignedMemory(count: shards + 1)
        rowLosses = AlignedMemory(count: capacity)
        rowWeights = AlignedMemory(count: capacity)
        unsafe plan = planMemory.start
        unsafe layers = layerMemory.start
        classWeights = loss.classWeights.map { weights in
            let memory = AlignedMemory<S>(count: weights.count)
            for (index, weight) in weights.enumerated() { unsafe memory.start[index] = S(weight) }
            return memory
        }

        unsafe plan.pointee.is_double = S.precision == .float64 ? 1 : 0
        unsafe plan.pointee.layer_count = network.layers.count
        unsafe plan.pointee.layers = layers
        unsafe plan.pointee.shard_count = shards
        unsafe plan.pointee.shard_starts = shardStarts.start.withMemoryRebound(to: size_t.self, capacity: shards + 1) {
            unsafe $0
        }
        unsafe plan.pointee.row_losses = rowLosses.start
        unsafe plan.pointee.row_weights = rowWeights.start
        unsafe plan.pointee.scale = 1
        unsafe plan.pointee.clip = 1
        unsafe plan.pointee.loss = ck_loss(loss, classWeights: classWeights.map { unsafe UnsafeRawPointer($0.start) })
        for index in network.layers.indices { addLayer(index, parameters: parameters, trains: trains) }
    }

    private func addLayer(_ index: Int, parameters: PackedParameters<S>, trains: Bool) {
        let layer = network.layers[index]
        let entry = parameters.layout.entries[index]
        let isLast = index == network.layers.count - 1
        var stride = entry.paddedUnits
        if stride * MemoryLayout<S>.stride % 512 == 0 { stride += 64 / MemoryLayout<S>.stride }

        var c = unsafe ck_layer()
        unsafe c.inputs = layer.inputs
        unsafe c.units = layer.units
        unsafe c.activation = ck_activation(layer.activation)
        unsafe c.parameters = parameters.pointers(layer: index)
        unsafe c.stride = stride
        unsafe c.activated = addRows(stride)
        unsafe c.output = c.activated
        if layer.dropout > 0, trains {
            unsafe c.output = addRows(stride)
            unsafe c.mask = addRows(stride)
            unsafe c.dropout.rate = layer.dropout
            unsafe c.dropout.layer = UInt32(index)
        }
        if [.gelu, .silu].contains(layer.activation) { unsafe c.kept = addRows(stride) }
        unsafe c.delta = trains && !isLast ? addRows(stride) : c.output
        if index > 0 {
            unsafe c.input_rows = pointers(to: layers[index - 1].output, stride: layers[index - 1].stride)
        }
        unsafe c.delta_rows = mutablePointers(to: c.delta, stride: stride)
        if trains, index > 0, !entry.isNarrow {
            let transposed = AlignedMemory<S>(count: entry.paddedInputs * layer.units)
            rows.append(transposed)
            unsafe c.transposed = UnsafeMutableRawPointer(transposed.start)
        }
        unsafe layers[index] = c
    }

    private func addRows(_ stride: Int) -> UnsafeMutableRawPointer {
        let memory = AlignedMemory<S>(count: capacity * stride)
        rows.append(memory)
        return unsafe UnsafeMutableRawPointer(memory.start)
    }

    private func mutablePointers(
        to start: UnsafeMutableRawPointer, stride: Int
    ) -> UnsafePointer<UnsafeMutableRawPointer?> {
        let memory = unsafe AlignedMemory<UnsafeMutableRawPointer?>(count: capacity)
        for row in 0..<capacity { unsafe memory.start[row] = start + row * stride * MemoryLayout<S>.stride }
        unsafe rowPointers.append(memory)
        return unsafe UnsafePointer(memory.start)
    }

    private func pointers(to start: UnsafeMutableRawPointer, stride: Int) -> UnsafePointer<UnsafeRawPointer?> {
        unsafe UnsafeRawPointer(mutablePointers(to: start, stride: stride))
            .assumingMemoryBound(to: UnsafeRawPointer?.self)
    }

    /// Points the plan at a batch's rows, targets and weights.
    func bind(_ batch: Batch<S>) {
        unsafe precondition(batch.rows <= capacity, "a batch has more rows than the step was made for")
        unsafe plan.pointee.rows = batch.rows
        unsafe layers[0].input_rows = UnsafeRawPointer(batch.x).assumingMemoryBound(to: UnsafeRawPointer?.self)
        var targets = unsafe ck_targets()
        switch unsafe batch.targets {
        case .classes(let classes): unsafe targets.classes = classes
        case .values(let values): unsafe targets.values = UnsafeRawPointer(values)
        case .absent: break
        }
        unsafe targets.weights = batch.weights.map { unsafe UnsafeRawPointer($0) }
        unsafe plan.pointee.targets = targets
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
            let layer = unsafe layers + index
            let bytes = unsafe shards * layer.pointee.shard_stride * MemoryLayout<S>.stride
            unsafe layer.pointee.shards.weight = layer.pointee.shards.weight.map { unsafe $0 + bytes }
            unsafe layer.pointee.shards.bias = layer.pointee.shards.bias.map { unsafe $0 + bytes }
        }
    }

    /// The last layer's output: rows `outputStride` apart.
    var output: UnsafePointer<S> {
        unsafe UnsafePointer(layers[network.layers.count - 1].output.assumingMemoryBound(to: S.self))
    }
    var outputStride: Int { unsafe layers[network.layers.count - 1].stride }
}

extension ck_loss {
    init(_ loss: LossFunction, classWeights: UnsafeRawPointer?) {
        unsafe self.init()
        let types: [LossType: ck_loss_type] = [
            .crossEntropy: CK_CROSS_ENTROPY, .bce: CK_BCE, .hinge: CK_HINGE, .mse: CK_MSE, .mae: CK_MAE,
            .huber: CK_HUBER, .poisson: CK_POISSON, .quantile: CK_QUANTILE,
        ]
        unsafe type = types[loss.type] ?? CK_MSE
        unsafe outputs = loss.outputs
        unsafe smoothing = loss.labelSmoothing
        unsafe delta = loss.delta
        unsafe quantile = loss.quantile
        unsafe class_weights = classWeights
        switch loss.link {
        case .identity: unsafe link = CK_LINK_IDENTITY
        case .softmax: unsafe link = CK_LINK_SOFTMAX
        case .sigmoid: unsafe link = CK_LINK_SIGMOID
        case .exp: unsafe link = CK_LINK_EXP
        }
    }
}

extension ck_activation {
    init(_ activation: Activation) {
        switch activation {
        case .identity: self = CK_IDENTITY
        case .relu: self = CK_RELU
        case .leakyRelu: self = CK_LEAKY_RELU
        case .elu: self = CK_ELU
        case .gelu: self = CK_GELU
        case .silu: self = CK_SILU
        case .sigmoid: self = CK_SIGMOID
        case .tanh: self = CK_TANH
        case .softplus: self = CK_SOFTPLUS
        }
    }
}
