/// How a step's work is handed out: for speed alone, no result depends on it.
struct StepSharing {
    private let path: GradientPath
    private let shards: Int
    /// Numbers in the network's packed parameters, in a row of x, and in a panel of 128 bytes.
    private let parameters: Int
    private let inputs: Int
    private let panel: Int

    /// Set by tests: work for all workers however little it is, and the rows in a block.
    var alwaysShares = false
    var fixedBlockRows: Int?

    init(path: GradientPath, shards: Int, parameters: Int, inputs: Int, panel: Int) {
        self.path = path
        self.shards = shards
        self.parameters = parameters
        self.inputs = inputs
        self.panel = panel
    }

    /// Whether phase 1 is worth sharing.
    func sharesRows(_ rows: Int) -> Bool {
        // Cycles of two vectors of multiply-adds, or of reading x at some 16 bytes each, whichever are more.
        isWorthIt(max(rows * parameters / panel, rows * inputs * (128 / panel) / 16))
    }

    /// Whether phase 2 is.
    func sharesTiles(_ rows: Int) -> Bool {
        isWorthIt((path.sumsInShards ? shards : rows) * parameters / panel + parameters / 4)
    }

    /// Whether what touches each parameter once is.
    var sharesParameters: Bool { isWorthIt(parameters / 4) }

    /// Not where handing it out takes longer than it saves: below some 5 µs.
    private func isWorthIt(_ cycles: Int) -> Bool { cycles >= 20_000 || alwaysShares }

    /// Rows a block: many for one read of the weights, yet no more than 64 where workers share, so that one that has lost
    /// its core to another process does not keep the others waiting for long. (32 rows a block cost 1–3 %, and kept no
    /// more speed beside a busy process.)
    func blockRows(_ rows: Int, workers: Int) -> Int {
        if let fixedBlockRows { return fixedBlockRows }
        let most = workers == 1 ? 128 : 64
        let blocks = workers * max(1, (rows + most * workers - 1) / (most * workers))
        return max(1, (rows + blocks - 1) / blocks)
    }

    /// Rows a block where shards sum their gradients: as many as fit in half of an L1 cache, in whole tiles.
    var blockRowsInShard: Int {
        min(64, fixedBlockRows ?? max(8, 24_576 / (inputs * (128 / panel)) / 8 * 8))
    }
}
