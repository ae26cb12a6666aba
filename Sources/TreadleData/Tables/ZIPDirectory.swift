internal import HDF5
internal import TreadleBase

/// The entries of a ZIP file, such as NumPy's NPZ; with the extension for more than 4 GiB.
package struct ZIPDirectory {
    package struct Entry {
        package var name: String
        var method: Int
        var checksum: UInt32
        var packedSize: Int
        var size: Int
        var headerOffset: Int
        var isEncrypted: Bool
    }

    let file: InputFile
    package private(set) var entries: [Entry] = []

    package init(_ file: InputFile) throws {
        self.file = file
        // The end record is the last thing in the file, but for a comment of at most 64 KiB.
        let tailStart = max(0, file.size - (22 + 65_535))
        let tail = Fields(try file.bytes(tailStart..<file.size, what: "the ZIP directory"))
        guard tail.count >= 22,
            let end = (0...tail.count - 22).reversed().first(where: { tail.integer($0, 4) == 0x0605_4b50 })
        else { throw ZIPDirectory.damaged(file.path, "it has no directory at its end") }
        var count = tail.integer(end + 10, 2)
        var size = tail.integer(end + 12, 4)
        var offset = tail.integer(end + 16, 4)
        if count == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff {
            guard end >= 20, tail.integer(end - 20, 4) == 0x0706_4b50 else {
                throw ZIPDirectory.damaged(file.path, "its 64-bit directory is missing")
            }
            let place = tail.integer(end - 12, 8)
            guard place >= 0, place <= file.size - 56 else {
                throw ZIPDirectory.damaged(file.path, "its 64-bit directory is missing")
            }
            let large = Fields(try file.bytes(place..<place + 56, what: "the ZIP directory"))
            guard large.integer(0, 4) == 0x0606_4b50 else {
                throw ZIPDirectory.damaged(file.path, "its 64-bit directory is missing")
            }
            count = large.integer(32, 8)
            size = large.integer(40, 8)
            offset = large.integer(48, 8)
        }
        guard offset >= 0, size >= 0, offset <= file.size, size <= file.size - offset, count >= 0, count <= size / 46
        else { throw ZIPDirectory.damaged(file.path, "its directory lies outside the file") }
        try read(Fields(try file.bytes(offset..<offset + size, what: "the ZIP directory")), count)
    }

    private mutating func read(_ fields: Fields, _ count: Int) throws {
        var p = 0
        for _ in 0..<count {
            guard p + 46 <= fields.count, fields.integer(p, 4) == 0x0201_4b50 else {
                throw ZIPDirectory.damaged(file.path, "entry \(entries.count + 1) of its directory is unreadable")
            }
            let nameEnd = p + 46 + fields.integer(p + 28, 2)
            let extraEnd = nameEnd + fields.integer(p + 30, 2)
            let next = extraEnd + fields.integer(p + 32, 2)
            guard next <= fields.count else {
                throw ZIPDirectory.damaged(file.path, "entry \(entries.count + 1) of its directory is cut off")
            }
            var entry = Entry(
                name: fields.text(p + 46..<nameEnd), method: fields.integer(p + 10, 2),
                checksum: UInt32(fields.integer(p + 16, 4)), packedSize: fields.integer(p + 20, 4),
                size: fields.integer(p + 24, 4), headerOffset: fields.integer(p + 42, 4),
                isEncrypted: fields.integer(p + 8, 2) & 1 != 0)
            var extra = nameEnd
            while extra + 4 <= extraEnd {
                let length = fields.integer(extra + 2, 2)
                if fields.integer(extra, 2) == 1 {
                    // 64-bit values stand here for those that are all ones, in this order.
                    var place = extra + 4
                    func large() -> Int? {
                        guard place + 8 <= min(extra + 4 + length, extraEnd) else { return nil }
                        defer { place += 8 }
                        return fields.integer(place, 8)
                    }
                    if entry.size == 0xffff_ffff { entry.size = large() ?? -1 }
                    if entry.packedSize == 0xffff_ffff { entry.packedSize = large() ?? -1 }
                    if entry.headerOffset == 0xffff_ffff { entry.headerOffset = large() ?? -1 }
                }
                extra += 4 + length
            }
            entries.append(entry)
            p = next
        }
    }

    /// The unpacked bytes of an entry.
    package func open(_ entry: Entry) throws -> ByteSource { try ByteSource(self, entry) }

    /// The one file of an archive, but for what macOS adds; nil where `file` is no archive, or one of arrays.
    static func onlyFile(in file: InputFile) throws -> (directory: ZIPDirectory, entry: Entry)? {
        var magic: [UInt8] = [0, 0, 0, 0]
        guard try file.read(into: &magic, 0..<4, at: 0) == 4,
            magic == [0x50, 0x4b, 3, 4] || magic == [0x50, 0x4b, 5, 6]
        else { return nil }
        let directory = try ZIPDirectory(file)
        let files = directory.entries.filter { !$0.name.hasSuffix("/") && !$0.name.hasPrefix("__MACOSX/") }
        guard !files.contains(where: { $0.name.hasSuffix(".npy") }) else { return nil }
        guard files.count == 1 else {
            let names = files.prefix(5).map(\.name.printable).joined(separator: ", ")
            throw TreadleError(
                .badData,
                files.isEmpty
                    ? "\(file.path) is an archive without files"
                    : "\(file.path) holds \(files.count) files (\(names)\(files.count > 5 ? ", …" : "")); unpack it with "
                        + "unzip, and import those that belong together")
        }
        return (directory, files[0])
    }

    /// Where the bytes of an entry lie, and how they are packed.
    func place(of entry: Entry) throws -> (range: Range<Int>, form: ByteSource.Form) {
        let label = "\(file.path): \(entry.name.printable)"
        guard !entry.isEncrypted else {
            throw TreadleError(.badData, "\(label) is encrypted; save it without a password")
        }
        guard entry.method == 0 || entry.method == 8 else {
            throw TreadleError(
                .badData, "\(label) is packed by method \(entry.method); numpy.savez and savez_compressed use others")
        }
        guard entry.headerOffset >= 0, entry.headerOffset <= file.size - 30, entry.packedSize >= 0 else {
            throw ZIPDirectory.damaged(file.path, "\(entry.name.printable) lies outside the file")
        }
        let header = Fields(try file.bytes(entry.headerOffset..<entry.headerOffset + 30, what: "a ZIP entry"))
        let start = entry.headerOffset + 30 + header.integer(26, 2) + header.integer(28, 2)
        guard header.integer(0, 4) == 0x0403_4b50, start <= file.size, entry.packedSize <= file.size - start else {
            throw ZIPDirectory.damaged(file.path, "\(entry.name.printable) lies outside the file")
        }
        return (start..<start + entry.packedSize, entry.method == 0 ? .plain : .deflate)
    }

    private static func damaged(_ path: String, _ why: String) -> TreadleError {
        TreadleError(.badData, "\(path) is not a whole ZIP file: \(why); copy or download it again")
    }

    /// Little-endian integers in bytes.
    private struct Fields {
        let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }
        var count: Int { bytes.count }
        func integer(_ offset: Int, _ size: Int) -> Int {
            Int(truncatingIfNeeded: bytes[offset..<offset + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        }
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    }
}
