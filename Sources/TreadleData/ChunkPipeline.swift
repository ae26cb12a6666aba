internal import CDecode
internal import HDF5

/// How the bytes of one chunk become elements again, without libhdf5 and its lock.
struct ChunkPipeline: Sendable {
    private enum Step {
        case deflate, shuffle(element: Int), fletcher32
    }

    /// In the order of writing.
    private let steps: [Step]
    /// Bytes of a decoded chunk.
    let size: Int

    /// Nil where a filter is none of those that are undone here.
    init?(_ filters: [H5Filter], size: Int, element: Int) {
        var steps: [Step] = []
        for filter in filters {
            switch filter.id {
            case H5Filter.deflate: steps.append(.deflate)
            case H5Filter.shuffle: steps.append(.shuffle(element: filter.parameters.first.map(Int.init) ?? element))
            case H5Filter.fletcher32: steps.append(.fletcher32)
            default: return nil
            }
        }
        // How long the result of the first of two compressions was is written nowhere.
        let compressions = steps.count { if case .deflate = $0 { true } else { false } }
        guard compressions <= 1 else { return nil }
        self.steps = steps
        self.size = size
    }

    /// Decodes `stored` bytes into exactly `size` bytes of `target`; false where they are damaged.
    ///
    /// Bit n of `mask` says that step n was left out when this chunk was written. `stored` is overwritten.
    func decode(
        _ stored: UnsafeMutableRawBufferPointer, mask: UInt32, into target: UnsafeMutableRawPointer,
        _ scratch: ReadScratch
    ) -> Bool {
        let active = steps.enumerated().filter { mask >> UInt32($0.offset) & 1 == 0 }.map(\.element)
        // How many bytes went into each step.
        var lengths: [Int?] = [size]
        for step in active {
            switch step {
            case .deflate: lengths.append(nil)
            case .shuffle: lengths.append(lengths[lengths.count - 1])
            case .fletcher32: lengths.append(lengths[lengths.count - 1].map { $0 + 4 })
            }
        }
        var source = UnsafeMutableRawBufferPointer(stored)
        let changing = active.filter { if case .fletcher32 = $0 { false } else { true } }.count
        var changes = 0
        for (index, step) in active.enumerated().reversed() {
            if case .fletcher32 = step {
                guard source.count >= 4 else { return false }
                let length = source.count - 4
                let expected = unsafe source.loadUnaligned(fromByteOffset: length, as: UInt32.self).littleEndian
                guard unsafe cd_fletcher32(source.baseAddress, length) == expected else { return false }
                unsafe source = unsafe UnsafeMutableRawBufferPointer(rebasing: source[..<length])
                continue
            }
            guard let length = lengths[index] else { return false }
            changes += 1
            // The last change of bytes goes to where they are wanted; those before it to memory between.
            let isLast = changes == changing && length == size
            let use = changes.isMultiple(of: 2) ? ReadScratch.Use.between : .afterwards
            let result =
                unsafe isLast
                ? UnsafeMutableRawBufferPointer(start: target, count: size) : scratch.buffer(use, length)
            let done: Bool
            switch step {
            case .deflate:
                done = unsafe cd_inflate(source.baseAddress, source.count, result.baseAddress, length) == 0
            case .shuffle(let element):
                done = source.count == length
                if done { unsafe cd_unshuffle(source.baseAddress, length, element, result.baseAddress) }
            case .fletcher32:
                done = true
            }
            guard done else { return false }
            unsafe source = unsafe result
        }
        guard source.count == size else { return false }
        if let start = source.baseAddress, unsafe start != target {
            unsafe target.copyMemory(from: start, byteCount: size)
        }
        return true
    }
}
