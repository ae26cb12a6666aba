internal import TreadleBase
internal import TreadleModel
internal import TreadleRun

/// A model as safetensors: a JSON header that tells where each array lies, and the arrays.
enum SafetensorsExport {
    static func write(_ model: TrainedModel, to file: inout DurableFile) throws {
        let metadata = ExportDescription(model).members.map { JSONValue.Member($0.0, .string($0.1)) }
        var members = [JSONValue.Member("__metadata__", .object(metadata))]
        var offset = 0
        for (name, tensor) in model.saved.exportedTensors {
            let end = offset + tensor.byteCount
            let isWide = if case .float64 = tensor.storage { true } else { false }
            members.append(
                .init(
                    name,
                    .object([
                        .init("dtype", .string(isWide ? "F64" : "F32")),
                        .init("shape", .array(tensor.shape.map(JSONValue.integer))),
                        .init("data_offsets", .array([.integer(offset), .integer(end)])),
                    ])))
            offset = end
        }
        var header = Array(JSONValue.object(members).text().utf8)
        // Spaces at its end put the arrays on a boundary of eight bytes.
        header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        try file.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) } + header)
        for (_, tensor) in model.saved.exportedTensors { try file.write(tensor.littleEndianBytes) }
    }
}
