internal import Foundation
internal import TreadleBase
internal import TreadleRun
internal import TreadleTools

/// `treadle export FILE -o m.onnx`: a model in the formats of others.
enum ExportCommand {
    private static let file = Argument("FILE", "the checkpoint")
    private static let output = Option.value(
        "output", short: "o", "OUT", "the file to write, whose extension says the format", values: .file)
    private static let rounds = Option.flag(
        "bf16",
        "write the dense layers' weights as bfloat16 (.onnx and .safetensors): half the size, eight bits of significand"
    )
    private static let force = Option.flag("force", "replace the file if it exists")

    static let command = Command(
        "export", group: .using, summary: "write a model as ONNX, safetensors, NPZ or Keras weights",
        discussion: [
            ".onnx predicts by itself: x in the data's own units, any number of rows, in 32 bits; out come "
                + "probabilities and class, probabilities and label, or value.",
            ".safetensors and .npz hold the weights (inputs×units) as dense.weight, dense.bias, dense_1.weight, … and "
                + "what is done to inputs and targets as normalization.shift, normalization.factor, …; .weights.h5 is "
                + "what Keras 3 loads with load_weights.",
            "With --bf16 the weights are those that a network of model.precision \"bfloat16\" multiplies by, exactly; any other "
                + "model's are rounded to the nearest such numbers. Biases and all else keep their bits.",
        ],
        examples: [
            .init("treadle export runs/churn/final.h5 -o churn.onnx", "for onnxruntime"),
            .init("treadle export runs/churn/final.h5 -o churn.safetensors --bf16", "half as large"),
            .init("treadle export runs/churn/final.h5 -o churn.weights.h5", "for a Keras model of the same layers"),
        ],
        arguments: [file], options: [output, rounds, force],
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        let path = try call.required(output)
        let format = try ModelExport(path: path)
        if !call.has(force) { try DurableFile.refuseExisting(path) }
        let model = try TrainedModel.read(call.argument(file), helper: .program)
        try format.write(model, roundsWeights: call.has(rounds), to: path)
        let remark = format.remark(on: model)
        if call.wantsJSON {
            try call.output.write(
                json: .object([.init("file", .string(path)), .init("remark", remark.map(JSONValue.string) ?? .null)]))
            return .done
        }
        call.log.note("wrote \(path)" + (remark.map { ": \($0)" } ?? ""))
        return .done
    }
}
