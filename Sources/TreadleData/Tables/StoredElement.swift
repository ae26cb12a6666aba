internal import HDF5
package import TreadleModel

/// The type of one element of an array file, and the order of its bytes.
package struct StoredElement: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case boolean
        case unsigned(Int)
        case signed(Int)
        case float(Int)
        /// So many bytes of Latin text, or so many characters of four bytes each, both padded with zeros.
        case bytes(Int)
        case characters(Int)
    }

    package var kind: Kind
    var isBigEndian: Bool

    package init(kind: Kind, isBigEndian: Bool = false) {
        self.kind = kind
        self.isBigEndian = isBigEndian
    }

    /// Bytes of one element.
    package var size: Int {
        switch kind {
        case .boolean: 1
        case .unsigned(let size), .signed(let size), .float(let size), .bytes(let size): size
        case .characters(let count): count * 4
        }
    }

    package var isText: Bool {
        switch kind {
        case .bytes, .characters: true
        default: false
        }
    }

    /// The first `count` numbers of `raw` as a network reads them, in the first places of `values`.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func read<S: Scalar>(_ raw: [UInt8], count: Int, into values: inout [S]) {
        guard let number else { preconditionFailure("text has no numbers") }
        precondition(count * size <= raw.count && count <= values.count, "the bytes must hold the numbers")
        // Whether all are finite is for those who use them to say.
        unsafe values.withUnsafeMutableBufferPointer { values in
            guard let target = values.baseAddress else { return }
            unsafe raw.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress else { return }
                _ = unsafe ColumnTransform.identity.convert(start, number, width: count, into: target)
            }
        }
        if case .boolean = kind { for index in 0..<count where values[index] != 0 { values[index] = 1 } }
    }

    private var number: StoredNumber? {
        let order: ByteOrder = isBigEndian ? .big : .little
        switch kind {
        case .boolean: return StoredNumber(.integer(signed: false, size: 1, order: order))
        case .unsigned(let size): return StoredNumber(.integer(signed: false, size: size, order: order))
        case .signed(let size): return StoredNumber(.integer(signed: true, size: size, order: order))
        case .float(2): return StoredNumber(.float(.half(order)))
        case .float(4): return StoredNumber(.float(.single(order)))
        case .float: return StoredNumber(.float(.double(order)))
        case .bytes, .characters: return nil
        }
    }

    /// The first `count` whole numbers of `raw`, exactly; what does not fit becomes the nearest that does.
    package func integers<Value: FixedWidthInteger>(
        _ raw: [UInt8], count: Int, as: Value.Type = Value.self
    ) -> [Value] {
        precondition(count * size <= raw.count, "the bytes must hold the numbers")
        func read<Stored: FixedWidthInteger>(_: Stored.Type) -> [Value] {
            unsafe raw.withUnsafeBytes { bytes in
                (0..<count).map { index in
                    let stored = unsafe bytes.loadUnaligned(
                        fromByteOffset: index * MemoryLayout<Stored>.size, as: Stored.self)
                    return Value(clamping: isBigEndian ? Stored(bigEndian: stored) : Stored(littleEndian: stored))
                }
            }
        }
        switch kind {
        case .boolean: return raw.prefix(count).map { $0 == 0 ? 0 : 1 }
        case .unsigned(1): return read(UInt8.self)
        case .unsigned(2): return read(UInt16.self)
        case .unsigned(4): return read(UInt32.self)
        case .unsigned: return read(UInt64.self)
        case .signed(1): return read(Int8.self)
        case .signed(2): return read(Int16.self)
        case .signed(4): return read(Int32.self)
        case .signed: return read(Int64.self)
        case .float, .bytes, .characters: preconditionFailure("only whole numbers are read as such")
        }
    }

    /// The texts of `raw`, in order.
    package func texts(_ raw: [UInt8], count: Int) -> [String] {
        (0..<count).map { index in
            let bytes = raw[index * size..<(index + 1) * size]
            guard case .characters = kind else {
                return String(decoding: bytes.reversed().drop { $0 == 0 }.reversed(), as: UTF8.self)
            }
            var text = ""
            var place = bytes.startIndex
            while place < bytes.endIndex {
                let four = bytes[place..<place + 4]
                let code = (isBigEndian ? Array(four) : four.reversed()).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                if code == 0 { break }
                text.unicodeScalars.append(Unicode.Scalar(code) ?? "\u{fffd}")
                place += 4
            }
            return text
        }
    }
}

extension StoredElement: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .boolean: "bool"
        case .unsigned(let size): "uint\(size * 8)"
        case .signed(let size): "int\(size * 8)"
        case .float(let size): "float\(size * 8)"
        case .bytes, .characters: "text"
        }
    }
}
