internal import HDF5
internal import TreadleTools

/// `treadle diff A B`: what changed between two checkpoints, or files that hold a model's numbers.
enum DiffCommand {
    private static let before = Argument(
        "A", "the older checkpoint, or an .onnx, .safetensors, .npz or .weights.h5 file")
    private static let after = Argument("B", "the newer one")

    static let command = Command(
        "diff", group: .looking,
        summary: "show what changed between two checkpoints or exported models",
        discussion: [
            "Compares settings, the weights of every layer and the metrics of these weights. Exits with 1 when the "
                + "weights differ in any bit, with 0 when they are the same, whatever else differs.",
            "Files in the formats of others are compared by the names of their arrays, with each other or with a checkpoint: "
                + "weights and normalization. Where one has 32 bits and the other 64, both count as rounded to 32.",
        ],
        examples: [
            .init("treadle diff yesterday.h5 models/churn.h5", "what the night has changed"),
            .init("treadle diff models/churn.h5 churn.onnx", "does the export hold the same numbers?"),
            .init("treadle diff --quiet a.h5 b.h5 && echo same", "the answer alone, as an exit code"),
            .init("treadle diff --json a.h5 b.h5", "all of it for programs"),
        ],
        arguments: [before, after],
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        let paths = [call.argument(before), call.argument(after)]
        let difference = try ModelDifference.between(
            paths[0], paths[1], helper: .program, workers: try call.workers())
        if call.wantsJSON {
            try call.output.write(json: difference.json(paths[0], paths[1]))
        } else if !call.isQuiet {
            let unicode = call.output.terminal.hasUnicode
            try call.output.write(DifferenceText(difference, paths: paths, unicode: unicode).text)
        }
        return difference.weightsDiffer ? .negative : .done
    }
}
