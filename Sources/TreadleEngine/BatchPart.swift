internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// Memory for some of a batch's rows as a batch by itself.
@safe final class BatchPart<S: Scalar> {
    private let outputs: Int
    private let pointers: AlignedMemory<UnsafePointer<S>>
    private let classes: AlignedMemory<Int32>
    private let values: AlignedMemory<S>
    private let weights: AlignedMemory<S>
    /// Where each of the part's rows stands in the whole batch.
    let places: AlignedMemory<Int>

    /// For batches of up to `capacity` rows with `outputs` targets each.
    init(capacity: Int, outputs: Int) {
        self.outputs = outputs
        unsafe pointers = unsafe AlignedMemory(count: capacity)
        classes = AlignedMemory(count: capacity)
        values = AlignedMemory(count: capacity * outputs)
        weights = AlignedMemory(count: capacity)
        places = AlignedMemory(count: capacity)
    }

    /// The rows of `batch` at the places for which `isWanted` says so, in their order; valid as long as the batch and
    /// until the next part. It may have no rows.
    func take(_ batch: Batch<S>, where isWanted: (_ place: Int) -> Bool) -> Batch<S> {
        var rows = 0
        for place in 0..<(unsafe batch.rows) where isWanted(place) {
            unsafe copy(place, of: batch, to: rows)
            rows += 1
        }
        return unsafe part(of: batch, rows: rows, isWeighted: batch.weights != nil)
    }

    /// The first row of `batch` with the weight 0: for a step that has nothing to learn from.
    func takeNothing(of batch: Batch<S>) -> Batch<S> {
        unsafe copy(0, of: batch, to: 0)
        unsafe weights.start[0] = 0
        return unsafe part(of: batch, rows: 1, isWeighted: true)
    }

    private func copy(_ place: Int, of batch: Batch<S>, to row: Int) {
        unsafe places.start[row] = place
        unsafe pointers.start[row] = batch.x[place]
        if let given = unsafe batch.weights { unsafe weights.start[row] = given[place] }
        switch unsafe batch.targets {
        case .absent: break
        case .classes(let given): unsafe classes.start[row] = given[place]
        case .values(let given):
            unsafe (values.start + row * outputs).update(from: given + place * outputs, count: outputs)
        }
    }

    private func part(of batch: Batch<S>, rows: Int, isWeighted: Bool) -> Batch<S> {
        let targets: Targets<S> =
            switch unsafe batch.targets {
            case .absent: unsafe .absent
            case .classes: unsafe .classes(UnsafePointer(classes.start))
            case .values: unsafe .values(UnsafePointer(values.start))
            }
        return unsafe Batch(
            rows: rows, x: UnsafePointer(pointers.start), targets: targets,
            weights: isWeighted ? UnsafePointer(weights.start) : nil)
    }
}
