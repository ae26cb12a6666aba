internal import TreadleModel

/// How a step brings its gradients together. Shape alone chooses; every way gives the same bits.
struct GradientPath: Equatable, Sendable {
    /// Shards sum their gradients in phase 1, while their rows are in cache; otherwise tiles do in phase 2.
    var sumsInShards: Bool
    /// The whole gradient is written before the first weight changes: for clipping, accumulation and ranks.
    var isWhole: Bool

    init(sumsInShards: Bool, isWhole: Bool) {
        self.sumsInShards = sumsInShards
        self.isWhole = isWhole
    }

    init(network: Network, batchSize: Int, shards: Int, needsWhole: Bool, bytesPerNumber: Int) {
        let parameters = network.parameterCount
        let inputBytes = batchSize * network.inputs * bytesPerNumber
        // A shard's gradient should stay in the L1 cache, and reading x once more should cost something.
        sumsInShards = parameters <= 32_768 && shards > 1 && inputBytes > 262_144
        isWhole = needsWhole
    }
}
