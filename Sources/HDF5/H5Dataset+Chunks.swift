internal import CHDF5Shims
internal import Glibc

extension H5Dataset {
    /// More than this many are not looked up by number, because libhdf5 counts from the first for each: a second
    /// for ten thousand, minutes for a hundred thousand.
    private static let mostByNumber = 4096

    /// How many chunks are stored; 0 where the dataset is not chunked.
    package var chunkCount: Int {
        get throws(H5Error) {
            guard case .chunked = storage else { return 0 }
            return try context.locked { () throws(H5Error) in
                let space = try Handle(H5Dget_space(identifier), .space, in: subject)
                var count: hsize_t = 0
                try check(unsafe H5Dget_num_chunks(identifier, space.id, &count), subject)
                return Int(clamping: count)
            }
        }
    }

    /// Where all chunks are stored; nil where this libhdf5 cannot tell in reasonable time (many chunks in an index of
    /// the newer file formats), or beyond `limit` of them. Then `readChunk` still finds each one.
    package func chunks(limit: Int = .max) throws(H5Error) -> H5ChunkTable? {
        guard case .chunked(let chunk) = storage else { return H5ChunkTable(dimensions: shape.count) }
        let count = try chunkCount
        guard count <= limit else { return nil }
        return try context.locked { () throws(H5Error) -> H5ChunkTable? in
            let file = try Handle(H5Iget_file_id(identifier), .file, in: subject)
            let creation = try Handle(H5Fget_create_plist(file.id), .properties, in: subject)
            var userBlock: hsize_t = 0
            try check(unsafe H5Pget_userblock(creation.id, &userBlock), subject)
            if count <= Self.mostByNumber {
                return try chunksByNumber(count, chunk.count, userBlock)
            }
            var identity = chdf5_identity()
            try check(unsafe chdf5_identify(identifier, &identity), subject)
            guard let bytes = FileBytes(file.id) else { return nil }
            let tree = ChunkTree(bytes: bytes, base: Int(clamping: userBlock), dimensions: chunk.count)
            guard let table = tree.table(header: Int(clamping: identity.address), expecting: count) else { return nil }
            // The library's word on the first and the last one: a file that reads differently is not to be trusted.
            for index in [0, count - 1] where try self.chunk(number: index, chunk.count, userBlock) != table[index] {
                return nil
            }
            return table
        }
    }

    private func chunksByNumber(_ count: Int, _ dimensions: Int, _ userBlock: hsize_t) throws(H5Error) -> H5ChunkTable {
        var table = H5ChunkTable(dimensions: dimensions)
        for index in 0..<count {
            let chunk = try chunk(number: index, dimensions, userBlock)
            table.append(
                origin: chunk.origin, filterMask: chunk.filterMask, address: chunk.address, size: chunk.size)
        }
        return table
    }

    private func chunk(number: Int, _ dimensions: Int, _ userBlock: hsize_t) throws(H5Error) -> H5Chunk {
        let space = try Handle(H5Dget_space(identifier), .space, in: subject)
        var origin = [hsize_t](repeating: 0, count: dimensions)
        var mask: UInt32 = 0
        var address: haddr_t = 0
        var size: hsize_t = 0
        try check(
            unsafe H5Dget_chunk_info(identifier, space.id, hsize_t(number), &origin, &mask, &address, &size), subject)
        if userBlock > 0, chdf5_chunk_addresses_are_relative() != 0 {
            address = address.addingReportingOverflow(haddr_t(userBlock)).partialValue
        }
        return H5Chunk(
            origin: origin.map { Int(clamping: $0) }, filterMask: mask, address: Int(clamping: address),
            size: Int(clamping: size))
    }

    /// Reads one chunk as it is stored, its filters not undone; nil where it was never written.
    ///
    /// Quick whatever the number of chunks.
    package func readChunk(at origin: [Int], byteLimit: Int = .max) throws(H5Error) -> (
        bytes: [UInt8], filterMask: UInt32
    )? {
        try context.locked { () throws(H5Error) in
            let coordinates = origin.map { hsize_t($0) }
            var size: hsize_t = 0
            // It fails for a chunk that was never written, as it does for one that cannot be read.
            guard unsafe H5Dget_chunk_storage_size(identifier, coordinates, &size) >= 0, size > 0 else {
                _ = ErrorFrame.takeAll()
                return nil
            }
            guard size <= byteLimit else {
                throw H5Error(.tooLarge, subject, "has a chunk of \(size) bytes at \(origin)")
            }
            var bytes = [UInt8](repeating: 0, count: Int(size))
            var mask: UInt32 = 0
            try check(unsafe H5Dread_chunk(identifier, chdf5_default(), coordinates, &mask, &bytes), subject)
            return (bytes, mask)
        }
    }
}

/// The bytes underneath an open file on disk, or those in memory that a fuzzer made up.
@safe
struct FileBytes {
    /// Where the bytes lie on disk, unless they are in `memory`.
    let descriptor: Int32
    let memory: UnsafeRawBufferPointer?
    let count: Int

    /// `length` bytes at `offset`, or nil where the file does not have them.
    func read(_ offset: Int, _ length: Int) -> [UInt8]? {
        guard offset >= 0, length >= 0, length <= count, offset <= count - length else { return nil }
        if let memory = unsafe memory { return unsafe Array(memory[offset..<offset + length]) }
        var bytes = [UInt8](repeating: 0, count: length)
        guard unsafe pread(descriptor, &bytes, length, off_t(offset)) == length else { return nil }
        return bytes
    }
}

extension FileBytes {
    init?(_ file: hid_t) {
        var status = stat()
        let descriptor = chdf5_descriptor(file)
        guard descriptor >= 0, unsafe fstat(descriptor, &status) == 0 else { return nil }
        unsafe self.init(descriptor: descriptor, memory: nil, count: Int(status.st_size))
    }
}
