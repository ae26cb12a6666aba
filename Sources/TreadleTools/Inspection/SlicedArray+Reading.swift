internal import HDF5
package import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel
package import TreadleRun

extension SlicedArray {
    /// A part of one of a checkpoint's arrays: a parameter, an optimizer's slot, or a part of the normalization.
    package init(_ name: String, _ slice: TensorSlice, of checkpoint: Checkpoint) throws(TreadleError) {
        let wanted = name.hasPrefix("/") ? String(name.dropFirst()) : name
        let plain = wanted.hasPrefix("model/") ? String(wanted.dropFirst(6)) : wanted
        var tensors = checkpoint.namedTensors.map { (name: $0.name, tensor: $0.tensor) }
        for (part, values) in checkpoint.normalization.named where !values.isEmpty {
            tensors.append(("normalization/\(part)", Tensor(shape: [values.count], storage: .float64(values))))
        }
        guard let found = tensors.first(where: { $0.name == plain }) else {
            let names = tensors.map(\.name.printable)
            let near = nearest(to: plain, among: names).map { "did you mean \($0)? There is " } ?? "there is "
            throw TreadleError(.usage, "no array \(name.printable); \(near)\(names.joined(separator: ", "))")
        }
        let (box, shape) = try slice.box(in: found.tensor.shape, of: found.name)
        self.init(
            name: found.name, type: found.tensor.isSingle ? "float32" : "float64", shape: shape, isInteger: false,
            numbers: found.tensor.numbers(in: box))
    }

    /// Numbers and texts that a guarded child hands over at most.
    package static let mostForeign = 1 << 20

    /// A part of a dataset of a file of unknown origin, read in a process of its own.
    package static func readGuarded(
        _ name: String, of path: String, seconds: Int = 4, helper: GuardedHelper
    ) throws -> SlicedArray {
        try GuardedProcess.perform(
            Work.self, Work.Request(path: path, name: name), on: path, limits: GuardedProcess.Limits(seconds: seconds),
            helper: helper)
    }

    package enum Work: GuardedWork {
        package struct Request: Codable, Sendable {
            package var path: String
            /// With its slice.
            package var name: String
        }

        package static let name = "array-slice"

        package static func perform(_ request: Request) throws -> SlicedArray {
            let file = try H5File.open(request.path)
            // Names of other makers may end like a slice.
            if try file.contains(request.name) { return try read(request.name, .everything, file) }
            let (name, slice) = try TensorSlice.split(request.name)
            return try read(name, slice, file)
        }

        private static func read(_ name: String, _ slice: TensorSlice, _ file: H5File) throws -> SlicedArray {
            let dataset = try file.dataset(name)
            let (box, shape) = try slice.box(in: dataset.shape, of: name)
            guard let count = shape.boundedProduct(), count <= mostForeign else {
                throw TreadleError(
                    .usage,
                    "\(name.printable): more than \(mostForeign) elements; ask for a part, as in "
                        + "\(name.printable)[:10]")
            }
            var array = SlicedArray(
                name: name, type: dataset.type.description, shape: shape, isInteger: dataset.type.isWhole, numbers: [])
            if case .string = dataset.type {
                guard dataset.shape.count <= 1 else {
                    throw TreadleError(.usage, "\(name.printable): texts of several dimensions are not shown")
                }
                let rows = box.start.first.map { $0..<$0 + box.count[0] }
                array.texts = try dataset.readStrings(rows: rows, byteLimit: 64 << 20)
            } else {
                array.numbers = try dataset.read(box: box)
            }
            return array
        }
    }
}

extension ElementType {
    fileprivate var isWhole: Bool {
        switch self {
        case .integer, .partialInteger, .enumeration: true
        default: false
        }
    }
}

extension Tensor {
    fileprivate var isSingle: Bool {
        if case .float32 = storage { true } else { false }
    }

    /// The numbers of a box within this tensor, row-major.
    fileprivate func numbers(in box: Hyperslab) -> [Double] {
        let total = box.count.reduce(1, *)
        var strides = shape.map { _ in 1 }
        for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
        return (0..<total).map { index in
            var (rest, place) = (index, 0)
            for axis in shape.indices.reversed() {
                place += (box.start[axis] + rest % box.count[axis]) * strides[axis]
                rest /= box.count[axis]
            }
            switch storage {
            case .float32(let values): return Double(values[place])
            case .float64(let values): return values[place]
            }
        }
    }
}
