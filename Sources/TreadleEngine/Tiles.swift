internal import CKernels

/// Cuts a network's weights into the tiles of phase 2.
enum Tiles {
    /// Tiles in the order in which memory holds them: runs of inputs of one panel, or of a narrow layer.
    static func list(_ layout: PackedLayout) -> [ck_tile] {
        var tiles: [ck_tile] = []
        for (index, entry) in layout.entries.enumerated() {
            let panels = entry.isNarrow ? 1 : entry.paddedUnits / entry.panel
            // Whole panels of inputs, for Wᵀ; enough in a tile that handing it out costs nothing.
            let run = entry.panel * 8
            for panel in 0..<panels {
                for from in stride(from: 0, to: entry.inputs, by: run) {
                    let to = min(entry.inputs, from + run)
                    tiles.append(ck_tile(layer: UInt32(index), panel: UInt32(panel), from: from, to: to))
                }
            }
        }
        return tiles
    }
}
