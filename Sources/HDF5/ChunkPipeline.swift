internal import CDecode
internal import CHDF5Shims

/// What the chunks of a dataset went through when they were written, and how they are decoded without libhdf5 and its
/// lock.
package struct ChunkPipeline: Sendable {
    /// Bytes of a decoded chunk.
    package let size: Int
    /// In the order of writing.
    let steps: [cd_filter]
    private let names: [String]
    /// Whether all filters are undone here.
    package let isDecoded: Bool
    /// Whether chunks that reach beyond the dataset's edge are stored as they are, without any filter.
    package let sparesEdges: Bool

    /// Nil where there are no chunks, or where their size cannot be told; call inside the lock.
    init?(
        _ filters: [H5Filter], of creation: hid_t, in dataset: hid_t, _ storage: H5Storage, _ type: ElementType,
        _ subject: String
    ) throws(H5Error) {
        guard case .chunked(let chunk) = storage, let element = try Self.storedSize(type, dataset, subject),
            let size = chunk.boundedProduct(times: element)
        else { return nil }
        self.size = size
        steps = filters.map(\.step)
        names = filters.map(\.name)
        isDecoded = filters.allSatisfy(\.isDecoded)
        var options: UInt32 = 0
        try check(unsafe H5Pget_chunk_opts(creation, &options), subject)
        sparesEdges = options & UInt32(H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS) != 0
    }

    /// Bytes of an element in the file.
    private static func storedSize(_ type: ElementType, _ dataset: hid_t, _ subject: String) throws(H5Error) -> Int? {
        guard case .string(let format) = type, format.size == nil else { return type.size }
        // The length, and where in the file the text is: an address and a number.
        let file = try Handle(H5Iget_file_id(dataset), .file, in: subject)
        let creation = try Handle(H5Fget_create_plist(file.id), .properties, in: subject)
        var (address, length) = (0, 0)
        try check(unsafe H5Pget_sizes(creation.id, &address, &length), subject)
        return 4 + address + 4
    }

    /// Decodes `stored` bytes into exactly `size` bytes of `target`; returns what is wrong where they are damaged.
    ///
    /// Bit n of `mask` says that filter n was left out when this chunk was written.
    package func decode(
        _ stored: UnsafeRawBufferPointer, mask: UInt32, into target: UnsafeMutableRawPointer, _ decoder: ChunkDecoder
    ) -> ChunkDamage? {
        var failed = 0
        let status = unsafe cd_decode(
            decoder.handle, steps, steps.count, mask, stored.baseAddress, stored.count, target, size, &failed)
        guard status != CD_DECODED else { return nil }
        let subject = names.indices.contains(failed) ? "its \(names[failed]) data" : "it"
        return ChunkDamage(
            reason: "\(subject) \(unsafe String(cString: cd_explain(status)))", isShort: status == CD_TOO_SHORT)
    }
}

/// Why a chunk cannot be decoded.
package struct ChunkDamage: Sendable {
    /// "its LZF data is damaged"
    package let reason: String
    /// Whether it gives fewer bytes than the chunk has: libhdf5 would read beyond their end.
    package let isShort: Bool
}

/// What one thread keeps between chunks that it decodes.
@safe package final class ChunkDecoder {
    fileprivate let handle: OpaquePointer

    package init() {
        // A few pointers: where there is no memory for them nothing goes on.
        guard let handle = unsafe cd_decoder_new() else { fatalError("no memory for a decoder") }
        unsafe self.handle = unsafe handle
    }

    deinit {
        unsafe cd_decoder_free(handle)
    }
}
