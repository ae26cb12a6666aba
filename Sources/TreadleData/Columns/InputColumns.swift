internal import HDF5
internal import TreadleBase
package import TreadleModel

/// What the numbers of a row are: what a file holds, or what a network reads.
package enum InputColumns: Equatable, Sendable {
    /// A table's columns.
    case table(TableSchema)
    /// Numbers that have names.
    case named([String])
    /// So many numbers, told apart by their places alone.
    case unnamed(Int)

    /// What a model has learnt from: `inputs` of them, with what is known of them.
    package init(schema: TableSchema?, names: [String]?, inputs: Int) {
        self = schema.map { .table($0) } ?? names.map { .named($0) } ?? .unnamed(inputs)
    }

    /// F: the numbers that a network reads of a row.
    package var inputs: Int {
        switch self {
        case .table(let schema): schema.inputWidth
        case .named(let names): names.count
        case .unnamed(let count): count
        }
    }

    /// What these are called, in their order; nil where they have no names.
    package var names: [String]? {
        switch self {
        case .table(let schema): schema.inputs.map(\.name)
        case .named(let names): names
        case .unnamed: nil
        }
    }

    package var schema: TableSchema? { if case .table(let schema) = self { schema } else { nil } }
}

extension DataFile {
    /// What the file says about the numbers of the rows of `x`.
    func inputColumns(_ x: String) throws -> InputColumns {
        let shape = try dataset(x).shape.dropFirst()
        let width = shape.boundedProduct() ?? .max
        if x == "/x", let schema = try schema() {
            guard shape.count <= 1, width == schema.storedWidth else {
                let extents = shape.map(String.init).joined(separator: "×")
                throw TreadleError(
                    .badData,
                    "\(path):/schema: describes \(schema.storedWidth) numbers a row, and the rows of \(x) have \(extents.isEmpty ? "1" : extents); the two must agree: make the file anew with treadle import"
                )
            }
            return .table(schema)
        }
        // Names of something else, such as of the columns before an image was made of them.
        if let names = try names("/columns"), names.count == width { return .named(names) }
        return .unnamed(width)
    }

    /// The schema of the table that the file was made from; nil where it has none.
    func schema() throws -> TableSchema? {
        guard try hdf5.contains("/schema") else { return nil }
        let dataset = try dataset("/schema")
        guard case .string = dataset.type, dataset.count == 1 else {
            throw TreadleError(
                .badData,
                "\(path):/schema: holds \(dataset.type), where one JSON text is due; remove it, or import anew")
        }
        let texts: [String]
        do {
            texts = try dataset.readStrings(byteLimit: TableSchema.mostBytes)
        } catch {
            throw TreadleError(reading: error)
        }
        return try TableSchema(text: texts.first ?? "", of: "\(path):/schema")
    }

    /// The strings of a dataset that files may have; nil where they do not.
    func names(_ path: String) throws -> [String]? {
        guard try hdf5.contains(path) else { return nil }
        let dataset = try dataset(path)
        guard case .string = dataset.type, dataset.shape.count == 1 else { return nil }
        do {
            return try dataset.readStrings(byteLimit: 1 << 26)
        } catch {
            throw TreadleError(reading: error)
        }
    }
}

/// The columns of a model, by which data are read.
package struct KnownColumns: Sendable {
    package var columns: InputColumns
    /// Who has learnt from them, for messages.
    package var owner: String
    /// What to do about columns and classes of tables that are none of the model's, which are refused then; nil ignores such
    /// columns.
    package var remedy: String?

    package init(_ columns: InputColumns, owner: String, remedy: String? = nil) {
        self.columns = columns
        self.owner = owner
        self.remedy = remedy
    }
}
