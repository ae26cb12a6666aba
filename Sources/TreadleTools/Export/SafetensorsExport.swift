internal import TreadleBase
internal import TreadleModel
internal import TreadleRun

/// A model as safetensors: a JSON header that tells where each array lies, and the arrays.
enum SafetensorsExport {
    static func write(_ model: TrainedModel, roundsWeights: Bool, to file: inout DurableFile) throws {
        let metadata = ExportDescription(model, roundsWeights: roundsWeights).members.map {
            JSONValue.Member($0.0, .string($0.1))
        }
        var members = [JSONValue.Member("__metadata__", .object(metadata))]
        var offset = 0
        // Names say which they are: m1/dense_1.weight.
        let rounded = roundsWeights ? Set(model.saved.denseWeights) : []
        for (name, tensor) in model.saved.exportedTensors {
            let isWide = if case .float64 = tensor.storage { true } else { false }
            let type = rounded.contains(name) ? "BF16" : isWide ? "F64" : "F32"
            let end = offset + (rounded.contains(name) ? 2 * tensor.shape.reduce(1, *) : tensor.byteCount)
            members.append(
                .init(
                    name,
                    .object([
                        .init("dtype", .string(type)),
                        .init("shape", .array(tensor.shape.map(JSONValue.integer))),
                        .init("data_offsets", .array([.integer(offset), .integer(end)])),
                    ])))
            offset = end
        }
        var header = Array(JSONValue.object(members).text().utf8)
        // Spaces at its end put the arrays on a boundary of eight bytes.
        header += [UInt8](repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
        try file.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) } + header)
        for (name, tensor) in model.saved.exportedTensors {
            let isRounded = rounded.contains(name)
            try file.write(
                isRounded ? tensor.bfloat16Bits.flatMap { ProtocolBuffer.littleEndian($0) } : tensor.littleEndianBytes)
        }
    }
}
