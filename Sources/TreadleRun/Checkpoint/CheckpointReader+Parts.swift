internal import HDF5
internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// Single values of a checkpoint, each of the kind and the size that is due.
extension CheckpointReader {
    func column<Element: H5Number>(_ name: String, in group: H5Group, count: Int? = nil) throws -> [Element] {
        let dataset = try group.dataset(name)
        let shape = [count ?? dataset.shape.first ?? 0]
        try checkStored(dataset, as: Element.self == Double.self ? .float64 : .int(64), shape: shape)
        return try dataset.read()
    }

    /// That a dataset is what this program writes: in one piece, and no larger than the file.
    func checkStored(_ dataset: H5Dataset, as type: ElementType, shape: [Int]) throws {
        guard dataset.type == type, dataset.shape == shape else {
            throw damage(
                String(dataset.path.dropFirst()),
                "is \(dataset.type) of shape \(dataset.shape), where \(type) of shape \(shape) is due")
        }
        guard case .contiguous = dataset.storage, dataset.storedSize <= size, let bytes = type.size,
            let due = shape.boundedProduct(times: bytes), due == dataset.storedSize
        else {
            throw damage(String(dataset.path.dropFirst()), "does not store the elements that it claims")
        }
    }

    func text(_ name: String, in group: H5Group) throws -> String {
        let dataset = try group.dataset(name)
        guard dataset.shape.isEmpty, let text = try dataset.readStrings(byteLimit: size).first else {
            throw damage("treadle/\(name)", "is not a single text")
        }
        return text
    }

    func schema(in group: H5Group) throws -> TableSchema? {
        guard try group.contains("schema") else { return nil }
        return try TableSchema(text: text("schema", in: group), of: "\(path):/treadle/schema")
    }

    func texts(_ name: String, in group: H5Group) throws -> [String]? {
        guard try group.contains(name) else { return nil }
        let dataset = try group.dataset(name)
        guard dataset.shape.count == 1, dataset.shape[0] <= size else {
            throw damage("treadle/\(name)", "is not a list of texts")
        }
        return try dataset.readStrings(byteLimit: size)
    }

    func text(attribute name: String, of object: any H5Object) throws -> String {
        let texts = try object.attribute(name).strings(byteLimit: size)
        guard texts.count == 1 else { throw damage(object.path, "its attribute \(name) is not a single text") }
        return texts[0]
    }

    /// An attribute that names one of a choice.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, of object: any H5Object
    ) throws -> Choice where Choice.RawValue == String {
        let text = try text(attribute: name, of: object)
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw damage(object.path, "its \(name) is \"\(text.printable)\", which is none of \(known)")
        }
        return choice
    }

    /// What can be counted and added up without a thought of the integers' end.
    static let counts = 0...1 << 53

    func count(_ name: String, of object: any H5Object) throws -> Int {
        let values: [Int] = try object.attribute(name).numbers()
        guard values.count == 1, Self.counts.contains(values[0]) else {
            throw damage(object.path, "its attribute \(name) is not a count")
        }
        return values[0]
    }

    func number(_ name: String, of object: any H5Object) throws -> Double? {
        guard try object.hasAttribute(name) else { return nil }
        return try required(name, of: object)
    }

    func required(_ name: String, of object: any H5Object) throws -> Double {
        let values: [Double] = try object.attribute(name).numbers()
        guard values.count == 1 else { throw damage(object.path, "its attribute \(name) is not a single number") }
        return values[0]
    }

    func damage(_ part: String, _ what: String) -> TreadleError {
        let place = part.hasPrefix("/") ? part : "/" + part
        return TreadleError(.badData, "\(path):\(place): \(what); use another checkpoint or a copy")
    }
}
