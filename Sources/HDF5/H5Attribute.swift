internal import CHDF5Shims

/// A small value that an object carries: a number, a text, or an array of them.
package final class H5Attribute: Sendable {
    package let name: String
    package let type: ElementType
    /// Empty for a single value.
    package let shape: [Int]
    /// The object it belongs to.
    private let owner: any H5Object
    private let handle: Handle

    fileprivate init(_ name: String, of owner: any H5Object) throws(H5Error) {
        self.name = name
        self.owner = owner
        let subject = owner.subject(ofAttribute: name)
        handle = try Handle(
            unsafe H5Aopen(owner.identifier, name, chdf5_default()), .attribute, in: subject)
        let stored = try Handle(H5Aget_type(handle.id), .type, in: subject)
        type = try ElementType.describing(stored.id, in: subject)
        let space = try Handle(H5Aget_space(handle.id), .space, in: subject)
        shape = try H5Dataset.extents(of: space.id, subject).0
    }

    package var count: Int? { shape.boundedProduct() }

    private var subject: String { owner.subject(ofAttribute: name) }

    /// Its numbers, row-major.
    package func numbers<Element: H5Number>(as: Element.Type = Element.self) throws(H5Error) -> [Element] {
        guard type.isNumeric else { throw H5Error(.mismatch, subject, "holds \(type), where numbers are due") }
        // An attribute is not larger than the file, but its header may say so.
        guard let count, count <= Self.most else { throw H5Error(.tooLarge, subject, "has too many elements") }
        guard count > 0 else { return [] }
        return try owner.context.locked { () throws(H5Error) in
            let memoryType = try Element.elementType.makeHandle(in: subject)
            var status: herr_t = 0
            let values = unsafe [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
                status = unsafe H5Aread(handle.id, memoryType.id, buffer.baseAddress)
                initialized = status >= 0 ? count : 0
            }
            try check(status, subject)
            return values
        }
    }

    /// Its strings; `.tooLarge` beyond `byteLimit`.
    package func strings(byteLimit: Int = 1 << 28) throws(H5Error) -> [String] {
        guard case .string(let format) = type else {
            throw H5Error(.mismatch, subject, "holds \(type), where text is due")
        }
        guard let count, count <= Self.most else { throw H5Error(.tooLarge, subject, "has too many elements") }
        return try owner.context.locked { () throws(H5Error) in
            let transfer = StringTransfer(format: format, subject: subject)
            return try unsafe transfer.read(count: count, byteLimit: byteLimit) { (type, _, into) throws(H5Error) in
                try check(unsafe H5Aread(handle.id, type, into), subject)
            }
        }
    }

    private static var most: Int { 1 << 26 }
}

extension H5Object {
    fileprivate func subject(ofAttribute name: String) -> String { "\(subject) attribute \(name.printable)" }

    /// The names of its attributes in order, at most `limit` of them.
    package func attributeNames(limit: Int = .max) throws(H5Error) -> [String] {
        guard limit > 0 else { return [] }
        return try context.locked { () throws(H5Error) in
            var gathering = (names: [String](), limit: limit)
            let status = unsafe withUnsafeMutablePointer(to: &gathering) { into in
                unsafe chdf5_visit_attributes(identifier, into) { context, name in
                    guard let context = unsafe context, let name = unsafe name else { return -1 }
                    let into = unsafe context.assumingMemoryBound(to: (names: [String], limit: Int).self)
                    unsafe into.pointee.names.append(String(cString: name))
                    return unsafe into.pointee.names.count < into.pointee.limit ? 0 : 1
                }
            }
            try check(status, subject)
            return gathering.names
        }
    }

    package var attributeCount: Int {
        get throws(H5Error) {
            try context.locked { () throws(H5Error) in
                var identity = chdf5_identity()
                try check(unsafe chdf5_identify(identifier, &identity), subject)
                return Int(clamping: identity.attributes)
            }
        }
    }

    /// Throws where the disk does not let it be known.
    package func hasAttribute(_ name: String) throws(H5Error) -> Bool {
        try context.locked { () throws(H5Error) in
            let found = unsafe H5Aexists(identifier, name)
            if found < 0 { try H5Error.throwFailedRead(subject: subject) }
            return found > 0
        }
    }

    package func attribute(_ name: String) throws(H5Error) -> H5Attribute {
        try context.locked { () throws(H5Error) in
            guard try hasAttribute(name) else {
                let names = try attributeNames(limit: 32)
                throw H5Error(
                    .noSuchObject(nearby: names), subject,
                    "has no attribute \"\(name)\""
                        + (names.isEmpty ? "" : "; it has \(names.prefix(12).joined(separator: ", "))"))
            }
            return try H5Attribute(name, of: self)
        }
    }

    /// Sets an attribute to an array of numbers, in place of any of that name.
    package func setAttribute<Element: H5Number>(
        _ name: String, _ values: [Element], shape: [Int]? = nil
    ) throws(H5Error) {
        let shape = shape ?? [values.count]
        precondition(shape.boundedProduct() == values.count, "\(values.count) values for shape \(shape)")
        try setAttribute(name, Element.elementType, shape) { (id, subject) throws(H5Error) in
            let type = try Element.elementType.makeHandle(in: subject)
            try check(unsafe H5Awrite(id, type.id, values), subject)
        }
    }

    package func setAttribute<Element: H5Number>(_ name: String, _ value: Element) throws(H5Error) {
        try setAttribute(name, [value], shape: [])
    }

    package func setAttribute(_ name: String, _ flag: Bool) throws(H5Error) {
        try setAttribute(name, .boolean, []) { (id, subject) throws(H5Error) in
            let type = try ElementType.boolean.makeHandle(in: subject)
            var value: Int8 = flag ? 1 : 0
            try check(unsafe H5Awrite(id, type.id, &value), subject)
        }
    }

    /// Sets an attribute to texts. All of an object's attributes are small: 64 KiB is the most that fits.
    package func setAttribute(_ name: String, _ texts: [String], shape: [Int]? = nil) throws(H5Error) {
        try setAttribute(name, .text, shape ?? [texts.count]) { (id, subject) throws(H5Error) in
            let transfer = StringTransfer(format: StringFormat(size: nil), subject: subject)
            try unsafe transfer.write(texts) { (type, from) throws(H5Error) in
                try check(unsafe H5Awrite(id, type, from), subject)
            }
        }
    }

    package func setAttribute(_ name: String, _ text: String) throws(H5Error) {
        try setAttribute(name, [text], shape: [])
    }

    private func setAttribute(
        _ name: String, _ type: ElementType, _ shape: [Int],
        _ write: (_ attribute: hid_t, _ subject: String) throws(H5Error) -> Void
    ) throws(H5Error) {
        try context.locked { () throws(H5Error) in
            let subject = subject(ofAttribute: name)
            if unsafe H5Aexists(identifier, name) > 0 { try check(unsafe H5Adelete(identifier, name), subject) }
            let stored = try type.makeHandle(in: subject)
            let space = try DatasetOptions.contiguous.makeSpace(shape: shape, in: subject)
            let id = unsafe H5Acreate2(
                identifier, name, stored.id, space.id, chdf5_default(), chdf5_default())
            let attribute = try Handle(id, .attribute, in: subject)
            if shape.boundedProduct() != 0 { try write(attribute.id, subject) }
        }
    }
}
