internal import CHDF5Shims
internal import Synchronization

/// An array in a file.
///
/// Opening one reads its description only. Where the file's policy does not allow other files, a dataset that is
/// stored in one does not open.
package final class H5Dataset: H5Object {
    package let context: H5Context
    package let path: String
    package let type: ElementType
    /// Where and in which form its elements are stored.
    package let storage: H5Storage
    package let filters: [H5Filter]
    /// How its chunks are filtered; nil where it has none.
    package let pipeline: ChunkPipeline?
    /// The largest extent of each dimension; nil: unlimited.
    package let maxShape: [Int?]
    let handle: Handle
    private let extents: Mutex<[Int]>
    package var identifier: Int64 { handle.id }

    init(_ handle: consuming Handle, _ path: String, _ context: H5Context) throws(H5Error) {
        let subject = context.subject(path)
        let creation = try Handle(H5Dget_create_plist(handle.id), .properties, in: subject)
        storage = try H5Storage(of: handle.id, creation.id, context, subject)
        let stored = try Handle(H5Dget_type(handle.id), .type, in: subject)
        type = try ElementType.describing(stored.id, in: subject)
        filters = try H5Filter.all(in: creation.id, subject)
        pipeline = try ChunkPipeline(filters, of: creation.id, in: handle.id, storage, type, subject)
        let space = try Handle(H5Dget_space(handle.id), .space, in: subject)
        let (shape, largest) = try Self.extents(of: space.id, subject)
        extents = Mutex(shape)
        maxShape = largest
        self.handle = handle
        self.path = path
        self.context = context
    }

    /// The extent of each dimension; empty for a single value.
    package var shape: [Int] { extents.withLock { $0 } }

    /// How many elements it says it has; nil beyond `Int.max`. Nothing has been allocated for them.
    package var count: Int? { shape.boundedProduct() }

    /// Elements in each row: the product of all extents but the first.
    package var rowLength: Int { shape.dropFirst().boundedProduct() ?? .max }

    /// Bytes that its elements take in the file, after filters.
    package var storedSize: Int { H5Library.locked { Int(clamping: H5Dget_storage_size(identifier)) } }

    /// Whether it claims far more than the file stores for it: a few bytes can claim what fills memory and disk.
    package var claimsFarMoreThanItStores: Bool {
        switch storage {
        // What it reads lies in other files.
        case .virtual, .external: return false
        case .contiguous, .compact, .chunked: break
        }
        // Of a text of any length the dataset holds a reference.
        guard let claimed = [count ?? .max].boundedProduct(times: type.size ?? 16) else { return true }
        return Self.isFarMore(claimed, than: storedSize)
    }

    /// Both numbers of bytes are the file's own word, and may be the largest that there are.
    static func isFarMore(_ claimed: Int, than stored: Int) -> Bool {
        // Deflate packs no tighter than 1 to 1,032. What is not stored does no harm up to some 70 MB.
        claimed / 1100 - 1 << 16 > stored
    }

    /// Throws where it claims far more than the file stores, unless the file's policy allows that.
    package func checkStored() throws(H5Error) {
        guard !context.policy.allowsUnstored, claimsFarMoreThanItStores else { return }
        let extents = shape.map(String.init).joined(separator: "×")
        throw H5Error(
            .unstored, subject,
            "claims \(extents) elements, far more than the \(storedSize) bytes that it stores can hold")
    }

    /// Changes the extents within `maxShape`.
    package func resize(to shape: [Int]) throws(H5Error) {
        try context.locked { () throws(H5Error) in
            let extents = shape.map { hsize_t($0) }
            try check(unsafe H5Dset_extent(identifier, extents), subject)
        }
        extents.withLock { $0 = shape }
    }

    static func extents(of space: hid_t, _ subject: String) throws(H5Error) -> ([Int], [Int?]) {
        let dimensions = Int(try check(H5Sget_simple_extent_ndims(space), subject))
        // A null dataspace has no elements; to the callers it is an empty array.
        if H5Sget_simple_extent_type(space) == H5S_NULL { return ([0], [0]) }
        guard dimensions > 0 else { return ([], []) }
        var current = [hsize_t](repeating: 0, count: dimensions)
        var largest = current
        try check(unsafe H5Sget_simple_extent_dims(space, &current, &largest), subject)
        guard let shape = current.map({ Int(exactly: $0) }) as? [Int] else {
            throw H5Error(.tooLarge, subject, "says that it has an extent beyond 2^63")
        }
        // libhdf5 does not compare them, and would read what is not there as fill values, however much that is.
        for (extent, most) in zip(current, largest) where extent > most {
            throw H5Error(
                .tooLarge, subject, "says that it has an extent of \(extent), where \(most) is the largest allowed")
        }
        return (shape, largest.map { $0 == chdf5_unlimited() ? nil : Int(clamping: $0) })
    }
}

/// A box of elements: where it begins and how far it reaches in each dimension.
package struct Hyperslab: Equatable, Sendable {
    package var start: [Int]
    package var count: [Int]

    package init(start: [Int], count: [Int]) {
        precondition(start.count == count.count, "a hyperslab has one start and one count a dimension")
        self.start = start
        self.count = count
    }
}

extension H5Dataset {
    /// The whole dataset as a box.
    package var everything: Hyperslab { Hyperslab(start: shape.map { _ in 0 }, count: shape) }

    /// The box of a range of rows.
    package func box(rows: Range<Int>) -> Hyperslab {
        let shape = shape
        guard !shape.isEmpty else { return everything }
        return Hyperslab(
            start: [rows.lowerBound] + shape.dropFirst().map { _ in 0 }, count: [rows.count] + shape.dropFirst())
    }

    /// How many elements `box` has, after checking that it lies within the dataset.
    func checkedCount(_ box: Hyperslab) throws(H5Error) -> Int {
        let shape = shape
        guard box.start.count == shape.count,
            zip(zip(box.start, box.count), shape).allSatisfy({ $0.0 >= 0 && $0.1 >= 0 && $0.0 <= $1 - $0.1 })
        else {
            throw H5Error(
                .mismatch, subject, "has shape \(shape), which does not contain \(box.count) from \(box.start)")
        }
        guard let count = box.count.boundedProduct() else {
            throw H5Error(.tooLarge, subject, "has more elements than can be counted")
        }
        return count
    }

    /// The selections of `box` in the file and of as many elements in memory.
    @discardableResult
    func withSelection<Result>(
        _ box: Hyperslab, count: Int, _ body: (_ memory: hid_t, _ file: hid_t) throws(H5Error) -> Result
    ) throws(H5Error) -> Result {
        if box.start.isEmpty { return try body(chdf5_space_all(), chdf5_space_all()) }
        let file = try Handle(H5Dget_space(identifier), .space, in: subject)
        let start = box.start.map { hsize_t($0) }
        let extents = box.count.map { hsize_t($0) }
        try check(unsafe H5Sselect_hyperslab(file.id, H5S_SELECT_SET, start, nil, extents, nil), subject)
        // Memory of the same shape, because libhdf5 is slower where it has to match selections with other numbers of dimensions.
        let memory = try Handle(
            unsafe H5Screate_simple(Int32(extents.count), extents, nil), .space, in: subject)
        return try body(memory.id, file.id)
    }
}
