internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleRun

/// `treadle reproduce`: does training again give the same bits?
enum ReproduceCommand {
    private static let file = Argument("FILE", "the checkpoint")
    private static let repeated = Option.flag(
        "repeat", "compute some steps from here on twice, on other cores and instructions: finds broken hardware")
    private static let steps = Option.value("steps", "N", "with --repeat: how many steps (default: 200)")

    static let command = Command(
        "reproduce", group: .looking,
        summary: "train a checkpoint's run again and compare the weights, bit for bit",
        discussion: [
            "Takes the configuration out of the file and the data from where that says, trains in a temporary directory up "
                + "to where the checkpoint stood, and compares the digests of the weights. Exits with 1 when they differ, and "
                + "with 65 when the data is no longer what it was or the file's numerics are not this release's.",
            "With --repeat it continues from the checkpoint instead, computes some steps twice, with another number of threads "
                + "and a plainer instruction set the second time, and compares the weights after every step. All bits must be "
                + "the same: a difference means that CPU or memory are broken, is named by step and layer, and exits with 70.",
            "A checkpoint that started from other weights (treadle retrain with a warm start) needs those to be reproduced.",
        ],
        examples: [
            .init("treadle reproduce models/churn.h5", "is this what configuration, data and seed give?"),
            .init("treadle reproduce runs/churn/final.h5 --threads 1 --json", "on one thread, for a script"),
            .init("treadle reproduce runs/churn/final.h5 --repeat --steps 200", "is this machine sound?"),
        ],
        arguments: [file], options: [repeated, steps],
        endsOnRequest: true,
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        let stop = Signals.stop
        let file = try CheckpointFile(call.argument(file), helper: .program, stop: Signals.stop)
        let model = try TrainedModel(file)
        guard call.has(repeated) || !call.has(steps) else { throw call.usage("--steps goes with --repeat") }
        // Its data may have become a file that crashes libhdf5, which reads it in this process afterwards.
        try DataTrial.run(model.configuration, stop: stop, helper: .program)
        guard call.has(repeated) else {
            return try reproduce(model, of: file, call, stop)
        }
        let workers = try call.workers()
        let count = try call.integer(steps, in: 1...1_000_000) ?? 200
        let outcome = try Repetition.run(
            file, steps: count, threads: workers.count, stop: stop,
            observer: Progress.observer(log: call.log, every: model.configuration.log.every))
        if call.wantsJSON {
            try call.output.write(
                json: [
                    "file": .string(model.path), "same": .bool(outcome.difference == nil),
                    "steps": .integer(outcome.steps), "ways": .array(outcome.ways.map { .string($0.text) }),
                    "digest": .string(outcome.digest),
                    "step": outcome.difference.map { .integer($0.step) } ?? .null,
                    "layer": outcome.difference.map { .string($0.layer) } ?? .null,
                ])
        } else if outcome.difference == nil {
            try call.output.writeLine(
                "same  \(model.path): \(outcome.steps) steps gave the same bits with \(outcome.ways.map(\.text).joined(separator: " and "))"
            )
        }
        guard let difference = outcome.difference else { return .done }
        throw TreadleError(
            .bug,
            "\(model.path): \(difference.text(outcome.ways)); do not trust what it computed, and test it")
    }

    private static func reproduce(
        _ model: TrainedModel, of file: CheckpointFile, _ call: Invocation, _ stop: Stop
    ) throws -> ExitCode {
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
