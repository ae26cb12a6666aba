internal import HDF5
internal import TreadleModel
internal import TreadleRun

/// Statistics of a dataset that may be larger than memory, and may lie about itself: read in boxes, within a time.
struct DatasetTally {
    enum Result {
        case measured(TensorStatistics)
        /// Why not.
        case skipped(String)
    }

    let result: Result

    init(_ dataset: H5Dataset, until deadline: ContinuousClock.Instant) throws(H5Error) {
        guard let count = dataset.count, dataset.type.size.flatMap({ [count].boundedProduct(times: $0) }) != nil else {
            result = .skipped("claims more elements than can be counted")
            return
        }
        guard dataset.storedSize > 0 else {
            result = .skipped("nothing is stored")
            return
        }
        guard !dataset.claimsFarMoreThanItStores else {
            result = .skipped("claims far more than it stores")
            return
        }
        let statistics =
            dataset.type == Float.elementType
            ? try Self.measure(dataset, as: Float.self, deadline) : try Self.measure(dataset, as: Double.self, deadline)
        result = statistics.map { .measured($0) } ?? .skipped("not measured within the time; raise --limit")
    }

    /// Nil when time was up.
    private static func measure<S: Scalar & H5Number>(
        _ dataset: H5Dataset, as: S.Type, _ deadline: ContinuousClock.Instant
    ) throws(H5Error) -> TensorStatistics? {
        let boxes = BoxGrid(dataset)
        var tally = NumberTally()
        for index in 0..<boxes.count {
            guard ContinuousClock.now < deadline else { return nil }
            let values: [S] = try dataset.read(box: boxes[index])
            unsafe values.withUnsafeBufferPointer { values in
                for start in stride(from: 0, to: values.count, by: NumberSource.block) {
                    let end = min(start + NumberSource.block, values.count)
                    unsafe tally.add(NumberTally(UnsafeBufferPointer(rebasing: values[start..<end])))
                }
            }
        }
        var statistics = TensorStatistics(tally)
        guard let scale = HistogramScale(tally) else { return statistics }
        for index in 0..<boxes.count {
            guard ContinuousClock.now < deadline else { return nil }
            let values: [S] = try dataset.read(box: boxes[index])
            statistics.add(bars: unsafe values.withUnsafeBufferPointer { unsafe scale.count($0) })
        }
        return statistics
    }
}

/// A dataset cut into boxes that fit into memory, along its chunks where it has some.
private struct BoxGrid {
    private static let most = 1 << 20
    private let shape: [Int]
    private let extents: [Int]
    private let steps: [Int]
    let count: Int

    init(_ dataset: H5Dataset) {
        shape = dataset.shape
        var extents = shape.map { _ in 1 }
        var room = Self.most
        if case .chunked(let chunk) = dataset.storage, chunk.count == shape.count {
            extents = zip(chunk, shape).map { max(1, min($0, $1)) }
            if let product = extents.boundedProduct(), product <= Self.most {
                room = Self.most / product
            } else {
                extents = shape.map { _ in 1 }
            }
        }
        // From the last dimension on, whose neighbours lie side by side.
        for axis in shape.indices.reversed() where room > 1 {
            let wanted = min((shape[axis] + extents[axis] - 1) / extents[axis], room)
            extents[axis] = min(extents[axis] * wanted, shape[axis])
            room /= wanted
        }
        self.extents = extents
        steps = zip(shape, extents).map { ($0 + $1 - 1) / $1 }
        count = steps.boundedProduct() ?? .max
    }

    subscript(index: Int) -> Hyperslab {
        var rest = index
        var start = shape.map { _ in 0 }
        for axis in shape.indices.reversed() {
            start[axis] = rest % steps[axis] * extents[axis]
            rest /= steps[axis]
        }
        return Hyperslab(start: start, count: shape.indices.map { min(extents[$0], shape[$0] - start[$0]) })
    }
}
