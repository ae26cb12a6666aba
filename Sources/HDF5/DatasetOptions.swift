internal import CHDF5Shims

/// How a new dataset is stored.
package struct DatasetOptions: Sendable {
    /// The largest extents, where they differ from the first ones; nil: unlimited. Needs `chunk`.
    package var maxShape: [Int?]?
    /// The shape of a chunk; nil: contiguous.
    package var chunk: [Int]?
    /// Level of compression, 0 to 9.
    package var deflate: Int?
    package var shuffle: Bool
    package var fletcher32: Bool
    /// Sets the elements' space aside at once and leaves it unwritten: for those who write it themselves,
    /// past libhdf5, at the offset that `storage` tells. Contiguous only.
    package var isReserved = false

    package init(
        maxShape: [Int?]? = nil, chunk: [Int]? = nil, deflate: Int? = nil, shuffle: Bool = false,
        fletcher32: Bool = false
    ) {
        self.maxShape = maxShape
        self.chunk = chunk
        self.deflate = deflate
        self.shuffle = shuffle
        self.fletcher32 = fletcher32
    }

    /// In one piece, of fixed size.
    package static let contiguous = DatasetOptions()

    /// In one piece whose place in the file is fixed at once, to be written past libhdf5.
    package static var reserved: DatasetOptions {
        var options = contiguous
        options.isReserved = true
        return options
    }

    /// Rows without end, `rows` in each chunk.
    package static func appendable(
        rowShape: [Int], rows: Int, deflate: Int? = nil, shuffle: Bool = false
    ) -> DatasetOptions {
        DatasetOptions(
            maxShape: [nil] + rowShape.map { $0 }, chunk: [rows] + rowShape.map { max($0, 1) }, deflate: deflate,
            shuffle: shuffle)
    }

    /// The creation list; call inside the lock.
    func makeProperties(in subject: String) throws(H5Error) -> Handle {
        let properties = try Handle.properties(chdf5_property_dataset_create())
        // Times in the file would make equal contents differ in their bytes.
        try check(H5Pset_obj_track_times(properties.id, false), subject)
        if let chunk {
            try check(unsafe H5Pset_chunk(properties.id, Int32(chunk.count), chunk.map { hsize_t($0) }), subject)
        }
        if shuffle { try check(H5Pset_shuffle(properties.id), subject) }
        if let deflate { try check(H5Pset_deflate(properties.id, UInt32(deflate)), subject) }
        if fletcher32 { try check(H5Pset_fletcher32(properties.id), subject) }
        if isReserved {
            try check(H5Pset_alloc_time(properties.id, H5D_ALLOC_TIME_EARLY), subject)
            try check(H5Pset_fill_time(properties.id, H5D_FILL_TIME_NEVER), subject)
        }
        return properties
    }

    /// The extents of the new dataset; call inside the lock.
    func makeSpace(shape: [Int], in subject: String) throws(H5Error) -> Handle {
        guard !shape.isEmpty else { return try Handle(H5Screate(H5S_SCALAR), .space, in: subject) }
        let current = shape.map { hsize_t($0) }
        let largest = (maxShape ?? shape).map { $0.map { hsize_t($0) } ?? chdf5_unlimited() }
        return try Handle(
            unsafe H5Screate_simple(Int32(current.count), current, largest), .space, in: subject)
    }
}

extension H5Container {
    /// Creates a dataset, and the groups on the way to it. An empty shape is a single value.
    @discardableResult
    package func createDataset(
        _ name: String, type: ElementType, shape: [Int], options: DatasetOptions = .contiguous
    ) throws(H5Error) -> H5Dataset {
        try context.locked { () throws(H5Error) in
            let full = resolve(name)
            let subject = context.subject(full)
            let links = try linkCreation()
            let stored = try type.makeHandle(in: subject)
            let properties = try options.makeProperties(in: subject)
            let space = try options.makeSpace(shape: shape, in: subject)
            let id = unsafe H5Dcreate2(
                identifier, name, stored.id, space.id, links.id, properties.id, chdf5_default())
            return try H5Dataset(try Handle(id, .object, in: subject), full, context)
        }
    }

    /// Creates a dataset of `Element` with these values, row-major.
    @discardableResult
    package func write<Element: H5Number>(
        _ values: [Element], to name: String, shape: [Int]? = nil, as type: ElementType? = nil,
        options: DatasetOptions = .contiguous
    ) throws(H5Error) -> H5Dataset {
        let dataset = try createDataset(
            name, type: type ?? Element.elementType, shape: shape ?? [values.count], options: options)
        try dataset.write(values)
        return dataset
    }
}
