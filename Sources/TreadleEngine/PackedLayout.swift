internal import CKernels
internal import TreadleBase
internal import TreadleModel

/// Where each parameter of a network lies in one flat array, in the form that the products read.
///
/// Wide layers keep W in panels of 128 bytes of columns; narrow ones (fewer than four units) keep Wᵀ by rows. Both are
/// padded with zeros to whole panels. Layers of the stem keep W row by row, each row padded. Everything shaped like the parameters (gradients, optimizer slots) uses the same layout.
struct PackedLayout: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        var inputs: Int
        var units: Int
        /// Numbers in 128 bytes: 32 of Float, 16 of Double.
        var panel: Int
        /// Few units are kept by rows, where products do not go by blocks.
        var isNarrow: Bool
        /// A layer of the stem: kept row by row.
        var isStem: Bool
        var weightStart: Int
        var biasStart: Int?

        var panels: Int { isNarrow || isStem ? 1 : paddedUnits / panel }
        var inputPanels: Int { paddedInputs / panel }
        var paddedInputs: Int { (inputs + panel - 1) / panel * panel }
        var paddedUnits: Int { (units + panel - 1) / panel * panel }
        var weightCount: Int { isNarrow ? units * paddedInputs : paddedUnits * inputs }
        /// Weights and biases in the flat array.
        var range: Range<Int> { weightStart..<weightStart + weightCount + (biasStart == nil ? 0 : paddedUnits) }
        var hasPadding: Bool { weightCount > inputs * units || (biasStart != nil && paddedUnits > units) }

        /// The place of W's element in the flat array.
        func place(input: Int, unit: Int) -> Int {
            if isStem { return weightStart + input * paddedUnits + unit }
            if isNarrow { return weightStart + unit * paddedInputs + input }
            return weightStart + (unit / panel * inputs + input) * panel + unit % panel
        }

        /// The stretches of W that are consecutive both row by row, from `plain` on, and in the flat array, from `packed` on.
        @inline(__always)
        func forEachRun(_ workers: Workers, _ body: (_ plain: Int, _ packed: Int, _ count: Int) -> Void) {
            let longest = isStem ? units : isNarrow ? 1 : panel
            // A small layer is copied before another thread has woken up.
            let rows = max(1, (1 << 18) / max(1, units))
            workers.forEach((inputs + rows - 1) / rows) { task, _ in
                for input in task * rows..<min((task + 1) * rows, inputs) {
                    for unit in stride(from: 0, to: units, by: longest) {
                        body(input * units + unit, place(input: input, unit: unit), min(longest, units - unit))
                    }
                }
            }
        }
    }

    var entries: [Entry] = []
    /// Numbers in 128 bytes, the width of a panel.
    let panel: Int
    /// Numbers in the flat array, and how many of them, the first ones, are the stem's.
    var count = 0
    var stemCount = 0

    init<S: Scalar>(_ network: Network, of number: S.Type) {
        panel = Int(CK_PANEL_BYTES) / MemoryLayout<S>.stride
        for layer in network.layers {
            let isStem = layer.kind != .dense
            let isNarrow =
                !isStem && layer.units < Int(CK_NARROW_UNITS) && !network.precision.rounds(S.self)
            var entry = Entry(
                inputs: layer.inputs, units: layer.units, panel: panel, isNarrow: isNarrow, isStem: isStem,
                weightStart: count, biasStart: nil)
            count += entry.weightCount
            if layer.hasBias {
                entry.biasStart = count
                count += entry.paddedUnits
            }
            entries.append(entry)
            if isStem { stemCount = count }
        }
    }
}
