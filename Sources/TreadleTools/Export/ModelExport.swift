internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel
package import TreadleRun

/// A trained model in the formats of others.
package enum ModelExport: String, CaseIterable, Sendable {
    case onnx = ".onnx"
    case safetensors = ".safetensors"
    case npz = ".npz"
    case keras = ".weights.h5"

    /// The format that a path's extension asks for.
    package init(path: String) throws {
        guard let format = ModelExport.allCases.first(where: { path.lowercased().hasSuffix($0.rawValue) }) else {
            let names = ModelExport.allCases.map(\.rawValue).joined(separator: ", ")
            throw TreadleError(.usage, "\(path): the extension says the format, and must be one of \(names)")
        }
        self = format
    }

    /// Writes the model to `path`, all at once or not at all; with `roundsWeights`, the dense layers' weights as bfloat16.
    package func write(_ model: TrainedModel, roundsWeights: Bool = false, to path: String) throws {
        guard !roundsWeights || self == .onnx || self == .safetensors else {
            throw TreadleError(
                .usage, "\(path): NumPy and Keras files have no bfloat16; export the model as .onnx or .safetensors")
        }
        guard self != .keras || model.saved.network.members == 1 else {
            throw TreadleError(
                .usage,
                "\(path): Keras loads weights into one network, and \(model.path) has \(model.saved.network.members) members; "
                    + "export it as .onnx, which averages them, or as .safetensors or .npz")
        }
        var file = try DurableFile(creating: path, replacing: true)
        switch self {
        case .onnx:
            var export = ONNXExport(model, roundsWeights: roundsWeights)
            try file.write(export.bytes(name: model.configuration.name))
        case .safetensors: try SafetensorsExport.write(model, roundsWeights: roundsWeights, to: &file)
        case .npz: try NPZExport.write(model, to: &file)
        case .keras: try KerasWeightsExport.write(model, to: &file)
        }
        try file.commit()
    }

    /// What the file leaves to its reader; nil where it holds all that prediction needs.
    package func remark(on model: TrainedModel) -> String? {
        guard self != .onnx else { return nil }
        let normalization = model.saved.normalization
        var steps: [String] = []
        if !normalization.imputation.isEmpty { steps.append("replace missing inputs by normalization.imputation") }
        if !normalization.shift.isEmpty { steps.append("subtract normalization.shift from x") }
        if !normalization.factor.isEmpty { steps.append("multiply x by normalization.factor") }
        if !normalization.clip.isEmpty {
            steps.append("take x / sqrt(1 + (x / c)²) where c of normalization.clip is not 0")
        }
        let network = model.saved.network
        if !network.embedded.isEmpty {
            steps.append(
                "embed the columns of embedding.columns, \(network.stem.first?.kind == .ramps ? "by ramps" : "by waves")"
            )
        }
        if network.stem.last?.kind == .factors { steps.append("multiply by input_scale.weight") }
        if model.saved.temperature != nil { steps.append("divide the outputs by calibration.temperature") }
        if model.loss.link != .identity { steps.append("apply \(model.loss.link.rawValue) to the outputs") }
        if model.saved.network.members > 1 { steps.append("average what the members m1, m2, … say") }
        if !normalization.targetFactor.isEmpty {
            steps.append("divide the outputs by normalization.target_factor and add normalization.target_shift")
        }
        if !normalization.targetLow.isEmpty {
            steps.append("keep them between normalization.target_low and normalization.target_high")
        }
        return steps.isEmpty ? nil : "its reader has to " + steps.joined(separator: ", ")
    }
}
