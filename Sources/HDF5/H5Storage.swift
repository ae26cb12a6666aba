internal import CHDF5Shims

/// How a dataset's elements lie in its file.
package enum H5Storage: Equatable, Codable, Sendable {
    /// In one piece; `offset` counts from byte 0 of the file, and is nil while nothing has been written.
    case contiguous(offset: Int?, size: Int)
    /// In boxes of this shape, each filtered on its own.
    case chunked(shape: [Int])
    /// Within the object's header.
    case compact
    /// Assembled from other datasets.
    case virtual(sources: [String])
    /// In other files, not HDF5.
    case external(files: [String])
}

extension H5Storage {
    /// Reads the description and refuses what the file's policy does not allow; call inside the lock.
    init(of dataset: hid_t, _ creation: hid_t, _ context: H5Context, _ subject: String) throws(H5Error) {
        switch H5Pget_layout(creation) {
        case H5D_COMPACT: self = .compact
        case H5D_CHUNKED:
            var extents = [hsize_t](repeating: 0, count: Int(H5S_MAX_RANK))
            let dimensions = Int(try check(unsafe H5Pget_chunk(creation, H5S_MAX_RANK, &extents), subject))
            self = .chunked(shape: extents[..<dimensions].map { Int(clamping: $0) })
        case H5D_VIRTUAL:
            let sources = try Self.sources(creation, subject)
            if !context.policy.allowsOtherFiles { try Self.confine(sources, dataset, context, subject) }
            self = .virtual(sources: sources.map { $0.file == "." ? $0.dataset : "\($0.file):\($0.dataset)" })
        case H5D_CONTIGUOUS:
            let files = try Self.externalFiles(creation, subject)
            if !files.isEmpty {
                guard context.policy.allowsOtherFiles else {
                    throw H5Error(
                        .refused, subject,
                        "keeps its elements in another file (\(files[0])), which is not allowed here")
                }
                self = .external(files: files)
            } else {
                let address = H5Dget_offset(dataset)
                self = .contiguous(
                    offset: address == chdf5_undefined_address() ? nil : Int(exactly: address),
                    size: Int(clamping: H5Dget_storage_size(dataset)))
            }
        default: throw H5Error(.other, subject, "is stored in a form that this libhdf5 does not know")
        }
    }

    private typealias Source = (file: String, dataset: String)
    /// More sources or files than any honest dataset has.
    private static let mostSources = 1 << 16

    private static func externalFiles(_ creation: hid_t, _ subject: String) throws(H5Error) -> [String] {
        let count = try check(H5Pget_external_count(creation), subject)
        var files: [String] = []
        for index in 0..<min(UInt32(count), 16) {
            var name = [CChar](repeating: 0, count: 1024)
            var offset: off_t = 0
            var size: hsize_t = 0
            try check(unsafe H5Pget_external(creation, index, name.count - 1, &name, &offset, &size), subject)
            files.append(String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
        return files
    }

    private static func sources(_ creation: hid_t, _ subject: String) throws(H5Error) -> [Source] {
        var count = 0
        try check(unsafe H5Pget_virtual_count(creation, &count), subject)
        guard count <= mostSources else { throw H5Error(.tooLarge, subject, "is assembled from \(count) parts") }
        var sources: [Source] = []
        for index in 0..<count {
            let file = unsafe try text(subject) { unsafe H5Pget_virtual_filename(creation, index, $0, $1) }
            let dataset = unsafe try text(subject) { unsafe H5Pget_virtual_dsetname(creation, index, $0, $1) }
            sources.append((file, dataset))
        }
        return sources
    }

    private static func text(
        _ subject: String, _ get: (UnsafeMutablePointer<CChar>?, Int) -> Int
    ) throws(H5Error) -> String {
        let length = try check(get(nil, 0), subject)
        var bytes = [CChar](repeating: 0, count: length + 1)
        try check(unsafe get(&bytes, bytes.count), subject)
        return String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Refuses parts in other files, and parts that are themselves assembled: those can lead anywhere, or in circles.
    private static func confine(
        _ sources: [Source], _ dataset: hid_t, _ context: H5Context, _ subject: String
    ) throws(H5Error) {
        let file = try Handle(H5Iget_file_id(dataset), .file, in: subject)
        for source in sources {
            guard source.file == "." else {
                throw H5Error(
                    .refused, subject, "is assembled from another file (\(source.file)), which is not allowed here")
            }
            guard !source.dataset.contains("%") else {
                throw H5Error(.refused, subject, "is assembled from datasets by a pattern, which is not allowed here")
            }
            let id = unsafe H5Oopen(file.id, source.dataset, context.linkAccess.id)
            let part = try Handle(id, .object, in: subject)
            guard H5Iget_type(part.id) == H5I_DATASET else { continue }
            let creation = try Handle(H5Dget_create_plist(part.id), .properties, in: subject)
            guard H5Pget_layout(creation.id) != H5D_VIRTUAL, H5Pget_external_count(creation.id) == 0 else {
                throw H5Error(
                    .refused, subject,
                    "is assembled from \(source.dataset), which is not stored in this file either")
            }
        }
    }
}
