/// Messages in the wire format of protocol buffers, as far as events and ONNX need it.
package struct ProtocolBuffer {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func append(field: Int, integer: Int) {
        appendVarint(UInt64(field << 3))
        appendVarint(UInt64(bitPattern: Int64(integer)))
    }

    package mutating func append(field: Int, double: Double) {
        appendVarint(UInt64(field << 3 | 1))
        bytes += ProtocolBuffer.littleEndian(double.bitPattern)
    }

    package mutating func append(field: Int, float: Float) {
        appendVarint(UInt64(field << 3 | 5))
        bytes += ProtocolBuffer.littleEndian(float.bitPattern)
    }

    package mutating func append(field: Int, bytes content: [UInt8]) {
        appendVarint(UInt64(field << 3 | 2))
        appendVarint(UInt64(content.count))
        bytes += content
    }

    package mutating func append(field: Int, text: String) { append(field: field, bytes: Array(text.utf8)) }

    package mutating func append(field: Int, message: ProtocolBuffer) { append(field: field, bytes: message.bytes) }

    private mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}

/// Reads the fields of a message of unknown origin, one after another.
package struct ProtocolBufferReader {
    package enum Value {
        case integer(UInt64)
        case fixed32(UInt32)
        case fixed64(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    /// The bytes are no message in this format.
    package struct Malformed: Error {
        package init() {}
    }

    private var rest: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next field; nil at the end.
    package mutating func next() throws(Malformed) -> (field: Int, value: Value)? {
        guard !rest.isEmpty else { return nil }
        let key = try varint()
        let field = Int(clamping: key >> 3)
        guard field > 0 else { throw Malformed() }
        switch key & 7 {
        case 0: return (field, .integer(try varint()))
        case 1: return (field, .fixed64(try integer(UInt64.self)))
        case 2:
            let count = try varint()
            guard count <= rest.count else { throw Malformed() }
            defer { rest = rest.dropFirst(Int(count)) }
            return (field, .bytes(rest.prefix(Int(count))))
        case 5: return (field, .fixed32(try integer(UInt32.self)))
        default: throw Malformed()
        }
    }

    /// The varints that `bytes` are, one behind the other.
    package static func packed(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> [UInt64] {
        var reader = ProtocolBufferReader(bytes)
        var values: [UInt64] = []
        while !reader.rest.isEmpty { values.append(try reader.varint()) }
        return values
    }

    private mutating func varint() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { throw Malformed() }
            value |= shift < 64 ? UInt64(byte & 0x7f) << shift : 0
            if byte & 0x80 == 0 { return value }
        }
        throw Malformed()
    }

    private mutating func integer<T: FixedWidthInteger>(_: T.Type) throws(Malformed) -> T {
        guard rest.count >= T.bitWidth / 8 else { throw Malformed() }
        defer { rest = rest.dropFirst(T.bitWidth / 8) }
        return rest.prefix(T.bitWidth / 8).reversed().reduce(0) { $0 << 8 | T($1) }
    }
}
