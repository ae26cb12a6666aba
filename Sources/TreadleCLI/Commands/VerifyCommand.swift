internal import TreadleBase
internal import TreadleData
internal import TreadleModel
internal import TreadleRun
internal import TreadleTools

/// `treadle verify FILE…`: are these checkpoints whole and sane?
enum VerifyCommand {
    private static let files = Argument("FILE.h5", "checkpoints", count: .oneOrMore)

    static let command = Command(
        "verify", group: .looking,
        summary: "check that checkpoints are whole: digest, structure, finite values",
        discussion: [
            "Writes one line a file. Exits with 1 when a file is bad; one that is missing or cannot be opened is an "
                + "error of its own (66, 77)."
        ],
        examples: [
            .init("treadle verify runs/churn/*.h5", "check every checkpoint of a run"),
            .init("treadle verify --quiet models/churn.h5 || mail -s 'bad model' ops", "say something only when bad"),
            .init("treadle verify --json runs/churn/best.h5", "the same for programs"),
        ],
        arguments: [files],
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        var reports: [JSONValue] = []
        var code = ExitCode.done
        for file in call.arguments(files) {
            do {
                let checkpoint = try CheckpointFile(file, helper: .program)
                try checkpoint.checkFinite(workers: try call.workers())
                if call.wantsJSON {
                    reports.append(try report(file, checkpoint))
                } else if !call.isQuiet {
                    try call.output.writeLine(line(file, checkpoint.head))
                }
            } catch let error as TreadleError where error.kind == .badData {
                reports.append(["file": .string(file), "ok": false, "error": .string(error.description)])
                if !call.wantsJSON { try call.output.writeLine("bad  \(error)") }
                code = .negative
            } catch let error as TreadleError {
                reports.append(["file": .string(file), "ok": false, "error": .string(error.description)])
                call.log.error(error.description)
                if code == .done { code = ExitCode(value: error.exitCode) }
            }
        }
        if call.wantsJSON { try call.output.write(json: .array(reports)) }
        return code
    }

    private static func line(_ file: String, _ checkpoint: CheckpointHead) -> String {
        let layers = Figure.count(checkpoint.network.layers.count, "layer")
        let parameters = Figure.count(checkpoint.network.parameterCount, "parameter")
        return "ok   \(file): step \(Figure.grouped(checkpoint.cursor.step)), \(layers), \(parameters)"
    }

    private static func report(_ file: String, _ stored: CheckpointFile) throws -> JSONValue {
        let checkpoint = stored.head
        return [
            "file": .string(file), "ok": true,
            "step": .integer(checkpoint.cursor.step), "epoch": .integer(checkpoint.cursor.epoch),
            "layers": .integer(checkpoint.network.layers.count),
            "parameters": .integer(checkpoint.network.parameterCount),
            "digest": .string(try stored.parameterDigest()),
            "program_version": .string(checkpoint.programVersion),
        ]
    }
}
