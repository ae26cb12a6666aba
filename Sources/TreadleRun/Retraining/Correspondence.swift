internal import HDF5
internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// How the columns and classes of data correspond to those that a model was trained on.
struct Correspondence: Equatable {
    /// For each input of the data, the model's.
    var inputs: [Int]
    /// For each output of the data, the model's; nil where the model does not know the class.
    var outputs: [Int?]

    var hasNewClasses: Bool { outputs.contains(nil) }

    /// By name where both sides have names, by position otherwise. Throws where that would be a guess.
    init(of model: ModelDescription, at path: String, to data: DataIdentity) throws {
        inputs = try Self.inputs(model, path, data)
        outputs = try Self.outputs(model, path, data)
    }

    private static func inputs(_ model: ModelDescription, _ path: String, _ data: DataIdentity) throws -> [Int] {
        guard let old = model.columns, let new = data.columns else {
            guard data.features == model.network.inputs else {
                throw TreadleError(
                    .badData,
                    "the data has \(data.features) inputs, \(path) takes \(model.network.inputs), and without names they "
                        + "cannot be matched; set retrain.start to \"cold\" and promote once with --promote-anyway")
            }
            return Array(0..<data.features)
        }
        let places = Dictionary(zip(old, old.indices)) { first, _ in first }
        let missing = Set(old).subtracting(new)
        let added = Set(new).subtracting(old)
        guard missing.isEmpty, added.isEmpty, old.count == new.count, places.count == old.count else {
            let words = [("gone", missing), ("new", added)].filter { !$0.1.isEmpty }.map { word, names in
                "\(word): " + names.sorted().prefix(8).map(\.printable).joined(separator: ", ")
            }
            throw TreadleError(
                .badData,
                "the data does not have the columns that \(path) was trained on ("
                    + (words.isEmpty ? "names occur twice" : words.joined(separator: "; "))
                    + "); set retrain.start to \"cold\" and promote once with --promote-anyway")
        }
        return new.map { places[$0] ?? 0 }
    }

    private static func outputs(_ model: ModelDescription, _ path: String, _ data: DataIdentity) throws -> [Int?] {
        guard let old = model.classes, let new = data.classes else {
            guard data.outputs == model.network.outputs else {
                throw TreadleError(
                    .badData,
                    "the data has \(data.outputs) outputs, \(path) has \(model.network.outputs), and without names they cannot "
                        + "be matched; set retrain.start to \"cold\" and promote once with --promote-anyway")
            }
            return Array(0..<data.outputs)
        }
        let gone = Set(old).subtracting(new)
        guard gone.isEmpty else {
            throw TreadleError(
                .badData,
                "the data no longer has the classes \(gone.sorted().map(\.printable).joined(separator: ", ")) of \(path); set "
                    + "retrain.start to \"cold\" and promote once with --promote-anyway")
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
        for (index, layer) in self.network.layers.enumerated() {
            let rows = index == 0 ? match.inputs : Array(0..<layer.inputs)
            let columns = index == self.network.layers.count - 1 ? known : Array(0..<layer.units)
            model.parameters[index].weight = parameters[index].weight.selecting(rows: rows, columns: columns)
            model.parameters[index].bias = parameters[index].bias?.selecting(elements: columns)
            model.network.layers[index].inputs = rows.count
            model.network.layers[index].units = columns.count
        }
        model.network.inputs = match.inputs.count
        func input(_ values: [Double]) -> [Double] { values.isEmpty ? [] : match.inputs.map { values[$0] } }
        func output(_ values: [Double]) -> [Double] { values.isEmpty ? [] : known.map { values[$0] } }
        model.normalization = Normalization(
            shift: input(self.normalization.shift), factor: input(self.normalization.factor),
            targetShift: output(self.normalization.targetShift), targetFactor: output(self.normalization.targetFactor),
            imputation: input(self.normalization.imputation))
        model.columns = self.columns.map { names in match.inputs.map { names[$0] } }
        model.classes = self.classes.map { names in known.map { names[$0] } }
        model.classWeights = self.classWeights.map(output)
        return model
    }
}

extension Tensor {
    /// The matrix of these rows and columns of this one.
    func selecting(rows: [Int], columns: [Int]) -> Tensor {
        let width = shape[1]
        let places = rows.flatMap { row in columns.map { row * width + $0 } }
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
    fileprivate func selecting(_ places: [Int]) -> Tensor.Storage {
        switch self {
        case .float32(let values): .float32(places.map { values[$0] })
        case .float64(let values): .float64(places.map { values[$0] })
        }
    }
}
