internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleRun

/// `treadle reproduce`: does training again give the same bits?
enum ReproduceCommand {
    private static let file = Argument("FILE", "the checkpoint")

    static let command = Command(
        "reproduce", group: .looking,
        summary: "train a checkpoint's run again and compare the weights, bit for bit",
        discussion: [
            "Takes the configuration out of the file and the data from where that says, trains in a temporary directory up "
                + "to where the checkpoint stood, and compares the digests of the weights. Exits with 1 when they differ, and "
                + "with 65 when the data is no longer what it was or the file's numerics are not this release's.",
            "A checkpoint that started from other weights (treadle retrain with a warm start) needs those to be reproduced.",
        ],
        examples: [
            .init("treadle reproduce models/churn.h5", "is this what configuration, data and seed give?"),
            .init("treadle reproduce runs/churn/final.h5 --threads 1 --json", "on one thread, for a script"),
        ],
        arguments: [file],
        endsOnRequest: true,
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        let stop = Signals.stop
        let file = try CheckpointFile(call.argument(file), helper: .program)
        let model = try TrainedModel(file)
        let workers = try call.workers(configured: model.configuration.compute.threads)
        let outcome = try Reproduction.run(
            model, course: file.head.course, threads: workers.count, stop: stop,
            observer: Progress.observer(log: call.log, every: model.configuration.log.every))
        if call.wantsJSON {
            try call.output.write(
                json: [
                    "file": .string(model.path), "same": .bool(outcome.isSame), "expected": .string(outcome.expected),
                    "found": .string(outcome.found),
                ])
        } else if outcome.isSame {
            try call.output.writeLine("same  \(model.path): training again gives the same weights, \(outcome.found)")
        } else {
            try call.output.writeLine(
                "differs  \(model.path): its weights are \(outcome.expected), training again gives \(outcome.found)")
        }
        return outcome.isSame ? .done : .negative
    }
}
