internal import CKernels

/// A phase of a step, cut into numbered tasks.
enum StepPhase: Sendable {
    /// Blocks of rows, all layers forward and back.
    case rows(block: Int)
    /// Shards, in blocks of rows, with their gradients.
    case shards(block: Int)
    /// Tiles of weights: summed over the shards, averaged and updated.
    case update
    /// Tiles from `first` on, summed over the shards only; `adds` to the sums of the batches before.
    case sum(first: Int, adds: Bool)
    /// Sums of squares of this rank's tiles.
    case squares
    /// Tiles from `first` on, updated from their sums.
    case apply(first: Int)
    /// Layers, whose transposed weights are made anew.
    case transpose
}

/// The memory that a step's tasks work on, and which kernel does each.
@unsafe struct StepTasks: @unchecked Sendable {
    let plan: UnsafeMutablePointer<ck_plan>
    let tiles: UnsafeMutablePointer<ck_tile>
    let squares: UnsafeMutablePointer<Double>
    /// What each worker may write to, one after another.
    let scratch: UnsafeMutablePointer<UInt8>
    let scratchBytes: Int
    let ownTiles: [Int]

    func perform(_ phase: StepPhase, _ task: Int, _ worker: Int) {
        switch phase {
        case .rows(let block):
            let first = task * block
            unsafe ck_train_rows(plan, first, min(block, plan.pointee.rows - first))
        case .shards(let block): unsafe ck_train_shard(plan, task, block)
        case .update: unsafe ck_update_tile(plan, tiles + task, scratch + worker * scratchBytes)
        case .sum(let first, let adds):
            unsafe ck_sum_tile(plan, tiles + first + task, adds ? 1 : 0, scratch + worker * scratchBytes)
        case .squares:
            let tile = unsafe ownTiles[task]
            unsafe squares[tile] = ck_squares_of_tile(plan, tiles + tile)
        case .apply(let first): unsafe ck_apply_tile(plan, tiles + first + task)
        case .transpose: unsafe ck_refresh_transposed(plan, task)
        }
    }
}
