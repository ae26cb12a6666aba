internal import CHDF5Shims

extension H5Dataset {
    /// All elements, or those of a range of rows, converted to `Element`.
    ///
    /// It allocates what the dataset says it has: bound `count` first where the file is not trusted.
    package func read<Element: H5Number>(
        as: Element.Type = Element.self, rows: Range<Int>? = nil
    ) throws(H5Error) -> [Element] {
        try read(as: Element.self, box: rows.map { box(rows: $0) } ?? everything)
    }

    /// The elements of a box, converted to `Element`, row-major.
    package func read<Element: H5Number>(as: Element.Type = Element.self, box: Hyperslab) throws(H5Error) -> [Element] {
        let count = try checkedCount(box)
        guard count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride).overflow == false else {
            throw H5Error(.tooLarge, subject, "has more elements than memory can address")
        }
        var failure: H5Error?
        let values = unsafe [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(H5Error) {
                let target = unsafe UnsafeMutableBufferPointer(start: buffer.baseAddress, count: count)
                try unsafe read(into: target, box: box)
                initialized = count
            } catch {
                failure = error
                initialized = 0
            }
        }
        if let failure { throw failure }
        return values
    }

    /// Reads a range of rows, converted, into the caller's memory: exactly as many elements as the rows have.
    package func read<Element: H5Number>(
        into buffer: UnsafeMutableBufferPointer<Element>, rows: Range<Int>
    ) throws(H5Error) {
        try unsafe read(into: buffer, box: box(rows: rows))
    }

    /// Reads a box, converted, into the caller's memory.
    package func read<Element: H5Number>(
        into buffer: UnsafeMutableBufferPointer<Element>, box: Hyperslab
    ) throws(H5Error) {
        guard type.isNumeric else { throw H5Error(.mismatch, subject, "holds \(type), where numbers are due") }
        let count = try checkedCount(box)
        precondition(count == buffer.count, "the buffer has \(buffer.count) elements, the box \(count)")
        guard count > 0 else { return }
        try context.locked { () throws(H5Error) in
            let memoryType = try Element.elementType.makeHandle(in: subject)
            try unsafe read(box, count, memoryType.id, chdf5_default(), UnsafeMutableRawPointer(buffer.baseAddress))
        }
    }

    /// Reads a box in the file's own element type and byte order. Only for types of fixed size.
    package func readRaw(into buffer: UnsafeMutableRawBufferPointer, box: Hyperslab) throws(H5Error) {
        guard let size = type.size else { throw H5Error(.mismatch, subject, "has elements of variable length") }
        let count = try checkedCount(box)
        precondition(
            count.multipliedReportingOverflow(by: size) == (buffer.count, false),
            "the buffer has \(buffer.count) bytes, the box \(count) elements of \(size)")
        guard count > 0 else { return }
        try context.locked { () throws(H5Error) in
            let stored = try Handle(H5Dget_type(identifier), .type, in: subject)
            try unsafe read(box, count, stored.id, chdf5_default(), buffer.baseAddress)
        }
    }

    /// The transfer itself; call inside the lock.
    func read(
        _ box: Hyperslab, _ count: Int, _ type: hid_t, _ transfer: hid_t, _ into: UnsafeMutableRawPointer?
    ) throws(H5Error) {
        unsafe chdf5_expect_chunks(pipeline?.steps, pipeline?.steps.count ?? 0, pipeline?.size ?? 0)
        try withSelection(box, count: count) { (memory, file) throws(H5Error) in
            guard unsafe H5Dread(identifier, type, memory, file, transfer, into) >= 0 else {
                let error = H5Error.fromStack(subject: subject)
                throw missingFilter ?? error
            }
        }
    }

    /// The error that names the first filter which this libhdf5 cannot undo.
    package var missingFilter: H5Error? {
        guard let filter = filters.first(where: { !$0.isAvailable }) else { return nil }
        return H5Error(
            .missingFilter(id: filter.id, name: filter.name), subject,
            "is stored with the filter \(filter.name) (number \(filter.id)), which is not installed or not allowed to load"
        )
    }
}

extension H5Dataset {
    /// What an element reads as that was never written, in the file's own form; zeros unless the file says otherwise.
    ///
    /// Nil for types of variable length.
    package var fillValue: [UInt8]? {
        get throws(H5Error) {
            guard let size = type.size else { return nil }
            return try context.locked { () throws(H5Error) in
                let creation = try Handle(H5Dget_create_plist(identifier), .properties, in: subject)
                var bytes = [UInt8](repeating: 0, count: size)
                var status = H5D_FILL_VALUE_UNDEFINED
                try check(unsafe H5Pfill_value_defined(creation.id, &status), subject)
                if status == H5D_FILL_VALUE_USER_DEFINED {
                    let stored = try Handle(H5Dget_type(identifier), .type, in: subject)
                    try check(unsafe H5Pget_fill_value(creation.id, stored.id, &bytes), subject)
                }
                return bytes
            }
        }
    }
}
