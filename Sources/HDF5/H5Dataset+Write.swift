internal import CHDF5Shims

extension H5Dataset {
    /// Writes all elements, row-major, or a range of rows.
    package func write<Element: H5Number>(_ values: [Element], rows: Range<Int>? = nil) throws(H5Error) {
        try write(values, box: rows.map { box(rows: $0) } ?? everything)
    }

    /// Writes the elements of a box.
    package func write<Element: H5Number>(_ values: [Element], box: Hyperslab) throws(H5Error) {
        try unsafe values.withUnsafeBufferPointer { (buffer) throws(H5Error) in try unsafe write(buffer, box: box) }
    }

    /// Writes the elements of a box from the caller's memory.
    package func write<Element: H5Number>(
        _ values: UnsafeBufferPointer<Element>, box: Hyperslab
    ) throws(H5Error) {
        let count = try checkedCount(box)
        precondition(count == values.count, "there are \(values.count) values for \(count) elements")
        guard count > 0 else { return }
        try context.locked { () throws(H5Error) in
            let memoryType = try memoryType(for: Element.elementType)
            try withSelection(box, count: count) { (memory, file) throws(H5Error) in
                try check(
                    unsafe H5Dwrite(identifier, memoryType.id, memory, file, chdf5_default(), values.baseAddress),
                    subject)
            }
        }
    }

    /// Adds rows at the end of an extendible dataset.
    package func append<Element: H5Number>(_ values: [Element]) throws(H5Error) {
        try unsafe values.withUnsafeBufferPointer { (buffer) throws(H5Error) in try unsafe append(buffer) }
    }

    /// Adds rows at the end of an extendible dataset.
    package func append<Element: H5Number>(_ values: UnsafeBufferPointer<Element>) throws(H5Error) {
        guard !values.isEmpty else { return }
        let rows = try grow(by: values.count)
        try unsafe write(values, box: box(rows: rows))
    }

    /// Makes room for `elements` more and returns the new rows.
    func grow(by elements: Int) throws(H5Error) -> Range<Int> {
        let shape = shape
        precondition(!shape.isEmpty && rowLength > 0 && elements % rowLength == 0, "only whole rows can be appended")
        let rows = shape[0]..<(shape[0] + elements / rowLength)
        try resize(to: [rows.upperBound] + shape.dropFirst())
        return rows
    }

    /// The type of numbers in memory. libhdf5 does not convert numbers to enumerations: an integer that is to become
    /// one is handed over as the same enumeration of that integer's size.
    private func memoryType(for number: ElementType) throws(H5Error) -> Handle {
        guard case .enumeration(_, let members) = type else { return try number.makeHandle(in: subject) }
        return try ElementType.enumeration(base: number, members: members).makeHandle(in: subject)
    }
}
