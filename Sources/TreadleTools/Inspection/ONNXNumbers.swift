internal import HDF5
internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// The constants of an ONNX file of unknown origin: what its graph calls initializers.
///
/// The numbers are fields and enumerations of onnx.proto3.
struct ONNXNumbers {
    private(set) var arrays: [NumberArrays.Array] = []
    private var metadata: [String: String] = [:]

    /// Nil where the bytes are no ONNX file; throws where they are one that cannot be compared.
    init?(reading bytes: ArraySlice<UInt8>, _ path: String) throws {
        do {
            try self.init(bytes)
        } catch let error as TreadleError {
            throw TreadleError(error.kind, "\(path): \(error.description)")
        } catch {
            return nil
        }
        // Bytes of something else can by chance be a message; a model has a graph with constants.
        if arrays.isEmpty { return nil }
    }

    init(_ bytes: ArraySlice<UInt8>) throws {
        var model = ProtocolBufferReader(bytes)
        while let (field, value) = try model.next() {
            guard case .bytes(let content) = value else { continue }
            if field == 7 { try readGraph(content) }
            if field == 14 { try readMetadata(content) }
        }
    }

    /// A list of texts that the file says of itself.
    func texts(_ key: String) -> [String]? { metadata[key].flatMap { [String](json: $0) } }

    /// Whether a constant of an export says how the graph is built, and nothing about the model.
    static func isStructure(_ name: String) -> Bool {
        [".columns", ".waves", ".outputs", ".shape"].contains { name.hasSuffix($0) } || name.hasPrefix("scalar_")
    }

    private mutating func readGraph(_ bytes: ArraySlice<UInt8>) throws {
        var graph = ProtocolBufferReader(bytes)
        while let (field, value) = try graph.next() {
            if field == 5, case .bytes(let content) = value { arrays.append(try array(content)) }
        }
    }

    private mutating func readMetadata(_ bytes: ArraySlice<UInt8>) throws {
        var entry = ProtocolBufferReader(bytes)
        var texts: [Int: String] = [:]
        while let (field, value) = try entry.next() {
            if case .bytes(let content) = value { texts[field] = String(decoding: content, as: UTF8.self) }
        }
        if let key = texts[1] { metadata[key] = texts[2] }
    }

    private func array(_ bytes: ArraySlice<UInt8>) throws -> NumberArrays.Array {
        var tensor = ProtocolBufferReader(bytes)
        var (shape, type, name) = ([Int](), 0, "")
        var content: [UInt8] = []
        var isElsewhere = false
        /// Numbers that are not raw come as a list of their own type, whose integers are packed to be short.
        var integers: [UInt64] = []
        while let (field, value) = try tensor.next() {
            switch (field, value) {
            case (1, .integer(let extent)): shape.append(Int(clamping: extent))
            case (1, .bytes(let extents)): shape += try ProtocolBufferReader.packed(extents).map { Int(clamping: $0) }
            case (2, .integer(let number)): type = Int(clamping: number)
            case (8, .bytes(let text)): name = String(decoding: text, as: UTF8.self)
            case (4, .bytes(let raw)), (9, .bytes(let raw)), (10, .bytes(let raw)): content += raw
            case (4, .fixed32(let bits)): content += ProtocolBuffer.littleEndian(bits)
            case (10, .fixed64(let bits)): content += ProtocolBuffer.littleEndian(bits)
            case (5, .bytes(let packed)), (7, .bytes(let packed)):
                integers += try ProtocolBufferReader.packed(packed)
            case (5, .integer(let number)), (7, .integer(let number)): integers.append(number)
            case (14, .integer(let place)): isElsewhere = place == 1
            default: break
            }
        }
        guard !isElsewhere else {
            throw TreadleError(.badData, "\(name.printable) lies in another file, where diff does not look")
        }
        let kinds: [Int: StoredElement.Kind] = [
            1: .float(4), 2: .unsigned(1), 3: .signed(1), 4: .unsigned(2), 5: .signed(2), 6: .signed(4), 7: .signed(8),
            9: .boolean, 16: .unsigned(2), 10: .float(2), 11: .float(8), 12: .unsigned(4), 13: .unsigned(8),
        ]
        guard let kind = kinds[type] else {
            throw TreadleError(.badData, "\(name.printable) is of ONNX type \(type), which diff cannot read")
        }
        let element = StoredElement(kind: kind)
        for number in integers { content += ProtocolBuffer.littleEndian(number).prefix(element.size) }
        guard shape.boundedProduct(times: element.size) == content.count else { throw ProtocolBufferReader.Malformed() }
        let isHalf = type == 16
        return .init(
            name: name,
            tensor: isHalf ? Tensor(bfloat16: content, shape: shape) : Tensor(content, element, shape: shape))
    }
}
