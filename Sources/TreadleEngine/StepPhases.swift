internal import CKernels
internal import TreadleBase
internal import TreadleModel

/// A phase of a step, cut into numbered tasks.
enum StepPhase: Sendable {
    /// Blocks of rows, all layers forward and back.
    case rows(block: Int)
    /// Shards, in blocks of rows, with their gradients.
    case shards(block: Int)
    /// Blocks of rows of x, brought into panels.
    case pack(block: Int)
    /// One layer forward, or its errors back, in pieces.
    case forward(layer: Int, pieces: Pieces)
    case backward(layer: Int, pieces: Pieces)
    /// Blocks of rows through the last layer, the loss, and back to the layer below.
    case finish(block: Int)
    /// Shards' gradients of the stem, each in so many parts.
    case stem(parts: Int)
    /// Tiles of weights, in the order of the workers who own them: summed over the shards, averaged and updated.
    case update
    /// Tiles from `first` on, summed over the shards only; `adds` to the sums of the batches before.
    case sum(first: Int, adds: Bool)
    /// Sums of squares of this rank's tiles.
    case squares
    /// Tiles from `first` on, updated from their sums.
    case apply(first: Int)
    /// The copies of a layer's weights for the products, made anew: of each layer so many parts.
    case refresh(parts: Int)
}

/// A layer's rows × panels, cut into pieces: `groups` of panels by `blocks` of rows, group after group, so that neighbouring
/// pieces share their weights.
struct Pieces: Equatable, Sendable {
    var rows: Int
    var panels: Int
    var groups: Int
    var blocks: Int
    /// Blocks begin at multiples of so many rows.
    var unit: Int

    var count: Int { groups * blocks }

    func part(_ piece: Int) -> ck_part {
        let (group, block) = (piece / blocks, piece % blocks)
        let units = (rows + unit - 1) / unit
        let first = block * units / blocks * unit
        let end = min(rows, (block + 1) * units / blocks * unit)
        return ck_part(
            first: first, count: max(0, end - first), from: group * panels / groups, to: (group + 1) * panels / groups)
    }
}

/// The memory that a step's tasks work on, and which kernel does each.
@unsafe struct StepTasks: @unchecked Sendable {
    let plan: UnsafeMutablePointer<ck_plan>
    let tiles: UnsafeMutablePointer<ck_tile>
    /// The tiles in the order in which `update` hands them out.
    let order: UnsafeMutablePointer<Int>
    let squares: UnsafeMutablePointer<Double>
    /// What each worker may write to, one after another.
    let scratch: UnsafeMutablePointer<UInt8>
    let scratchBytes: Int
    let ownTiles: [Int]

    func perform(_ phase: StepPhase, _ task: Int, _ worker: Int) {
        switch phase {
        case .rows(let block): unsafe ck_train_rows(plan, task * block, rows(of: task, block))
        case .shards(let block): unsafe ck_train_shard(plan, task, block)
        case .pack(let block): unsafe ck_pack_rows(plan, task * block, rows(of: task, block))
        case .forward(let layer, let pieces):
            var part = pieces.part(task)
            unsafe ck_forward(plan, layer, &part)
        case .backward(let layer, let pieces):
            var part = pieces.part(task)
            unsafe ck_backward(plan, layer, &part)
        case .finish(let block): unsafe ck_finish_rows(plan, task * block, rows(of: task, block))
        case .stem(let parts): unsafe ck_stem_gradient(plan, task / parts, task % parts)
        case .update: unsafe ck_update_tile(plan, tiles + order[task], scratch + worker * scratchBytes)
        case .sum(let first, let adds):
            unsafe ck_sum_tile(plan, tiles + first + task, adds ? 1 : 0, scratch + worker * scratchBytes)
        case .squares:
            let tile = unsafe ownTiles[task]
            unsafe squares[tile] = ck_squares_of_tile(plan, tiles + tile)
        case .apply(let first): unsafe ck_apply_tile(plan, tiles + first + task)
        case .refresh(let parts): unsafe ck_refresh_operands(plan, task / parts, task % parts, parts)
        }
    }

    private func rows(of task: Int, _ block: Int) -> Int { unsafe min(block, plan.pointee.rows - task * block) }
}

/// How a step's work is handed out: for speed alone, no result depends on it.
struct StepSharing {
    private let path: GradientPath
    private let shards: Int
    /// Numbers in the network's packed parameters, in those of its stem, in a row of x, and in a panel of 128 bytes.
    private let parameters: Int
    private let stem: Int
    private let inputs: Int
    private let panel: Int
    private let workers: Int
    /// Blocks of rows begin at multiples of it.
    private let unit: Int
    /// What multiplies bfloat16, where that is not vectors' multiply-adds.
    private let blockUnit: ck_unit
    /// A layer has more bytes of weights than fit beside its rows in an L2 cache.
    private let hasFarWeights: Bool

