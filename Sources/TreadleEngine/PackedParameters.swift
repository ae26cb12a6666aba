internal import CKernels
internal import Glibc
internal import TreadleBase
internal import TreadleModel

/// Numbers shaped like a network's parameters, packed for the products; exact conversion to and from plain row-major.
@safe final class PackedParameters<S: Scalar> {
    let layout: PackedLayout
    private let memory: AlignedMemory<S>

    init(_ layout: PackedLayout) {
        self.layout = layout
        memory = AlignedMemory(count: layout.count)
    }

    var start: UnsafeMutablePointer<S> { unsafe memory.start }

    /// A layer's weights and bias as the kernels take them.
    func pointers(layer: Int) -> ck_parameters {
        let entry = layout.entries[layer]
        return unsafe ck_parameters(
            weight: start + entry.weightStart, bias: entry.biasStart.map { unsafe start + $0 })
    }

    /// Sets every number to zero, or those of a range.
    func clear(_ range: Range<Int>? = nil, workers: Workers = Workers(count: 1)) {
        let (range, block) = (range ?? 0..<layout.count, 1 << 18)
        workers.forEach((range.count + block - 1) / block) { task, _ in
            let from = range.lowerBound + task * block
            unsafe (start + from).update(repeating: 0, count: min(block, range.upperBound - from))
        }
    }

    /// Gives the memory between `kept` ranges, in rising order, back to the system: whole pages of it, which read as zeros.
    func release(except kept: [Range<Int>]) {
        let page = Int(getpagesize())
        let base = unsafe UInt(bitPattern: start)
        var from = 0
        for range in kept + [layout.count..<layout.count] {
            let first = (Int(base) + from * MemoryLayout<S>.stride + page - 1) / page * page
            let end = (Int(base) + range.lowerBound * MemoryLayout<S>.stride) / page * page
            if end > first { unsafe madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_DONTNEED) }
            from = max(from, range.upperBound)
        }
    }

    /// Takes over plain parameters, whose shapes must be those of the network.
    func load(_ layers: [LayerParameters], workers: Workers = Workers(count: 1)) {
        precondition(layers.count == layout.entries.count, "a network's parameters must have an entry for each layer")
        for (entry, layer) in zip(layout.entries, layers) {
            // What fills rows up to whole panels must be zeros; where nothing does, all is about to be written.
            if entry.hasPadding { clear(entry.range, workers: workers) }
            precondition(layer.weight.shape == [entry.inputs, entry.units], "\(layer.name): weights of another shape")
            precondition(
                (layer.bias != nil) == (entry.biasStart != nil), "\(layer.name): bias without a place, or none")
            let weights = S.values(of: layer.weight)
            unsafe weights.withUnsafeBufferPointer { weights in
                guard let plain = weights.baseAddress else { return }
                entry.forEachRun(workers) { from, to, count in
                    unsafe (start + to).update(from: plain + from, count: count)
                }
            }
            if let bias = layer.bias, let biasStart = entry.biasStart {
                precondition(bias.shape == [entry.units], "\(layer.name): a bias of another shape")
                for (unit, value) in S.values(of: bias).enumerated() { unsafe start[biasStart + unit] = value }
            }
        }
    }

    /// The plain parameters, under the network's layer names.
    func unload(names: [String], workers: Workers = Workers(count: 1)) -> [LayerParameters] {
        zip(layout.entries, names).map { entry, name in
            let weights = unsafe [S](unsafeUninitializedCapacity: entry.inputs * entry.units) { buffer, count in
                if let plain = buffer.baseAddress {
                    unsafe LargePages.prefer(in: UnsafeMutableRawBufferPointer(buffer))
                    entry.forEachRun(workers) { to, from, count in
                        unsafe (plain + to).update(from: start + from, count: count)
                    }
                }
                count = entry.inputs * entry.units
            }
            let bias = entry.biasStart.map { biasStart in
                S.tensor((0..<entry.units).map { unsafe start[biasStart + $0] }, shape: [entry.units])
            }
            return LayerParameters(
                name: name, weight: S.tensor(weights, shape: [entry.inputs, entry.units]), bias: bias)
        }
    }
}
