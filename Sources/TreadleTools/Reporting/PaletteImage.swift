internal import CZlib
internal import Foundation

/// A small picture of numbers from −1 to 1: one colour below zero, one above, and nothing at zero, so that it stands
/// on light and dark pages.
struct PaletteImage: Sendable {
    let width: Int
    let height: Int
    /// Row by row.
    let values: [Double]

    private static let below: [UInt8] = [31, 111, 208]
    private static let above: [UInt8] = [214, 96, 16]

    /// The picture as PNG.
    var png: [UInt8] {
        precondition(values.count == width * height, "a picture has a number for each place")
        var rows: [UInt8] = []
        for row in 0..<height {
            // Each row begins with its filter: none.
            rows.append(0)
            rows += values[row * width..<(row + 1) * width].map { value in
                value.isFinite ? UInt8(127 + Int((max(-1, min(1, value)) * 127).rounded())) : 255
            }
        }
        let colors = (0..<256).flatMap { $0 == 255 ? [128, 128, 128] : $0 < 127 ? Self.below : Self.above }
        let opacities = (0..<256).map { index -> UInt8 in
            index == 255 ? 255 : UInt8(min(255, abs(index - 127) * 2))
        }
        let header = Self.bigEndian(UInt32(width)) + Self.bigEndian(UInt32(height)) + [8, 3, 0, 0, 0]
        return [0x89] + Array("PNG".utf8) + [0x0d, 0x0a, 0x1a, 0x0a] + Self.chunk("IHDR", header)
            + Self.chunk("PLTE", colors) + Self.chunk("tRNS", opacities) + Self.chunk("IDAT", Self.packed(rows))
            + Self.chunk("IEND", [])
    }

    /// As the source of an `img`.
    var dataLink: String { "data:image/png;base64," + Data(png).base64EncodedString() }

    private static func chunk(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + bytes
        let check = unsafe body.withUnsafeBufferPointer { unsafe crc32(0, $0.baseAddress, UInt32($0.count)) }
        return bigEndian(UInt32(bytes.count)) + body + bigEndian(UInt32(truncatingIfNeeded: check))
    }

    private static func packed(_ bytes: [UInt8]) -> [UInt8] {
        var size = compressBound(UInt(bytes.count))
        var packed = [UInt8](repeating: 0, count: Int(size))
        let status = unsafe compress2(&packed, &size, bytes, UInt(bytes.count), 9)
        precondition(status == Z_OK, "zlib has room for what it asked for")
        return Array(packed[..<Int(size)])
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) }
    }
}
