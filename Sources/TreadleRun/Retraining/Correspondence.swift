internal import HDF5
internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// How the columns and classes of data correspond to those that a model was trained on.
struct Correspondence: Equatable {
    /// For each input of the data, the model's; nil where the model knows nothing like it and so gives it no weight.
    var inputs: [Int?]
    /// For each input of the data, what to add to it to have the model's.
    var offsets: [Double] = []
    /// What the data calls its inputs, and what they are made from.
    var names: [String]?
    var schema: TableSchema?
    /// For each output of the data, the model's; nil where the model does not know the class.
    var outputs: [Int?]

    var hasNewClasses: Bool { outputs.contains(nil) }

    /// By name where both sides have names, by position otherwise. Throws where that would be a guess.
    init(of model: ModelDescription, at path: String, to data: DataIdentity) throws {
        names = data.inputs.names
        schema = data.inputs.schema
        if let old = model.schema, let new = data.inputs.schema {
            let columns = try ColumnCorrespondence(of: old, at: path, to: new)
            (inputs, offsets) = (columns.inputs, columns.offsets)
        } else {
            inputs = try Self.inputs(model, path, data)
        }
        outputs = try Self.outputs(model, path, data)
    }

    private static func inputs(_ model: ModelDescription, _ path: String, _ data: DataIdentity) throws -> [Int?] {
        guard let old = model.columns, let new = data.inputs.names else {
            guard data.features == model.network.inputs else {
                throw TreadleError(
                    .badData,
                    "the data has \(data.features) inputs, \(path) takes \(model.network.inputs), and without names they "
                        + "cannot be matched; \(promoteAnyway)")
            }
            return Array(0..<data.features)
        }
        let places = Dictionary(zip(old, old.indices)) { first, _ in first }
        let missing = Set(old).subtracting(new)
        let added = Set(new).subtracting(old)
        guard missing.isEmpty, added.isEmpty, old.count == new.count, places.count == old.count else {
            let words = differences(gone: missing, new: added)
            throw TreadleError(
                .badData,
                "the data does not have the columns that \(path) was trained on ("
                    + (words.isEmpty ? "names occur twice" : words.joined(separator: "; "))
                    + "); \(promoteAnyway)")
        }
        return new.map { places[$0] ?? 0 }
    }

    private static func outputs(_ model: ModelDescription, _ path: String, _ data: DataIdentity) throws -> [Int?] {
        guard let old = model.classes, let new = data.classes else {
            guard data.outputs == model.network.outputs else {
                throw TreadleError(
                    .badData,
                    "the data has \(data.outputs) outputs, \(path) has \(model.network.outputs), and without names they cannot "
                        + "be matched; \(promoteAnyway)")
            }
            return Array(0..<data.outputs)
        }
        let gone = Set(old).subtracting(new)
        guard gone.isEmpty else {
            throw TreadleError(
                .badData,
                "the data no longer has the classes \(gone.sorted().map(\.printable).joined(separator: ", ")) of \(path); "
                    + promoteAnyway)
        }
        let places = Dictionary(zip(old, old.indices)) { first, _ in first }
        return new.map { places[$0] }
    }
}

extension SavedModel {
    /// This model for inputs and outputs in the order of the data. Classes that it does not know are left out.
    func arranged(by match: Correspondence) -> SavedModel {
        var model = self
        let known = match.outputs.compactMap(\.self)
        // Embedded inputs go with their columns: a wave or an output has one unit for each of them.
        let network = self.network
        let embedded = match.inputs.indices.filter { match.inputs[$0].map(network.embedded.contains) ?? false }
        let places = embedded.compactMap { match.inputs[$0].flatMap(network.embedded.firstIndex) }
        func groups(_ count: Int) -> [Int] { (0..<count).flatMap { group in places.map { group * places.count + $0 } } }
        let read = match.inputs + groups(network.embeddingOutputs).map { network.inputs + $0 }
        model.network.embedded = embedded
        for (index, layer) in network.layers.enumerated() {
            let rows = network.readsInputs(index) ? read : (0..<layer.inputs).map { $0 }
            let columns =
                switch layer.kind {
                case .waves, .ramps, .combination: groups(layer.units / places.count)
                case .factors: read.map { $0 ?? 0 }
                case .dense: network.makesOutput(index) ? known : Array(0..<layer.units)
                }
            model.parameters[index].weight = parameters[index].weight.selecting(rows: rows, columns: columns)
            if layer.kind == .factors {
                // An input without weight must keep a factor, or neither of the two would ever have a gradient.
                model.parameters[index].weight = model.parameters[index].weight.mapped { factors in
                    factors.indices.map { read[$0] == nil ? 1 : factors[$0] }
                }
            }
            model.parameters[index].bias = parameters[index].bias?.selecting(elements: columns)
            model.network.layers[index].inputs = rows.count
            model.network.layers[index].units = columns.count
        }
        model.network.inputs = match.inputs.count
        // What the model does not know has no weight, whatever it is scaled by.
        func input(_ values: [Double], unknown: Double) -> [Double] {
            values.isEmpty ? [] : match.inputs.map { $0.map { values[$0] } ?? unknown }
        }
        func output(_ values: [Double]) -> [Double] { values.isEmpty ? [] : known.map { values[$0] } }
        for part in Normalization.parts {
            let values = self.normalization[keyPath: part.path]
            let unknown = part.path == \.factor ? 1.0 : part.path == \.shares ? -1 : 0
            model.normalization[keyPath: part.path] =
                part.side == .inputs ? input(values, unknown: unknown) : output(values)
        }
        model.normalization.move(by: match.offsets)
        model.columns = self.columns == nil ? nil : match.names ?? self.columns
        model.schema = self.schema == nil ? nil : match.schema ?? self.schema
        model.classes = self.classes.map { names in known.map { names[$0] } }
        model.classWeights = self.classWeights.map(output)
        return model
    }
}

