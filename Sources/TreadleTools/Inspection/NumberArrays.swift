internal import Foundation
internal import HDF5
internal import TreadleBase
internal import TreadleData
internal import TreadleModel
internal import TreadleRun

/// The numbers of a model in whatever file holds them, an array each under a dotted name: `dense.weight`,
/// `normalization.shift`.
///
/// Names are those of treadle's exports; a file that others wrote keeps its own, with dots for slashes.
struct NumberArrays: Sendable {
    enum Format: String, Sendable {
        case checkpoint
        case onnx = "ONNX"
        case safetensors
        case npz = "NPZ"
        case hdf5 = "HDF5"
    }

    struct Array: Sendable {
        var name: String
        var tensor: Tensor
    }

    var path: String
    var format: Format
    var arrays: [Array]
    var classes: [String]?
    var columns: [String]?
    /// Of a checkpoint: the same as they are in its ONNX file.
    var onnx: [Array]?

    /// Reads a checkpoint, or an ONNX, safetensors, NPZ or HDF5 file, of unknown origin.
    init(_ path: String, helper: GuardedHelper) throws {
        self.path = path
        guard Inspection.isForeign(path) else {
            let model = try TrainedModel.read(path, helper: helper)
            format = .checkpoint
            arrays = model.saved.exportedTensors.map { Array(name: $0.name, tensor: $0.tensor) }
            classes = model.saved.classes
            columns = model.saved.columns
            var export = ONNXExport(model, roundsWeights: false)
            onnx = try ONNXNumbers(try export.bytes(name: "")[...]).arrays
            return
        }
        arrays = []
        let start = try FileSystem.contents(of: path, limit: 16) ?? Data()
        if start.starts(with: [0x50, 0x4b]) {
            format = .npz
            try readArchive()
        } else if try H5File.isHDF5(path) {
            format = .hdf5
            arrays = try GuardedProcess.perform(
                HDF5Numbers.self, HDF5Numbers.Request(path: path), on: path,
                limits: GuardedProcess.Limits(memory: 2 << 30), helper: helper
            ).arrays(path)
        } else {
            guard try FileSystem.size(of: path) < 1 << 31 else {
                throw TreadleError(.badData, "\(path): has 2 GB or more, which diff does not compare")
            }
            let bytes = Swift.Array(try FileSystem.contents(of: path) ?? Data())
            if bytes.count > 8, bytes[8] == UInt8(ascii: "{") {
                format = .safetensors
                try readSafetensors(bytes)
            } else if let numbers = try ONNXNumbers(reading: bytes[...], path) {
                format = .onnx
                arrays = numbers.arrays
                classes = numbers.texts("classes")
                columns = numbers.texts("columns")
            } else {
                throw TreadleError(
                    .badData,
                    "\(path): neither a checkpoint of treadle nor an ONNX, safetensors, NPZ or HDF5 file with weights; "
                        + "diff compares these")
            }
        }
    }

    private mutating func readArchive() throws {
        let directory = try ZIPDirectory(try InputFile(path))
        for entry in directory.entries where entry.name.hasSuffix(".npy") {
            let name = String(entry.name.dropLast(4))
            let file = try NPY.open(try directory.open(entry), label: "\(path): \(name.printable)", name: name)
            let (shape, element) = (file.shape, file.element)
            guard let count = shape.boundedProduct(), count * element.size < 1 << 31 else {
                throw TreadleError(.badData, "\(path): \(name.printable) has 2 GB or more, which diff does not compare")
            }
            var bytes: [UInt8] = []
            if shape.isEmpty {
                continue
            }
            try file.next(file.rows, into: &bytes)
            if element.isText {
                let texts = element.texts(bytes, count: count)
                if name == "classes" { classes = texts }
                if name == "columns" { columns = texts }
            } else {
                arrays.append(Array(name: name.dotted, tensor: Tensor(bytes, element, shape: shape)))
            }
        }
    }

    private mutating func readSafetensors(_ bytes: [UInt8]) throws {
        func damaged(_ why: String) -> TreadleError {
            TreadleError(.badData, "\(path): not a whole safetensors file: \(why); copy or export it again")
        }
        let length = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(bytes.count - 8) else { throw damaged("its header is cut off") }
        let first = 8 + Int(length)
        guard case .object(let members)? = JSONValue(parsing: String(decoding: bytes[8..<first], as: UTF8.self)) else {
            throw damaged("its header is no JSON")
        }
        for member in members {
            if member.key == "__metadata__" {
                classes = member.value["classes"]?.string.flatMap { [String](json: $0) }
                columns = member.value["columns"]?.string.flatMap { [String](json: $0) }
                continue
            }
            guard let type = member.value["dtype"]?.string, let shape = [Int](member.value["shape"]),
                let offsets = [Int](member.value["data_offsets"]), offsets.count == 2,
                let count = shape.boundedProduct()
            else { throw damaged("\(member.key.printable) is not described") }
            guard let element = StoredElement(safetensors: type == "BF16" ? "U16" : type) else {
                throw TreadleError(
                    .badData, "\(path): \(member.key.printable) is of type \(type.printable), which diff cannot read")
            }
            guard offsets[0] >= 0, offsets[1] <= bytes.count - first, offsets[1] - offsets[0] == count * element.size
            else { throw damaged("\(member.key.printable) lies outside the file") }
            let content = Swift.Array(bytes[first + offsets[0]..<first + offsets[1]])
            arrays.append(
                Array(
                    name: member.key.dotted,
                    tensor: type == "BF16"
                        ? Tensor(bfloat16: content, shape: shape) : Tensor(content, element, shape: shape)))
        }
    }

