internal import Dispatch
internal import TreadleModel

/// The memory of one batch, filled again and again.
///
/// One task at a time touches it: whoever fills it, and then, after `ready`, the consumer.
@safe final class BatchSlot<S: Scalar>: @unchecked Sendable {
    var rows = 0
    /// Where the batch begins in the whole one that ranks share, and the whole one's rows.
    var firstRow = 0
    var wholeRows = 0
    /// The rows' numbers over all files, in the order of the batch.
    let numbers: UnsafeMutablePointer<UInt64>
    /// The batch's places in ascending order of the rows' numbers.
    let places: UnsafeMutablePointer<Int32>
    let pointers: UnsafeMutablePointer<UnsafePointer<S>>
    let x: UnsafeMutablePointer<S>
    /// Numbers from one row of `x` to the next.
    let stride: Int
    let classes: UnsafeMutablePointer<Int32>
    let values: UnsafeMutablePointer<S>
    let weights: UnsafeMutablePointer<S>?
    var failure: (any Error)?
    let ready = DispatchSemaphore(value: 0)
    private let region: Region
    private let targets: Targets<S>

    init(_ source: BatchSource<S>) throws {
        let batch = source.batchSize
        let dataset = source.rows.dataset
        stride = ResidentRows<S>.stride(dataset.features)
        let xBytes = source.copiesX ? batch * stride * MemoryLayout<S>.stride : 0
        let valueBytes = batch * source.targetWidth * MemoryLayout<S>.stride
        region = try Region(count: xBytes + valueBytes + batch * 64 + 1024, for: "a batch of \(batch) rows")
        var next = unsafe region.bytes
        func take<Element>(_: Element.Type, _ count: Int) -> UnsafeMutablePointer<Element> {
            let start = unsafe next.bindMemory(to: Element.self, capacity: count)
            unsafe next += (count * MemoryLayout<Element>.stride + 63) / 64 * 64
            return unsafe start
        }
        unsafe x = unsafe take(S.self, source.copiesX ? batch * stride : 0)
        unsafe pointers = unsafe take(UnsafePointer<S>.self, batch)
        unsafe numbers = unsafe take(UInt64.self, batch)
        unsafe places = unsafe take(Int32.self, batch)
        unsafe classes = unsafe take(Int32.self, batch)
        unsafe values = unsafe take(S.self, batch * source.targetWidth)
        unsafe weights = dataset.weights == nil ? nil : unsafe take(S.self, batch)
        switch dataset.targets {
        case .none: unsafe targets = .absent
        case .classes: unsafe targets = .classes(UnsafePointer(classes))
        case .values: unsafe targets = .values(UnsafePointer(values))
        }
        if source.copiesX {
            for row in 0..<batch { unsafe pointers[row] = unsafe UnsafePointer(x + row * stride) }
        }
    }

    func sortPlaces() {
        var order = unsafe UnsafeMutableBufferPointer(start: places, count: rows)
        var isSorted = true
        for place in 0..<rows {
            unsafe order[place] = Int32(place)
            if place > 0, unsafe numbers[place] < numbers[place - 1] { isSorted = false }
        }
        if !isSorted { unsafe order.sort { unsafe numbers[Int($0)] < numbers[Int($1)] } }
    }

    var batch: Batch<S> {
        unsafe Batch(
            rows: rows, firstRow: firstRow, wholeRows: wholeRows, x: UnsafePointer(pointers), targets: targets,
            weights: weights.map { unsafe UnsafePointer($0) }, numbers: UnsafePointer(numbers))
    }
}
