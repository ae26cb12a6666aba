internal import CKernels
internal import TreadleModel

/// Cuts a network's weights into the tiles of phase 2.
enum Tiles {
    /// Tiles in the order in which memory holds them: runs of inputs of one panel, or of a narrow layer, for batches of up to
    /// `rows` rows. The sum of squares that clipping takes adds tile by tile, so shapes alone decide.
    static func list(_ layout: PackedLayout, rows: Int, precision: Precision) -> [ck_tile] {
        var tiles: [ck_tile] = []
        for (index, entry) in layout.entries.enumerated() {
            if entry.isStem {
                for from in stride(from: 0, to: entry.weightCount, by: stemRun) {
                    let to = min(entry.weightCount, from + stemRun)
                    tiles.append(ck_tile(layer: UInt32(index), panel: 0, from: from, to: to))
                }
                continue
            }
            // Whole panels of inputs, for Wᵀ; enough in a tile that handing it out costs nothing.
            var run = entry.panel * 8
            if precision.roundsOperands {
                // As many of the matrix unit's blocks as half of an L2 cache holds with all rows (measured at batch 1,024:
                // 16 blocks 3.6 ms a step, 8 blocks 3.8, 32 blocks 5.4).
                let rowBlocks = (rows + Int(CK_BLOCK) - 1) / Int(CK_BLOCK)
                let most = 512 / precision.operandParts
                run = min(32, max(1, most / max(1, rowBlocks))) * Int(CK_BLOCK)
            }
            for panel in 0..<entry.panels {
                for from in stride(from: 0, to: entry.inputs, by: run) {
                    let to = min(entry.inputs, from + run)
                    tiles.append(ck_tile(layer: UInt32(index), panel: UInt32(panel), from: from, to: to))
                }
            }
        }
        return tiles
    }

    /// Numbers of a stem's layer in a tile: their update is worth being handed out.
    private static let stemRun = 2048

    /// The tiles by worker, and where each worker's begin: of every layer the panels whose columns it computes in phase 1.
    ///
    /// Within a worker's panels, a run of inputs goes through all of them before the next: its rows of x stay in cache.
    static func dealt(_ tiles: [ck_tile], _ layout: PackedLayout, to workers: Int) -> (order: [Int], starts: [Int]) {
        var shares = [[Int]](repeating: [], count: workers)
        for (index, tile) in tiles.enumerated() {
            let panels = layout.entries[Int(tile.layer)].panels
            // Panels of a small layer cannot be divided: its runs are.
            shares[panels < workers ? index % workers : Int(tile.panel) * workers / panels].append(index)
        }
        var starts = [0]
        for worker in shares.indices {
            shares[worker].sort { one, other in
                let (a, b) = (tiles[one], tiles[other])
                return (a.layer, a.from, a.panel) < (b.layer, b.from, b.panel)
            }
            starts.append(starts[worker] + shares[worker].count)
        }
        return (shares.flatMap(\.self), starts)
    }
}
