internal import TreadleModel

/// How a step goes through a batch and brings its gradients together. Shape alone chooses, and the number of workers; every
/// way gives the same bits.
struct GradientPath: Equatable, Sendable {
    /// Phase 1, the batch forward and back.
    enum Rows: Equatable, Sendable {
        /// Blocks of rows through all layers: nothing waits for anything, and every worker reads all weights.
        case byRows
        /// Layer by layer, each worker the columns whose weights it updates in phase 2: they never leave its cache.
        case byColumns
        /// Shard by shard, with the gradient's sums while the rows are in cache: for small networks.
        case inShards
    }

    var rows: Rows
    /// The whole gradient is written before the first weight changes: for clipping, accumulation and ranks.
    var isWhole: Bool

    init(rows: Rows, isWhole: Bool) {
        self.rows = rows
        self.isWhole = isWhole
    }

    init(network: Network, batchSize: Int, shards: Int, workers: Int, needsWhole: Bool, bytesPerNumber: Int) {
        isWhole = needsWhole
        let parameters = network.parameterCount
        let inputBytes = batchSize * network.inputs * bytesPerNumber
        // A shard's gradient should stay in the L1 cache, and reading x once more should cost something.
        let isSmall = parameters <= 32_768 && shards > 1 && inputBytes > 262_144
        // Where a batch's activations are fewer bytes than the weights, it is cheaper that they cross between the cores. The
        // last layer is computed by rows in any case.
        let hidden = network.dense.dropLast()
        let weights = hidden.reduce(0) { $0 + $1.inputs * $1.units }
        let activations = batchSize * hidden.reduce(0) { $0 + $1.inputs + $1.units }
        if isSmall, !network.precision.roundsOperands {
            rows = .inShards
        } else {
            rows = workers > 1 && weights > activations ? .byColumns : .byRows
        }
    }
}
