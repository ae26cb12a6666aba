internal import Glibc

/// The few fields of an HDF5 file's first block that tell whether the file is whole.
struct Superblock: Equatable {
    static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

    /// Where the signature stands: 0, or the size of the user block in front.
    var offset: Int
    var version: UInt8 = 0
    /// Bytes of an address and of a length.
    var addressSize = 8
    var lengthSize = 8
    /// Where the file ends by its own account, counted from byte 0 of the file; nil if the block itself is cut.
    var end: Int?

    /// Looks where HDF5 looks: at 0, 512, 1,024 and on in powers of two.
    static func find(_ descriptor: Int32, size: Int) -> Superblock? {
        var offset = 0
        while offset + signature.count <= size {
            var bytes = [UInt8](repeating: 0, count: 64)
            let got = unsafe pread(descriptor, &bytes, bytes.count, off_t(offset))
            bytes.removeLast(bytes.count - max(got, 0))
            if bytes.starts(with: signature) { return Superblock(bytes, at: offset) }
            offset = offset == 0 ? 512 : offset * 2
        }
        return nil
    }

    private init(_ bytes: [UInt8], at offset: Int) {
        self.offset = offset
        guard bytes.count > 16 else { return }
        version = bytes[8]
        // Versions 0 and 1 count stored sizes further in than 2 and 3.
        let sizes = version < 2 ? 13 : 9
        addressSize = Int(bytes[sizes])
        lengthSize = Int(bytes[sizes + 1])
        guard (1...8).contains(addressSize) else { return }
        let addresses: Int
        switch version {
        case 0: addresses = 24
        case 1: addresses = 28
        default: addresses = 12
        }
        // Base address, free-space or extension address, end of file: the end is relative to nothing.
        let position = addresses + 2 * addressSize
        guard position + addressSize <= bytes.count else { return }
        var value: UInt64 = 0
        for index in (0..<addressSize).reversed() { value = value << 8 | UInt64(bytes[position + index]) }
        end = Int(exactly: value)
    }
}
