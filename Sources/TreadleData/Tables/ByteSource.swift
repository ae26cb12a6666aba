internal import CZlib
internal import HDF5
internal import TreadleBase

/// The bytes of a file, or of a stretch of one, in order, unpacked on the way where they are compressed.
package final class ByteSource {
    enum Form { case plain, gzip, deflate }

    let file: InputFile
    let form: Form
    /// Where in the file the next unread byte is: what progress is measured by.
    private(set) var position: Int

    private let start: Int
    private let end: Int
    private let inflater: Inflater?
    private let expectedChecksum: UInt32?
    private var checksum: UInt = 0
    private var packed: [UInt8] = []
    private var unread = 0..<0
    private var ended = false

    /// A whole file: gzip is recognized by its first bytes, whatever its name.
    package init(_ file: InputFile) throws {
        var magic: [UInt8] = [0, 0]
        let isGzip = try file.read(into: &magic, 0..<2, at: 0) == 2 && magic == [0x1f, 0x8b]
        self.file = file
        form = isGzip ? .gzip : .plain
        inflater = isGzip ? Inflater(.gzip) : nil
        expectedChecksum = nil
        position = 0
        start = 0
        end = file.size
        if isGzip { packed = [UInt8](repeating: 0, count: 1 << 18) }
    }

    /// A text: as it is, as gzip, or as the one file in a ZIP archive.
    package convenience init(text file: InputFile) throws {
        guard let entry = try ZIPDirectory.onlyFile(in: file) else {
            try self.init(file)
            return
        }
        try self.init(entry.directory, entry.entry)
    }

    /// A stretch of a file, whose unpacked bytes have this CRC-32.
    init(_ file: InputFile, _ range: Range<Int>, _ form: Form, checksum: UInt32) {
        self.file = file
        self.form = form
        inflater = form == .deflate ? Inflater(.none) : nil
        expectedChecksum = checksum
        position = range.lowerBound
        start = range.lowerBound
        end = range.upperBound
        if form == .deflate { packed = [UInt8](repeating: 0, count: 1 << 18) }
    }

    /// The bytes of an entry of an archive.
    convenience init(_ directory: ZIPDirectory, _ entry: ZIPDirectory.Entry) throws {
        let (range, form) = try directory.place(of: entry)
        self.init(directory.file, range, form, checksum: entry.checksum)
    }

    var path: String { file.path }

    /// No more bytes than these can come out from here on: deflate makes at most 1,032 of one.
    var most: Int { form == .plain ? end - position : [end - start].boundedProduct(times: 1_032) ?? .max }

    /// Fills `buffer[range]` from the front; returns how many bytes there were, less only at the end.
    func read(into buffer: inout [UInt8], _ range: Range<Int>) throws -> Int {
        let got = try inflater.map { try unpack($0, into: &buffer, range) } ?? copy(into: &buffer, range)
        if let expectedChecksum {
            checksum = unsafe buffer.withUnsafeBufferPointer { bytes in
                unsafe crc32_z(checksum, bytes.baseAddress?.advanced(by: range.lowerBound), got)
            }
            if got < range.count && checksum != UInt(expectedChecksum) { throw damaged }
        }
        return got
    }

    private func copy(into buffer: inout [UInt8], _ range: Range<Int>) throws -> Int {
        let wanted = range.lowerBound..<range.lowerBound + min(range.count, end - position)
        let got = try file.read(into: &buffer, wanted, at: position)
        position += got
        return got
    }

    private func unpack(_ inflater: Inflater, into buffer: inout [UInt8], _ range: Range<Int>) throws -> Int {
        var space = range
        while !space.isEmpty && !ended {
            if unread.isEmpty {
                let wanted = 0..<min(packed.count, end - position)
                let got = try file.read(into: &packed, wanted, at: position)
                guard got > 0 else {
                    throw TreadleError(.badData, "\(path): the compressed data end early; copy or download it again")
                }
                position += got
                unread = 0..<got
            }
            switch inflater.inflate(&packed, &unread, into: &buffer, &space) {
            case .more: break
            case .damaged: throw damaged
            case .ended:
                if form == .deflate || (unread.isEmpty && position >= end) { ended = true } else { inflater.restart() }
            }
        }
        return space.lowerBound - range.lowerBound
    }

    /// The next `count` bytes, all of which must be there.
    func bytes(_ count: Int, what: String) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        guard try read(into: &buffer, 0..<count) == count else {
            throw TreadleError(.badData, "\(path) ends inside \(what); copy or download the file again")
        }
        return buffer
    }

    /// Reads to the end, so that the checksum is compared; more bytes than expected are an error.
    func finish() throws {
        var rest = [UInt8](repeating: 0, count: 64)
        guard try read(into: &rest, 0..<rest.count) == 0 else {
            throw TreadleError(.badData, "\(path) holds more bytes than its header says; copy or download it again")
        }
    }

    private var damaged: TreadleError {
        TreadleError(
            .badData, "\(path): the compressed data before byte \(position) are damaged; copy or download it again")
    }
}
