internal import TreadleBase

/// One record of a TensorBoard event file: a protocol buffer `Event`, framed and checked as TFRecord.
package struct TensorBoardEvent: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        /// The first record of every file.
        case version
        /// Whatever was logged at this step or later came from a run that was cut off: TensorBoard drops it.
        case restart
        /// Values by tag.
        case scalars([Scalar])
    }

    package struct Scalar: Equatable, Sendable {
        package var tag: String
        package var value: Double

        package init(_ tag: String, _ value: Double) {
            self.tag = tag
            self.value = value
        }
    }

    /// Seconds since 1970.
    package var time: Double
    package var step: Int
    package var content: Content

    package init(time: Double, step: Int, content: Content) {
        self.time = time
        self.step = step
        self.content = content
    }

    /// The record as it stands in the file: length, its checksum, the message, its checksum.
    package var record: [UInt8] {
        let message = message
        let length = ProtocolBuffer.littleEndian(UInt64(message.count))
        return length + ProtocolBuffer.littleEndian(CRC32C.masked(length)) + message
            + ProtocolBuffer.littleEndian(CRC32C.masked(message))
    }

    // Field numbers are those of tensorflow/core/util/event.proto and framework/summary.proto.
    private var message: [UInt8] {
        var message = ProtocolBuffer()
        message.append(field: 1, double: time)
        message.append(field: 2, integer: step)
        switch content {
        case .version:
            message.append(field: 3, bytes: Array("brain.Event:2".utf8))
        case .scalars(let scalars):
            var summary = ProtocolBuffer()
            for scalar in scalars {
                var value = ProtocolBuffer()
                value.append(field: 1, bytes: Array(scalar.tag.utf8))
                value.append(field: 2, float: Float(scalar.value))
                summary.append(field: 1, bytes: value.bytes)
            }
            message.append(field: 5, bytes: summary.bytes)
        case .restart:
            var session = ProtocolBuffer()
            session.append(field: 1, integer: 1)
            message.append(field: 7, bytes: session.bytes)
        }
        return message.bytes
    }
}

/// Castagnoli's CRC-32, which TensorBoard's record files are checked with.
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { crc, byte in table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
    }

    /// Rotated and shifted, so that the checksum of bytes with a checksum in them stays a checksum.
    static func masked(_ bytes: [UInt8]) -> UInt32 {
        let crc = checksum(bytes)
        return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
    }
}
