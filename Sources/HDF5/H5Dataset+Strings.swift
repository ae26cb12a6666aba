internal import CHDF5Shims

extension H5Dataset {
    /// All strings, or those of a range of rows; `.tooLarge` beyond `byteLimit`.
    package func readStrings(rows: Range<Int>? = nil, byteLimit: Int = 1 << 30) throws(H5Error) -> [String] {
        let box = rows.map { self.box(rows: $0) } ?? everything
        let strings = try strings()
        let count = try checkedCount(box)
        return try context.locked { () throws(H5Error) in
            try unsafe strings.read(count: count, byteLimit: byteLimit) { (type, properties, into) throws(H5Error) in
                unsafe try read(box, count, type, properties, into)
            }
        }
    }

    /// Writes all strings, or a range of rows.
    package func write(strings: [String], rows: Range<Int>? = nil) throws(H5Error) {
        let box = rows.map { self.box(rows: $0) } ?? everything
        let transfer = try self.strings()
        let count = try checkedCount(box)
        precondition(count == strings.count, "there are \(strings.count) strings for \(count) elements")
        guard count > 0 else { return }
        try context.locked { () throws(H5Error) in
            try unsafe transfer.write(strings) { (type, from) throws(H5Error) in
                try withSelection(box, count: count) { (memory, file) throws(H5Error) in
                    try check(unsafe H5Dwrite(identifier, type, memory, file, chdf5_default(), from), subject)
                }
            }
        }
    }

    /// Adds strings at the end of an extendible dataset.
    package func append(strings: [String]) throws(H5Error) {
        guard !strings.isEmpty else { return }
        try write(strings: strings, rows: try grow(by: strings.count))
    }

    private func strings() throws(H5Error) -> StringTransfer {
        guard case .string(let format) = type else {
            throw H5Error(.mismatch, subject, "holds \(type), where strings are due")
        }
        return StringTransfer(format: format, subject: subject)
    }
}

extension H5Container {
    /// Creates a dataset of strings: of variable length, or of `size` bytes each.
    @discardableResult
    package func write(
        strings: [String], to name: String, shape: [Int]? = nil, size: Int? = nil,
        options: DatasetOptions = .contiguous
    ) throws(H5Error) -> H5Dataset {
        let dataset = try createDataset(
            name, type: .string(StringFormat(size: size)), shape: shape ?? [strings.count], options: options)
        try dataset.write(strings: strings)
        return dataset
    }

    /// Creates a dataset that is one text of any length.
    @discardableResult
    package func write(text: String, to name: String) throws(H5Error) -> H5Dataset {
        try write(strings: [text], to: name, shape: [])
    }
}
