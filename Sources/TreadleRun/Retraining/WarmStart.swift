internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// The weights of an earlier model as the beginning of a new run, saying the same about the same rows.
struct WarmStart {
    private let model: SavedModel
    private let path: String
    /// Whether the run begins from new weights where these do not fit.
    private let isOptional: Bool

    init(_ model: SavedModel, path: String, isOptional: Bool = false) {
        self.model = model
        self.path = path
        self.isOptional = isOptional
    }

    /// The weights for `network` on data with this identity and normalization; `fresh` where they do not fit and need not.
    ///
    /// Inputs and classes are matched by name. Where the new data is normalized otherwise, first and last layer are
    /// adapted, so that the outputs for a row stay what they were. Units of classes that the model does not know begin
    /// as `fresh` has them. Throws where the networks differ.
    func parameters(
        for network: Network, data: DataIdentity, normalization: Normalization, fresh: [LayerParameters],
        note: (String) -> Void = { _ in }
    ) throws -> [LayerParameters] {
        do {
            return try fitted(to: network, data: data, normalization: normalization, fresh: fresh, note: note)
        } catch let error as TreadleError where isOptional {
            note("starting from new weights: \(error.description)")
            return fresh
        }
    }

    private func fitted(
        to network: Network, data: DataIdentity, normalization: Normalization, fresh: [LayerParameters],
        note: (String) -> Void
    ) throws -> [LayerParameters] {
        let match = try Correspondence(of: model.description, at: path, to: data)
        let arranged = model.arranged(by: match)
        try checkShape(of: arranged.network, against: network, match)
        var isExact = true
        let started = (0..<network.members).flatMap { member in
            let own = network.layers(of: member)
            var parameters = Array(arranged.parameters[own])
            isExact =
                adapt(&parameters, of: arranged.network, from: arranged.normalization, to: normalization) && isExact
            if match.hasNewClasses, let last = parameters.indices.last {
                parameters[last] = parameters[last].spread(over: match.outputs, into: fresh[own][own.upperBound - 1])
            }
            return zip(parameters, fresh[own]).map { old, new in
                LayerParameters(name: new.name, weight: old.weight, bias: new.bias == nil ? nil : old.bias)
            }
        }
        if !isExact {
            note(
                "model has no biases, and only they can take up that its numbers are centered otherwise than those that "
                    + "\(path) was trained on: its answers begin shifted")
        }
        return started
    }

    private func checkShape(of old: Network, against new: Network, _ match: Correspondence) throws {
        var widths = old.layers.map(\.units)
        for index in widths.indices where old.makesOutput(index) { widths[index] = match.outputs.count }
        let isSame =
            old.members == new.members && widths == new.layers.map(\.units)
            && old.layers.map(\.activation) == new.layers.map(\.activation)
            && old.layers.map(\.hasBias) == new.layers.map(\.hasBias)
            && old.layers.map(\.kind) == new.layers.map(\.kind)
            && old.embedded == new.embedded
        guard !isSame else { return }
        throw TreadleError(
            .configuration,
            "model is not the network of \(path) any more, so its weights cannot be the start; set retrain.start to \"cold\", "
                + "or put model back as it was")
    }

