internal import CDecode
internal import CHDF5Shims

/// One step that chunks went through when they were written.
package struct H5Filter: Equatable, Codable, Sendable {
    /// Its number in The HDF Group's register.
    package var id: Int
    package var name: String
    package var parameters: [UInt32]
    /// Whether this libhdf5 can undo it under the file's policy.
    package var isAvailable: Bool

    package static let deflate = 1
    package static let shuffle = 2
    package static let fletcher32 = 3
    package static let szip = 4
    package static let scaleOffset = 6

    /// Whether it is undone by this program itself, on all cores.
    package var isDecoded: Bool { described.isDecoded }

    /// Whether nothing but a plug-in undoes it: neither libhdf5 nor this program.
    package var needsPlugin: Bool { id > Self.scaleOffset && !isDecoded }

    /// The filter as the decoder takes it.
    var step: cd_filter { described.step }

    private var described: (isDecoded: Bool, step: cd_filter) {
        var step = cd_filter()
        let isDecoded = unsafe cd_describe(Int32(clamping: id), parameters, parameters.count, &step) != 0
        return (isDecoded, step)
    }

    /// A filter's usual name, for messages.
    package static func name(of id: Int) -> String? { known[id] }

    private static let known = [
        1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "n-bit", 6: "scale-offset", 305: "LZO",
        307: "bzip2", 32000: "LZF", 32001: "Blosc", 32004: "LZ4", 32008: "bitshuffle", 32013: "ZFP", 32015: "Zstandard",
        32017: "SZ", 32019: "fpzip", 32026: "Blosc2",
    ]

    /// The filters of a dataset in the order of writing; call inside the lock.
    static func all(in creation: hid_t, _ subject: String) throws(H5Error) -> [H5Filter] {
        var filters: [H5Filter] = []
        for index in 0..<UInt32(try check(H5Pget_nfilters(creation), subject)) {
            var configuration: UInt32 = 0
            var parameters = [UInt32](repeating: 0, count: 256)
            var count = parameters.count
            var name = [CChar](repeating: 0, count: 256)
            let id = try check(
                unsafe H5Pget_filter2(
                    creation, index, nil, &count, &parameters, name.count - 1, &name, &configuration), subject)
            let stored = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let available = H5Zfilter_avail(id) > 0
            _ = ErrorFrame.takeAll()
            filters.append(
                H5Filter(
                    id: Int(id), name: known[Int(id)] ?? (stored.isEmpty ? "filter \(id)" : stored),
                    parameters: Array(parameters.prefix(count)), isAvailable: available))
        }
        return filters
    }
}
