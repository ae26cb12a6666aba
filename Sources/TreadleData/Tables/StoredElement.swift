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

    /// Calls `body` with every number of `raw`, in order.
    @inline(__always)
    package func forEachNumber(
        _ raw: [UInt8], count: Int, integer: (Int, Int64) -> Void, float: (Int, Double) -> Void
    ) {
        precondition(count * size <= raw.count && !isText, "the bytes must hold the numbers")
        unsafe raw.withUnsafeBytes { bytes in
            func load<T: FixedWidthInteger>(_ index: Int, _: T.Type) -> T {
                let value = unsafe bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: T.self)
                return isBigEndian ? T(bigEndian: value) : T(littleEndian: value)
            }
            switch kind {
            case .boolean: for i in 0..<count { integer(i, load(i, UInt8.self) == 0 ? 0 : 1) }
            case .unsigned(1): for i in 0..<count { integer(i, Int64(load(i, UInt8.self))) }
            case .unsigned(2): for i in 0..<count { integer(i, Int64(load(i, UInt16.self))) }
            case .unsigned(4): for i in 0..<count { integer(i, Int64(load(i, UInt32.self))) }
            case .unsigned: for i in 0..<count { integer(i, Int64(clamping: load(i, UInt64.self))) }
            case .signed(1): for i in 0..<count { integer(i, Int64(load(i, Int8.self))) }
            case .signed(2): for i in 0..<count { integer(i, Int64(load(i, Int16.self))) }
            case .signed(4): for i in 0..<count { integer(i, Int64(load(i, Int32.self))) }
            case .signed: for i in 0..<count { integer(i, load(i, Int64.self)) }
            case .float(2): for i in 0..<count { float(i, half(load(i, UInt16.self))) }
            case .float(4): for i in 0..<count { float(i, Double(Float(bitPattern: load(i, UInt32.self)))) }
            case .float: for i in 0..<count { float(i, Double(bitPattern: load(i, UInt64.self))) }
            case .bytes, .characters: break
            }
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

    /// The value of IEEE half precision's bits; not every platform's Swift has Float16.
    private func half(_ bits: UInt16) -> Double {
        let exponent = Int(bits >> 10 & 0x1f)
        let fraction = Double(bits & 0x3ff)
        let size: Double =
            switch exponent {
            case 0: fraction * 0x1p-24
            case 31: fraction == 0 ? .infinity : .nan
            default: (1024 + fraction) * Double(sign: .plus, exponent: exponent - 25, significand: 1)
            }
        return bits >> 15 == 0 ? size : -size
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
