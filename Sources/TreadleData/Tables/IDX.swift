internal import TreadleBase

/// The format of MNIST and its kin: two zeros, a type, the dimensions, and the elements, all big-endian.
package enum IDX {
    /// Whether a file that begins with these bytes may be one.
    static func matches(_ start: [UInt8]) -> Bool {
        start.count >= 4 && start[0] == 0 && start[1] == 0 && element(start[2]) != nil && (1...8).contains(start[3])
    }

    package static func open(_ source: ByteSource, label: String, name: String) throws -> ArrayFile {
        let start = try source.bytes(4, what: "the header")
        guard matches(start), let element = element(start[2]) else {
            throw TreadleError(.badData, "\(label) does not begin like an IDX file")
        }
        let sizes = try source.bytes(4 * Int(start[3]), what: "the header")
        let shape = (0..<Int(start[3])).map { index in
            sizes[index * 4..<index * 4 + 4].reduce(0) { $0 << 8 | Int($1) }
        }
        return try ArrayFile(
            label: label, name: name, shape: shape, element: element, isColumnMajor: false, source: source)
    }

    private static func element(_ code: UInt8) -> StoredElement? {
        let kind: StoredElement.Kind? =
            switch code {
            case 0x08: .unsigned(1)
            case 0x09: .signed(1)
            case 0x0b: .signed(2)
            case 0x0c: .signed(4)
            case 0x0d: .float(4)
            case 0x0e: .float(8)
            default: nil
            }
        return kind.map { StoredElement(kind: $0, isBigEndian: true) }
    }
}
