internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleRun
internal import TreadleTools

/// `treadle train`: trains, from the beginning or from where an earlier run of the same job stopped.
enum TrainCommand {
    private static let job = Argument("JOB.json5", "the configuration", values: .file)
    private static let fresh = Option.flag("fresh", "start over, deleting the run's checkpoints")
    private static let acceptChangedData = Option.flag(
        "accept-changed-data", "continue although the data is not what the checkpoint was trained on")
    private static let acceptChangedNumerics = Option.flag(
        "accept-changed-numerics", "continue although the checkpoint was computed by another numerics contract")

    static let command = Command(
        "train", group: .training, summary: "train a model, or continue where an earlier run stopped",
        discussion: [
            "Checkpoints go to checkpoint.dir; SIGTERM, SIGINT, SIGUSR2 and SIGXCPU write one and exit with 75, SIGHUP and "
                + "SIGUSR1 write one and go on. The same command continues from the newest; it exits with 0 when nothing is left to do.",
            "The weights depend on the configuration, the data and the seed alone: threads, restarts and storage "
                + "change no bit of them. Neither does the number of ranks, where the program was built with MPI.",
        ],
        examples: [
            .init("treadle train churn.json5", "train, or continue"),
            .init("treadle train churn.json5 --fresh --set optimizer.lr=0.01", "start over with another rate"),
            .init("treadle train churn.json5 --json > summary.json", "keep the outcome for a script"),
            .init("mpirun -n 4 treadle train churn.json5", "share the work among four ranks"),
        ],
        arguments: [job], options: [fresh, acceptChangedData, acceptChangedNumerics], endsOnRequest: true
    ) { invocation in
        try Ranks.work(invocation.log) { ranks in try train(invocation, ranks) }
    }

    private static func train(_ invocation: Invocation, _ ranks: Ranks) throws -> ExitCode {
        let configuration = try invocation.configuration(at: invocation.argument(job))
        ranks.timeout = configuration.compute.rankTimeout
        try DataTrial.run(configuration, stop: Signals.stop, helper: .program)
        var options = Trainer.Options()
        options.fresh = invocation.has(fresh)
        options.acceptsChangedData = invocation.has(acceptChangedData)
        options.acceptsChangedNumerics = invocation.has(acceptChangedNumerics)
        options.ranks = ranks
        options.host = .program
        let summary = try Trainer.run(
            configuration, options: options,
            observer: Progress.observer(log: invocation.log, every: configuration.log.every))
        if invocation.wantsJSON, ranks.isFirst { try invocation.output.write(json: summary.json) }
        return summary.ending.isFinal ? .done : .stopped
    }
}

extension RunHost {
    /// This program, which is interrupted by signals.
    static var program: RunHost {
        var host = RunHost()
        host.stop = Signals.stop
        host.takeCheckpointRequest = Signals.takeCheckpointRequest
        // A digest can be right on any file: each is read in a process with limits before this one relies on it.
        host.examine = { _ = try CheckpointFile($0, helper: .program, stop: Signals.stop) }
        host.page = HTMLReport.page
        return host
    }
}