    /// Keeps the network's answers while what it is given, and what it is asked for, is normalized otherwise; false where
    /// something would have to be added to them for that, and there is no bias.
    private func adapt(
        _ parameters: inout [LayerParameters], of network: Network, from old: Normalization, to new: Normalization
    ) -> Bool {
        // Shares move nothing that the network is given.
        var (old, new) = (old, new)
        (old.shares, new.shares) = ([], [])
        guard old != new, let last = parameters.indices.last else { return true }
        var isExact = true
        let inputs = Columns(from: (old.shift, old.factor), to: (new.shift, new.factor))
        let first = network.stem.count
        if let inputs {
            let weight = parameters[first].weight
            let units = weight.shape[1]
            // What an input is multiplied by before the first layer; embeddings of it come after all inputs.
            let factors = network.stem.last?.kind == .factors ? parameters[first - 1].weight.doubles : nil
            isExact = parameters[first].bias != nil || inputs.offset.allSatisfy { $0 == 0 }
            parameters[first].bias = parameters[first].bias?.mapped { values in
                var values = values
                let weights = weight.doubles
                for row in 0..<network.inputs {
                    let offset = (factors?[row] ?? 1) * inputs.offset[row]
                    for unit in 0..<units { values[unit] += weights[row * units + unit] * offset }
                }
                return values
            }
            parameters[first].weight = weight.mapped { values in
                values.indices.map { $0 / units < network.inputs ? values[$0] * inputs.scale[$0 / units] : values[$0] }
            }
            if !network.embedded.isEmpty { adaptFunctions(&parameters[0], of: network.embedded, inputs) }
        }
        // An output o in the old units is o · scale + offset in the new ones.
        let targets = Columns(from: (new.targetShift, new.targetFactor), to: (old.targetShift, old.targetFactor))
        if let targets {
            let units = parameters[last].weight.shape[1]
            isExact = (parameters[last].bias != nil || targets.offset.allSatisfy { $0 == 0 }) && isExact
            parameters[last].bias = parameters[last].bias?.mapped { values in
                values.indices.map { values[$0] * targets.scale[$0] + targets.offset[$0] }
            }
            parameters[last].weight = parameters[last].weight.mapped { values in
                values.indices.map { values[$0] * targets.scale[$0 % units] }
            }
        }
        return isExact
    }

    /// The same waves and ramps of columns that are normalized otherwise.
    private func adaptFunctions(_ functions: inout LayerParameters, of embedded: [Int], _ inputs: Columns) {
        let weights = functions.weight.doubles
        functions.bias = functions.bias?.mapped { values in
            values.indices.map { values[$0] + weights[$0] * inputs.offset[embedded[$0 % embedded.count]] }
        }
        functions.weight = functions.weight.mapped { values in
            values.indices.map { values[$0] * inputs.scale[embedded[$0 % embedded.count]] }
        }
    }

    /// A column normalized in the one way is `scale · x + offset` of itself normalized in the other way.
    private struct Columns {
        var scale: [Double]
        var offset: [Double]

        /// Nil where nothing changes, or where one side is not normalized at all.
        init?(from old: (shift: [Double], factor: [Double]), to new: (shift: [Double], factor: [Double])) {
            let count = max(old.shift.count, new.shift.count)
            guard count > 0, old != new else { return nil }
            func filled(_ values: [Double], _ value: Double) -> [Double] {
                values.isEmpty ? [Double](repeating: value, count: count) : values
            }
            let (shift, factor) = (filled(old.shift, 0), filled(old.factor, 1))
            let (newShift, newFactor) = (filled(new.shift, 0), filled(new.factor, 1))
            scale = (0..<count).map { newFactor[$0] == 0 ? 0 : factor[$0] / newFactor[$0] }
            offset = (0..<count).map { (newShift[$0] - shift[$0]) * factor[$0] }
        }
    }
}

extension LayerParameters {
    /// These units at the places that `places` gives them, among the units of `others`.
    fileprivate func spread(over places: [Int?], into others: LayerParameters) -> LayerParameters {
        var known = 0
        let sources = places.map { place -> Int? in
            guard place != nil else { return nil }
            defer { known += 1 }
            return known
        }
        var result = others
        let (mine, width) = (weight.doubles, weight.shape[1])
        result.weight = others.weight.mapped { values in
            values.indices.map { index in
                sources[index % places.count].map { mine[index / places.count * width + $0] } ?? values[index]
            }
        }
        if let bias {
            let mine = bias.doubles
            result.bias = others.bias?.mapped { values in
                values.indices.map { index in sources[index].map { mine[$0] } ?? values[index] }
            }
        }
        return result
    }
}

extension Tensor {
    /// The numbers in Double, row-major.
    var doubles: [Double] {
        switch storage {
        case .float32(let values): values.map(Double.init)
        case .float64(let values): values
        }
    }
}
