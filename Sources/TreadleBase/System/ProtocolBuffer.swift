/// The wire format of protocol buffers, as far as events need it.
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
