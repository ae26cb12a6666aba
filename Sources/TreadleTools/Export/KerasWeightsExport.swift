internal import HDF5
internal import TreadleBase
internal import TreadleModel
internal import TreadleRun

/// A model's weights as Keras 3 keeps them: `/layers/dense/vars/0` is a kernel, `…/1` its bias.
///
/// Keras has no place for normalization among the weights: it stands beside them, under `/normalization`, and so does
/// `/calibration`. For the layers of a stem it has no like.
enum KerasWeightsExport {
    static func write(_ model: TrainedModel, to file: inout DurableFile) throws {
        guard model.saved.network.stem.isEmpty else {
            throw TreadleError(
                .badData,
                "Keras has no layers for model.embedding and model.scale_inputs, which this model has; export it as .onnx, "
                    + ".safetensors or .npz")
        }
        let image = try H5File.image { root in
            for layer in model.saved.parameters {
                let variables = try root.createGroup("layers/\(layer.name)/vars")
                try variables.setAttribute("name", layer.name)
                try variables.write(layer.weight, as: "0")
                if let bias = layer.bias { try variables.write(bias, as: "1") }
            }
            for (name, tensor) in model.saved.exportedTensors
            where name.hasPrefix("normalization.") || name.hasPrefix("calibration.") {
                try root.write(tensor, as: name.replacing(".", with: "/"))
            }
        }
        try unsafe image.withUnsafeBytes { try file.write(unsafe $0.bytes) }
    }
}

extension H5Container {
    fileprivate func write(_ tensor: Tensor, as name: String) throws {
        switch tensor.storage {
        case .float32(let values): try write(values, to: name, shape: tensor.shape, as: .float32)
        case .float64(let values): try write(values, to: name, shape: tensor.shape, as: .float64)
        }
    }
}
