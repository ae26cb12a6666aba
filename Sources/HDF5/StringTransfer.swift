internal import CHDF5Shims
internal import Glibc

/// Strings between Swift and libhdf5's two forms: padded to a fixed size, and of variable length.
///
/// One for datasets and attributes, which differ only in the transfer itself. All inside the lock.
struct StringTransfer {
    var format: StringFormat
    var subject: String

    /// Reads `count` strings of at most `byteLimit` bytes together.
    func read(
        count: Int, byteLimit: Int,
        _ transfer: (_ type: hid_t, _ properties: hid_t, UnsafeMutableRawPointer?) throws(H5Error) -> Void
    ) throws(H5Error) -> [String] {
        guard count > 0 else { return [] }
        let type = try ElementType.string(format).makeHandle(in: subject)
        guard let size = format.size else {
            return try unsafe readVariable(count, byteLimit, type.id, transfer)
        }
        return try unsafe readFixed(count, size, byteLimit) { (into) throws(H5Error) in
            try unsafe transfer(type.id, chdf5_default(), into)
        }
    }

    /// Hands `strings` over in the form of the file.
    func write(
        _ strings: [String], _ transfer: (_ type: hid_t, UnsafeRawPointer?) throws(H5Error) -> Void
    ) throws(H5Error) {
        let type = try ElementType.string(format).makeHandle(in: subject)
        if let size = format.size {
            var bytes = [UInt8](repeating: format.padding == .spacePadded ? 0x20 : 0, count: strings.count * size)
            for (index, string) in strings.enumerated() {
                let room = format.padding == .nullTerminated ? size - 1 : size
                guard string.utf8.count <= room else {
                    throw H5Error(.mismatch, subject, "\"\(string)\" is longer than \(room) bytes")
                }
                bytes.replaceSubrange(index * size..<index * size + string.utf8.count, with: string.utf8)
            }
            try unsafe transfer(type.id, bytes)
        } else {
            // All strings in one block, and a pointer to each.
            var block: [UInt8] = []
            var starts: [Int] = []
            for string in strings {
                starts.append(block.count)
                block.append(contentsOf: string.utf8)
                block.append(0)
            }
            try unsafe block.withPointer { (first) throws(H5Error) in
                try unsafe transfer(type.id, starts.map { unsafe first + $0 })
            }
        }
    }

    private var overLimit: H5Error { H5Error(.tooLarge, subject, "holds longer strings than the limit allows") }

    private func readFixed(
        _ count: Int, _ size: Int, _ byteLimit: Int, _ transfer: (UnsafeMutableRawPointer?) throws(H5Error) -> Void
    ) throws(H5Error) -> [String] {
        guard let total = [count].boundedProduct(times: size), total <= byteLimit else { throw overLimit }
        var bytes = [UInt8](repeating: 0, count: total)
        try unsafe transfer(&bytes)
        return (0..<count).map { index in
            var text = bytes[index * size..<(index + 1) * size]
            switch format.padding {
            case .nullTerminated: text = text.prefix { $0 != 0 }
            case .nullPadded: while text.last == 0 { text.removeLast() }
            case .spacePadded: while text.last == 0x20 || text.last == 0 { text.removeLast() }
            }
            return String(decoding: text, as: UTF8.self)
        }
    }

    private func readVariable(
        _ count: Int, _ byteLimit: Int, _ type: hid_t,
        _ transfer: (_ type: hid_t, _ properties: hid_t, UnsafeMutableRawPointer?) throws(H5Error) -> Void
    ) throws(H5Error) -> [String] {
        guard count <= byteLimit / MemoryLayout<UInt>.stride else { throw overLimit }
        let properties = try Handle.properties(chdf5_property_dataset_transfer())
        var budget = chdf5_budget(left: byteLimit, exceeded: 0)
        var pointers = unsafe [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return try unsafe withUnsafeMutablePointer(to: &budget) { (budget) throws(H5Error) in
            try check(unsafe chdf5_bound_strings(properties.id, budget), subject)
            do throws(H5Error) {
                try unsafe transfer(type, properties.id, &pointers)
            } catch {
                throw unsafe budget.pointee.exceeded != 0 ? overLimit : error
            }
            return unsafe pointers.map { unsafe $0.map { unsafe String(cString: $0) } ?? "" }
        }
    }
}

extension [UInt8] {
    /// The address of the first byte for the time of `body`: `withUnsafeBufferPointer` with a typed error.
    fileprivate func withPointer<Result>(
        _ body: (UnsafePointer<UInt8>) throws(H5Error) -> Result
    ) throws(H5Error) -> Result {
        try unsafe body(self)
    }
}
