internal import CDecode
internal import Glibc
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleModel

/// Where a loader's rows are: in memory already, or to be read batch by batch.
enum RowStore<S: Scalar>: Sendable {
    case resident(ResidentRows<S>)
    case streamed(StoredArray)

    var isResident: Bool { if case .resident = self { true } else { false } }

    /// Whether no file is read any more; pages that are mapped are no copies.
    var isCopy: Bool {
        switch self {
        case .resident(let rows): !rows.isMapped
        case .streamed(let array): array.isCopy
        }
    }

    var isInMemory: Bool { isResident || isCopy }
}

/// Which rows make up each batch, and how they get into a slot. Any number of tasks may fill slots at once.
final class BatchSource<S: Scalar>: Sendable {
    let rows: RowSet
    let order: RowOrder
    let batchSize: Int
    let batchesPerEpoch: Int
    /// The part of every batch that this rank computes; nil for all of it.
    private let part: Shards?
    private let x: RowStore<S>
    private let values: RowStore<S>?
    /// One a file, in their order.
    private let xTransforms: [ColumnTransform]
    private let valueTransforms: [ColumnTransform]

    init(
        _ rows: RowSet, _ normalization: Normalization, _ order: RowOrder, batchSize: Int, dropLast: Bool,
        part: Shards? = nil
    ) throws {
        precondition(batchSize >= 1, "a batch holds at least one row")
        let dataset = rows.dataset
        self.rows = rows
        self.order = order
        self.batchSize = batchSize
        self.part = part
        batchesPerEpoch = rows.batches(of: batchSize, dropLast: dropLast)
        xTransforms = dataset.x.transforms(inputs: normalization)
        x = try dataset.store("x", dataset.x, xTransforms, normalization, rows)
        if case .values(let array) = dataset.targets {
            valueTransforms = array.transforms(shift: normalization.targetShift, factor: normalization.targetFactor)
            values = try dataset.store("y", array, valueTransforms, normalization, rows)
        } else {
            valueTransforms = []
            values = nil
        }
        if case .shuffled(.full, _, _, _) = order, case .streamed(let array) = x {
            for segment in array.segments { segment.reader.expectRandomRows() }
        }
    }

    /// Whether every batch is only pointers to memory.
    var isResident: Bool { x.isResident && values?.isResident != false }

    /// Whether nothing is read from the files any more.
    var isInMemory: Bool { x.isInMemory && values?.isInMemory != false }

    /// Whether a slot needs memory of its own for x.
    var copiesX: Bool { !x.isResident }

    var targetWidth: Int { if case .values(let array) = rows.dataset.targets { array.width } else { 0 } }

    /// Throws when a file changed under rows that are not copies.
    func checkIntact() throws {
        if case .resident(let rows) = x, rows.isMapped { try rows.checkIntact() }
        if case .resident(let rows)? = values, rows.isMapped { try rows.checkIntact() }
    }

    /// Throws when a file changed that is still read from; says so when all of it has been read.
    func checkFiles() throws {
        do {
            try rows.dataset.checkUnchanged()
        } catch let error as TreadleError {
            guard x.isCopy, values?.isInMemory != false else { throw error }
            rows.dataset.warnOnce(error.description + " (training goes on with the rows as they were read)")
        }
    }

    /// Fills `slot` with a batch.
    func fill(_ slot: BatchSlot<S>, epoch: Int, batch: Int, _ scratch: ReadScratch) throws {
        let first = batch * batchSize
        let whole = first..<min(first + batchSize, rows.count)
        let positions = part.map { $0.ownPositions(of: whole) } ?? whole
        let order = EpochOrder(self.order, count: rows.count, epoch: epoch)
        slot.rows = positions.count
        slot.firstRow = positions.lowerBound - whole.lowerBound
        slot.wholeRows = whole.count
        unsafe order.fill(slot.numbers, at: positions)
        unsafe rows.selection.replace(slot.numbers, count: positions.count)
        if !isResident { readAhead(order, whole) }
        switch x {
        case .resident(let resident):
            unsafe resident.locate(slot.numbers, count: slot.rows, into: slot.pointers)
        case .streamed(let array):
            unsafe try gather(array, xTransforms, slot, into: slot.x, stride: slot.stride, scratch)
        }
        try fillTargets(slot, scratch)
        guard let weights = rows.dataset.weights, let target = unsafe slot.weights else { return }
        let start = rows.dataset.range.lowerBound
        for place in 0..<slot.rows {
            unsafe target[place] = unsafe S(weights.values[Int(slot.numbers[place]) - start])
        }
    }

    private func fillTargets(_ slot: BatchSlot<S>, _ scratch: ReadScratch) throws {
        switch rows.dataset.targets {
        case .none: break
        case .classes(let labels):
            let start = labels.rows.lowerBound
            for place in 0..<slot.rows {
                unsafe slot.classes[place] = unsafe labels.numbers[Int(slot.numbers[place]) - start]
            }
        case .values(let array):
            if case .resident(let resident)? = values {
                for place in 0..<slot.rows {
                    let source = unsafe resident[Int(slot.numbers[place])]
                    unsafe (slot.values + place * array.width).update(from: source, count: array.width)
                }
            } else {
                unsafe try gather(array, valueTransforms, slot, into: slot.values, stride: array.width, scratch)
            }
        }
    }