    /// The arrays of both as they can be compared: those of two different formats, one of which is ONNX, each as the other
    /// has it.
    static func comparable(_ one: NumberArrays, _ other: NumberArrays) -> (one: [Array], other: [Array]) {
        switch (one.format, other.format) {
        case (.onnx, .onnx): (one.arrays, other.arrays)
        case (.onnx, .checkpoint): (one.arrays, other.onnx ?? [])
        case (.checkpoint, .onnx): (one.onnx ?? [], other.arrays)
        case (.onnx, _): (one.plain(like: other), other.inverted)
        case (_, .onnx): (one.inverted, other.plain(like: one))
        default: (one.arrays, other.arrays)
        }
    }

    /// Of an ONNX graph: without the constants that are no part of the model, and in the shapes that `other` has.
    private func plain(like other: NumberArrays) -> [Array] {
        let shapes = Dictionary(other.arrays.map { ($0.name, $0.tensor.shape) }) { first, _ in first }
        return arrays.filter { array in
            !array.tensor.shape.isEmpty && !Self.saysPlaces(array.name)
                && (shapes[array.name] != nil || !ONNXNumbers.isStructure(array.name))
        }.map { array in
            guard let shape = shapes[array.name], shape.first == array.tensor.shape.first,
                shape.reduce(1, *) == array.tensor.count
            else { return array }
            return Array(name: array.name, tensor: Tensor(shape: shape, storage: array.tensor.storage))
        }
    }

    /// Whether an array says which columns are embedded, which a graph does in another way.
    private static func saysPlaces(_ name: String) -> Bool { name.hasSuffix("embedding.columns") }

    /// With the inverses that an ONNX graph multiplies by.
    private var inverted: [Array] {
        let names = [
            "normalization.clip": ONNXExport.inverseClip,
            "normalization.target_factor": ONNXExport.inverseTargetFactor,
        ]
        return arrays.filter { !Self.saysPlaces($0.name) }.map { array in
            guard let name = names[array.name] else { return array }
            let values = ONNXExport.inverses(Double.values(of: array.tensor))
            return Array(name: name, tensor: Tensor(shape: array.tensor.shape, storage: .float32(values)))
        }
    }
}

extension Tensor {
    /// Numbers of a file as the narrowest type that holds all of them.
    init(_ bytes: [UInt8], _ element: StoredElement, shape: [Int]) {
        let count = shape.reduce(1, *)
        var values = [Double](repeating: 0, count: count)
        element.read(bytes, count: count, into: &values)
        let isNarrow = if case .float(let size) = element.kind { size <= 4 } else { false }
        self.init(shape: shape, storage: isNarrow ? .float32(values.map { Float($0) }) : .float64(values))
    }

    /// Numbers of which each is the first half of one of 32 bits.
    init(bfloat16 bytes: [UInt8], shape: [Int]) {
        let values = stride(from: 0, to: bytes.count, by: 2).map { place in
            Float(bitPattern: UInt32(bytes[place]) << 16 | UInt32(bytes[place + 1]) << 24)
        }
        self.init(shape: shape, storage: .float32(values))
    }

    /// Rounded to 32 bits.
    var narrow: Tensor { Tensor(shape: shape, storage: .float32(floats)) }

    var isNarrow: Bool { if case .float32 = storage { true } else { false } }
}

extension StoredElement {
    fileprivate init?(safetensors type: String) {
        let kinds: [String: Kind] = [
            "F64": .float(8), "F32": .float(4), "F16": .float(2), "I64": .signed(8), "I32": .signed(4),
            "I16": .signed(2),
            "I8": .signed(1), "U64": .unsigned(8), "U32": .unsigned(4), "U16": .unsigned(2), "U8": .unsigned(1),
            "BOOL": .boolean,
        ]
        guard let kind = kinds[type] else { return nil }
        self.init(kind: kind)
    }
}

extension String {
    /// A path of names as treadle's exports have it: with dots.
    fileprivate var dotted: String { replacing("/", with: ".") }
}

extension [String] {
    /// A list of texts as JSON has it.
    init?(json text: String) {
        guard case .array(let values)? = JSONValue(parsing: text) else { return nil }
        let texts = values.compactMap(\.string)
        guard texts.count == values.count else { return nil }
        self = texts
    }
}

extension [Int] {
    /// A list of whole numbers from 0.
    fileprivate init?(_ value: JSONValue?) {
        guard case .array(let values)? = value else { return nil }
        self = values.compactMap { if case .integer(let number) = $0, number >= 0 { number } else { nil } }
        guard count == values.count else { return nil }
    }
}
