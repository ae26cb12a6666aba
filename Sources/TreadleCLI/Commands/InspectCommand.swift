internal import Treadle

/// `treadle inspect FILE`: what a checkpoint holds and how healthy it is.
enum InspectCommand {
    private static let file = Argument("FILE.h5", "a checkpoint")
    private static let digest = Option.flag("digest", "print the SHA-256 of the parameters and nothing else")

    static let command = Command(
        "inspect", group: .looking,
        summary: "show what a checkpoint holds and how healthy it is",
        discussion: [],
        examples: [
            .init("treadle inspect runs/churn/final.h5", "the network, its training, its numbers, what looks wrong"),
            .init("treadle inspect --digest runs/churn/final.h5", "equal digests mean equal weights"),
            .init("treadle inspect --json runs/churn/final.h5", "all of it for programs"),
        ],
        arguments: [file],
        options: [digest],
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        let path = call.argument(file)
        if call.has(digest) {
            try call.output.writeLine(try CheckpointFile.read(path).parameterDigest)
            return .done
        }
        let inspection = try Inspection.read(path, workers: try call.workers())
        if call.wantsJSON {
            try call.output.write(json: inspection.json)
            return .done
        }
        let terminal = call.output.terminal
        let text = InspectionText(
            inspection, width: terminal.width(fallback: 100), unicode: terminal.hasUnicode, heading: terminal.bold)
        try call.output.write(text.text)
        return .done
    }
}