extension Normalization {
    /// The same for inputs from which `offsets` have been taken away: days that are counted from another day.
    fileprivate mutating func move(by offsets: [Double]) {
        guard offsets.contains(where: { $0 != 0 }) else { return }
        if shift.isEmpty {
            shift = offsets.map { _ in 0 }
            factor = offsets.map { _ in 1 }
        }
        shift = zip(shift, offsets).map { $0 - $1 }
        if !imputation.isEmpty { imputation = zip(imputation, offsets).map { $0 - $1 } }
    }
}

extension Tensor {
    /// The matrix of these rows and columns of this one.
    ///
    /// A row that is nil is all zeros.
    func selecting(rows: [Int?], columns: [Int]) -> Tensor {
        let width = shape[1]
        let places = rows.flatMap { row in columns.map { column in row.map { $0 * width + column } } }
        return Tensor(shape: [rows.count, columns.count], storage: storage.selecting(places))
    }

    func selecting(elements: [Int]) -> Tensor {
        Tensor(shape: [elements.count], storage: storage.selecting(elements))
    }

    /// The same numbers in Double, and back in the precision of this tensor.
    func mapped(_ change: ([Double]) -> [Double]) -> Tensor {
        switch storage {
        case .float32(let values):
            Tensor(shape: shape, storage: .float32(change(values.map(Double.init)).map { Float($0) }))
        case .float64(let values): Tensor(shape: shape, storage: .float64(change(values)))
        }
    }
}

extension Tensor.Storage {
    fileprivate func selecting(_ places: [Int?]) -> Tensor.Storage {
        switch self {
        case .float32(let values): .float32(places.map { $0.map { values[$0] } ?? 0 })
        case .float64(let values): .float64(places.map { $0.map { values[$0] } ?? 0 })
        }
    }
}

/// What to do where new data and the served model do not go together.
let promoteAnyway =
    "run retrain once with --promote-anyway, which compares nothing and starts from new weights where the old ones do not fit"

/// Columns that only one side has, for messages.
private func differences(gone: Set<String>, new: Set<String>) -> [String] {
    [("gone", gone), ("new", new)].filter { !$0.1.isEmpty }.map { word, names in
        "\(word): " + names.sorted().prefix(8).map(\.printable).joined(separator: ", ")
    }
}

/// How the inputs that are made from a table are those of a model that was trained on an earlier one.
///
/// The columns must be the same. Their categories may have gained and lost values: a value that the model does not know is
/// to it what any other one was, and so the model says about each row what it would have said before.
private struct ColumnCorrespondence {
    private(set) var inputs: [Int?] = []
    private(set) var offsets: [Double] = []
    private var unlike: [String] = []

    init(of old: TableSchema, at path: String, to new: TableSchema) throws {
        let oldNames = old.columns.map(\.name)
        let newNames = new.columns.map(\.name)
        let missing = Set(oldNames).subtracting(newNames)
        let added = Set(newNames).subtracting(oldNames)
        guard missing.isEmpty, added.isEmpty else {
            let words = differences(gone: missing, new: added)
            throw TreadleError(
                .badData,
                "the data does not have the columns that \(path) was trained on (\(words.joined(separator: "; "))); "
                    + promoteAnyway)
        }
        var places: [String: (column: TableSchema.Column, first: Int)] = [:]
        var first = 0
        for column in old.columns {
            places[column.name] = (column, first)
            first += column.inputs.count
        }
        for column in new.columns {
            guard let (known, first) = places[column.name] else { continue }
            match(column, to: known, first)
        }
        guard unlike.isEmpty else {
            throw TreadleError(
                .badData,
                "the data has other kinds of columns than \(path) was trained on "
                    + "(\(unlike.prefix(8).map(\.printable).joined(separator: ", "))); import it with --like \(path), or "
                    + promoteAnyway)
        }
    }

    private mutating func match(_ new: TableSchema.Column, to old: TableSchema.Column, _ first: Int) {
        let known = Dictionary(uniqueKeysWithValues: zip(old.inputs.map(\.name), first...))
        func add(_ inputs: [Int?], offset: (Int) -> Double = { _ in 0 }) {
            self.inputs += inputs
            offsets += inputs.indices.map(offset)
        }
        switch (old.kind, new.kind) {
        case (.number, .number):
            add(new.inputs.map { known[$0.name] })
        case (.flag(let no, let yes), .flag(let other, let another)) where no == other && yes == another:
            add([first])
        case (.flag(_, let yes), .category(let values, _, _)) where values.contains(yes):
            add(new.inputs.map { known[$0.name] })
        case (.category(let before, let hasOther, let hasMissing), .category(let values, let other, let isMissing)):
            let places = Dictionary(uniqueKeysWithValues: zip(before, first...))
            let otherPlace = hasOther ? first + before.count : nil
            let missingPlace = hasMissing ? first + before.count + (hasOther ? 1 : 0) : nil
            add(
                values.map { places[$0] ?? otherPlace } + (other ? [otherPlace] : [])
                    + (isMissing ? [missingPlace] : []))
        case (.date(let before, let origin, _), .date(let parts, let newOrigin, _))
        where Set(before) == Set(parts) && Day.distance(from: origin, to: newOrigin) != nil:
            let distance = Day.distance(from: origin, to: newOrigin) ?? 0
            add(parts.map { part in before.firstIndex(of: part).map { first + $0 } }) {
                parts[$0] == .days ? distance : 0
            }
        default:
            unlike.append(new.name)
        }
    }
}
