internal import HDF5
internal import TreadleRun
internal import TreadleTools

/// `treadle diff A B`: what changed between two checkpoints.
enum DiffCommand {
    private static let before = Argument("A", "the older checkpoint")
    private static let after = Argument("B", "the newer checkpoint")

    static let command = Command(
        "diff", group: .looking,
        summary: "show what changed between two checkpoints",
        discussion: [
            "Compares settings, the weights of every layer and the metrics of the last epoch. Exits with 1 when the "
                + "weights differ in any bit, with 0 when they are the same, whatever else differs."
        ],
        examples: [
            .init("treadle diff yesterday.h5 models/churn.h5", "what the night has changed"),
            .init("treadle diff --quiet a.h5 b.h5 && echo same", "the answer alone, as an exit code"),
            .init("treadle diff --json a.h5 b.h5", "all of it for programs"),
        ],
        arguments: [before, after],
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        let paths = [call.argument(before), call.argument(after)]
        let difference = ModelDifference(
            from: try CheckpointFile(paths[0], helper: .program).checkpoint(),
            to: try CheckpointFile(paths[1], helper: .program).checkpoint(),
            workers: try call.workers())
        if call.wantsJSON {
            try call.output.write(json: difference.json(paths[0], paths[1]))
        } else if !call.isQuiet {
            let unicode = call.output.terminal.hasUnicode
            try call.output.write(DifferenceText(difference, paths: paths, unicode: unicode).text)
        }
        return difference.weightsDiffer ? .negative : .done
    }
}