    /// Converts a batch's rows into consecutive places, reading them in the order of the file.
    private func gather(
        _ array: StoredArray, _ transforms: [ColumnTransform], _ slot: BatchSlot<S>,
        into target: UnsafeMutablePointer<S>, stride: Int, _ scratch: ReadScratch
    ) throws {
        let numbers = unsafe slot.numbers
        let count = slot.rows
        slot.sortPlaces()
        let places = unsafe slot.places
        var index = 0
        while index < count {
            let first = Int(unsafe numbers[Int(places[index])])
            var end = index + 1
            while end < count, unsafe numbers[Int(places[end])] == UInt64(first + end - index) { end += 1 }
            let begin = index
            unsafe try array.visit(first..<first + end - index, scratch) { bytes, form, rows in
                let transform = transforms[form.segment]
                for row in rows {
                    let source = unsafe bytes + (row - rows.lowerBound) * form.rowBytes
                    let place = Int(unsafe places[begin + row - first])
                    let start = unsafe target + place * stride
                    guard unsafe transform.convert(source, form.number, width: form.width, into: start) else {
                        throw unsafe array.nonFinite(row, source, form, precision: S.number)
                    }
                }
            }
            index = end
        }
    }

    /// Begins to fetch what the batches after the next few will want, once for each window of the order.
    private func readAhead(_ order: EpochOrder, _ positions: Range<Int>) {
        guard let window = order.nextWindow(after: positions, batchSize: batchSize) else { return }
        for run in window {
            let first = rows.selection[run.lowerBound]
            let last = rows.selection[run.upperBound - 1]
            if case .streamed(let array) = x { array.readAhead(first..<last + 1) }
            if case .streamed(let array)? = values { array.readAhead(first..<last + 1) }
        }
    }
}

extension Dataset {
    /// Where an array's rows are to be taken from, as `data.access` and the memory that is left decide.
    fileprivate func store<S: Scalar>(
        _ name: String, _ array: StoredArray, _ transforms: [ColumnTransform], _ normalization: Normalization,
        _ rows: RowSet
    ) throws -> RowStore<S> {
        if array.growsWhenRead { return .streamed(try held(name, array, rows)) }
        let settings = settings
        let (selection, range) = (rows.selection, rows.span)
        let isDropped: @Sendable (Int) -> Bool = { settings.nonFinite == .dropRow && !selection.contains($0) }
        let resident: ResidentRows<S>? = try residents.rows(name, normalization, range) {
            let mapped = range.count * array.width * MemoryLayout<S>.stride
            if ResidentRows<S>.canMap(array, transforms), settings.access == .mmap || settings.access == .auto,
                settings.access == .mmap || settings.budget.claim(mapped)
            {
                return try ResidentRows(
                    mapping: array, rows: range, skipping: isDropped, transforms: transforms, settings: settings)
            }
            let bytes = ResidentRows<S>.bytes(array.width, rows: range.count)
            guard settings.access != .mmap, !settings.readsOnce || settings.access == .memory else { return nil }
            guard try claim(bytes, for: array) else { return nil }
            let copy = try ResidentRows<S>(
                copying: array, rows: range, skipping: isDropped, transforms: transforms, settings: settings)
            // A file that changes from here on does no harm. What was copied until now must be what the fingerprint was
            // taken of.
            try checkUnchanged()
            return copy
        }
        return resident.map { .resident($0) } ?? .streamed(array)
    }

    /// Rows that become wider when they are read are kept as they are stored: a category of a thousand values takes one
    /// number in memory, and becomes a thousand in a batch. The array itself where there is no room.
    private func held(_ name: String, _ array: StoredArray, _ rows: RowSet) throws -> StoredArray {
        let range = rows.span
        return try residents.array(name, range) {
            guard settings.access != .mmap, !settings.readsOnce || settings.access == .memory else { return nil }
            guard try claim(array.heldBytes(range), for: array) else { return nil }
            let copy = try array.copy(of: range, settings)
            try checkUnchanged()
            return copy
        } ?? array
    }

    /// Takes memory for rows; false where there is none and they can be read batch by batch instead.
    private func claim(_ bytes: Int, for array: StoredArray) throws -> Bool {
        guard !settings.budget.claim(bytes) else { return true }
        guard settings.access == .memory else { return false }
        throw TreadleError(
            .configuration,
            "\(files[0].path):\(array.path): data.access \"memory\" needs \(bytes.asBytes), and data.memory_limit (\(settings.budget.limit.asBytes)) leaves \(settings.budget.left.asBytes); raise it, or use \"auto\""
        )
    }
}
