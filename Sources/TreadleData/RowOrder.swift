package import TreadleConfiguration

/// The order in which a loader hands out the rows of a set.
package enum RowOrder: Equatable, Sendable {
    case sequential
    /// `block` rows make a block and `window` blocks a window; only the block shuffle uses them.
    case shuffled(Shuffle, seed: UInt64, block: Int, window: Int)
}

/// One epoch's order of `count` rows: which ordinal stands at each position, in O(1) for any of them.
struct EpochOrder: Sendable {
    private enum Form {
        case sequential
        case full(Permutation)
        case blocks(BlockOrder)
    }

    let count: Int
    private let form: Form

    init(_ order: RowOrder, count: Int, epoch: Int) {
        self.count = count
        switch order {
        case .shuffled(.full, let seed, _, _):
            form = .full(Permutation(count: count, seed: seed, epoch: epoch))
        case .shuffled(.block, let seed, let block, let window):
            form = .blocks(BlockOrder(count: count, seed: seed, epoch: epoch, block: block, window: window))
        case .shuffled(.none, _, _, _), .sequential:
            form = .sequential
        }
    }

    /// The ordinals at `positions`, into as many places of `ordinals`.
    func fill(_ ordinals: UnsafeMutablePointer<UInt64>, at positions: Range<Int>) {
        switch form {
        case .sequential:
            for (place, position) in positions.enumerated() { unsafe ordinals[place] = UInt64(position) }
        case .full(let permutation):
            unsafe permutation.fill(ordinals, from: positions)
        case .blocks(let order):
            unsafe order.fill(ordinals, at: positions)
        }
    }

    /// When `positions` are the first batch that reaches into a new window of the order: the runs of ordinals that the
    /// window after it is made of. Nil otherwise, and where any row may come next.
    func nextWindow(after positions: Range<Int>, batchSize: Int) -> [Range<Int>]? {
        switch form {
        case .full:
            return nil
        case .sequential:
            let window = max(4 * batchSize, 4096)
            let number = positions.upperBound / window
            guard number > (positions.lowerBound - 1) / window || positions.lowerBound == 0 else { return nil }
            let next = (number + 1) * window..<(number + 2) * window
            let rows = next.clamped(to: 0..<count)
            return rows.isEmpty ? nil : [rows]
        case .blocks(let order):
            return order.nextWindow(after: positions)
        }
    }
}

/// Blocks of consecutive rows in random order, rows mixed within windows of several such blocks.
///
/// The last block may be short, and stands wherever the order of the blocks puts it.
struct BlockOrder: Sendable {
    private let count: Int
    private let block: Int
    private let window: Int
    private let seed: UInt64
    private let epoch: Int
    private let blocks: Permutation
    /// The place of the short block in the order, and the rows that it lacks.
    private let shortPlace: Int
    private let missing: Int

    init(count: Int, seed: UInt64, epoch: Int, block: Int, window: Int) {
        precondition(block >= 1 && window >= 1, "blocks and windows hold at least one row")
        self.count = count
        self.block = block
        self.window = window
        self.seed = seed
        self.epoch = epoch
        let blockCount = (count + block - 1) / block
        blocks = Permutation(count: blockCount, seed: seed, epoch: epoch)
        shortPlace = blockCount > 0 ? blocks.index(of: blockCount - 1) : 0
        missing = blockCount * block - count
    }

    /// The number of the window that holds `position`.
    private func window(at position: Int) -> Int {
        let first = position / (block * window)
        // Positions behind the short block are that much further along than the division thinks.
        return first >= shortPlace / window ? (position + missing) / (block * window) : first
    }

    /// Where a window's rows begin in the order.
    private func start(ofWindow number: Int) -> Int {
        number * window * block - (number > shortPlace / window ? missing : 0)
    }

    func fill(_ ordinals: UnsafeMutablePointer<UInt64>, at positions: Range<Int>) {
        var position = positions.lowerBound
        while position < positions.upperBound {
            let number = window(at: position)
            let start = start(ofWindow: number)
            let end = min(self.start(ofWindow: number + 1), count)
            let rows = Permutation(count: end - start, seed: seed, epoch: epoch, stream: UInt64(number) + 1)
            let upper = min(end, positions.upperBound)
            let target = unsafe ordinals + (position - positions.lowerBound)
            unsafe rows.fill(target, from: position - start..<upper - start)
            // A window mostly repeats a few blocks: their places are looked up once.
            let first = number * window
            let places = (first..<min(first + window, blocks.count)).map { blocks[$0] * block }
            let shortEnd = (shortPlace - first + 1) * block - missing
            for index in 0..<upper - position {
                var row = Int(unsafe target[index])
                if shortPlace >= first && row >= shortEnd { row += missing }
                unsafe target[index] = UInt64(places[row / block] + row % block)
            }
            position = upper
        }
    }

    /// The blocks of the window after the one that `positions` are the first to reach into; nil for other positions.
    func nextWindow(after positions: Range<Int>) -> [Range<Int>]? {
        let number = window(at: positions.upperBound - 1)
        guard positions.lowerBound == 0 || window(at: positions.lowerBound - 1) < number else { return nil }
        let first = (number + 1) * window
        guard first < blocks.count else { return nil }
        return (first..<min(first + window, blocks.count)).map { place in
            let start = blocks[place] * block
            return start..<min(start + block, count)
        }
    }
}