    /// Set by tests: work for all workers however little it is, and the rows in a block.
    var alwaysShares = false
    var fixedBlockRows: Int?

    init(path: GradientPath, shards: Shards, layout: PackedLayout, inputs: Int, workers: Int, blockUnit: ck_unit) {
        self.path = path
        self.shards = shards.own.count
        parameters = layout.count
        stem = layout.stemCount
        self.inputs = inputs
        panel = layout.panel
        self.workers = workers
        unit = shards.unit
        self.blockUnit = blockUnit
        hasFarWeights = layout.entries.contains { $0.weightCount / layout.panel * 128 > 2 << 20 }
    }

    /// Whether phase 1 is worth sharing.
    func sharesRows(_ rows: Int) -> Bool {
        // Cycles of two vectors of multiply-adds, or of reading x at some 16 bytes each, whichever are more.
        isWorthIt(max(products(rows), rows * inputs * (128 / panel) / 16))
    }

    /// Whether phase 2 is.
    func sharesTiles(_ rows: Int) -> Bool {
        isWorthIt(products(path.rows == .inShards ? shards : rows) + parameters / 4)
    }

    /// Whether the stem's gradients are: a sine and a cosine for each frequency and row.
    func sharesStem(_ rows: Int) -> Bool { isWorthIt(rows * stem / panel * 16) }

    private func products(_ rows: Int) -> Int { rows * parameters / panel / speed }

    /// How many times as fast as multiply-adds the products are.
    private var speed: Int {
        switch blockUnit {
        case CK_TILES: 8
        case CK_DOTS: 2
        default: 1
        }
    }

    private var isInBlocks: Bool { blockUnit != CK_NO_UNIT }

    /// Whether what touches each parameter once is.
    var sharesParameters: Bool { isWorthIt(parameters / 4) }

    /// Not where handing it out takes longer than it saves: below some 5 µs.
    private func isWorthIt(_ cycles: Int) -> Bool { cycles >= 20_000 || alwaysShares }

    /// Rows a block: many for one read of the weights, yet no more than 64 where workers share, so that one that has lost
    /// its core to another process does not keep the others waiting for long. (32 rows a block cost 1–3 %, and kept no
    /// more speed beside a busy process.) Weights that no core's cache holds are read from afar for each block: of them more
    /// rows are worth a longer wait.
    func blockRows(_ rows: Int, shared: Bool) -> Int {
        if let fixedBlockRows { return inUnits(fixedBlockRows) }
        let workers = shared ? workers : 1
        let most = isInBlocks ? 1024 : hasFarWeights ? 256 : workers == 1 ? 128 : 64
        let blocks = workers * max(1, (rows + most * workers - 1) / (most * workers))
        return inUnits(max(1, (rows + blocks - 1) / blocks))
    }

    private func inUnits(_ rows: Int) -> Int { (rows + unit - 1) / unit * unit }

    /// Rows a block where shards sum their gradients: as many as fit in half of an L1 cache, in whole tiles.
    var blockRowsInShard: Int {
        min(64, fixedBlockRows ?? max(8, 24_576 / (inputs * (128 / panel)) / 8 * 8))
    }

    /// The pieces of a layer of `panels` columns of panels where phase 1 goes by columns.
    ///
    /// Of few rows, each panel is a piece, cut by rows only where panels do not come out even. Many rows are taken a block
    /// at a time through all of a worker's panels, so that the block stays in the worker's cache.
    func pieces(_ rows: Int, panels: Int) -> Pieces {
        let most = max(1, rows / max(16, unit))
        if let fixedBlockRows {
            return Pieces(
                rows: rows, panels: panels, groups: panels, blocks: max(1, min(most, rows / fixedBlockRows)), unit: unit
            )
        }
        if rows > 192 || isInBlocks {
            let groups = min(panels, 2 * workers)
            let most = isInBlocks ? 512 : 128
            return Pieces(rows: rows, panels: panels, groups: groups, blocks: (rows + most - 1) / most, unit: unit)
        }
        var blocks = 1
        while blocks < most, !(panels * blocks).isMultiple(of: workers), panels * blocks < 8 * workers { blocks += 1 }
        return Pieces(rows: rows, panels: panels, groups: panels, blocks: blocks, unit: unit)
    }
}
