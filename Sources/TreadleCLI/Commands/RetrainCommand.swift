internal import Foundation
internal import HDF5
internal import Synchronization
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleRun
internal import TreadleTools

/// `treadle retrain`: the command for cron.
enum RetrainCommand {
    private static let job = Argument("JOB.json5", "the configuration")
    private static let dryRun = Option.flag("dry-run", short: "n", "say what would happen and why, and change nothing")
    private static let rollback = Option.flag("rollback", "put the promoted model's predecessor back")
    private static let strict = Option.flag("strict", "exit with 10 when nothing changed, with 11 when not promoted")
    private static let promoteAnyway = Option.flag(
        "promote-anyway",
        "train, and promote without comparing: for data with other columns or classes, which are read anew")

    static let command = Command(
        "retrain", group: .training, summary: "retrain when the data changed, and promote the model if it is not worse",
        discussion: [
            "Takes the lock beside the run's directory, asks whether data or configuration changed since the promoted "
                + "model, trains from its weights or from new ones, measures old and new on the same validation rows, and replaces "
                + "retrain.promote.to by a rename if the new one is not worse by more than the tolerance. Predecessors are kept.",
            "Killed at any moment, the promoted model is whole, and the next call continues. With --quiet it prints nothing "
                + "unless a person must act.",
            "The hook, run by /bin/sh after a promotion, finds TREADLE_MODEL, TREADLE_PREDECESSOR, TREADLE_RUN, TREADLE_NAME, "
                + "TREADLE_DIGEST, TREADLE_METRIC, TREADLE_METRIC_OLD and TREADLE_METRIC_NEW in its environment.",
        ],
        examples: [
            .init("treadle retrain churn.json5 --quiet", "as a line of a crontab"),
            .init("treadle retrain churn.json5 --dry-run", "what would happen tonight?"),
            .init("treadle retrain churn.json5 --rollback", "serve the predecessor again"),
        ],
        arguments: [job], options: [dryRun, rollback, strict, promoteAnyway],
        endsOnRequest: true,
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        let stop = Signals.stop
        let configuration = try call.configuration(at: call.argument(job))
        // Training below an interactive terminal shows itself; from cron, one summary line is all.
        let isWatched = call.log.terminal.isTerminal && !call.isQuiet
        let quiet = QuietProgress(log: call.log, keepsBack: call.isQuiet)
        let observer: any TrainingObserver =
            isWatched ? Progress.observer(log: call.log, every: configuration.log.every) : quiet
        var options = Retraining.Options()
        options.host = .program
        options.isDryRun = call.has(dryRun)
        options.promotesAnyway = call.has(promoteAnyway)
        let retraining = try Retraining(configuration, options: options, observer: observer)
        if !call.has(rollback) { try DataTrial.run(configuration, stop: stop, helper: .program) }
        let report: RetrainReport
        do {
            report = call.has(rollback) ? try retraining.rollBack() : try retraining.run()
        } catch {
            quiet.release()
            throw error
        }
        let drift = driftWarning(report, configuration)
        if report.outcome == .notPromoted || report.hookFailure != nil || drift != nil { quiet.release() }

        if call.wantsJSON {
            try call.output.write(json: report.json)
        } else if !call.isQuiet {
            try call.output.writeLine(line(report, name: configuration.name))
        }
        if let drift { call.log.warning(drift) }
        if report.outcome == .notPromoted { call.log.warning("\(configuration.name): not promoted: \(report.reason)") }
        guard report.hookFailure == nil else {
            throw TreadleError(
                .inputOutput,
                "\(report.hookFailure ?? ""); \(report.model) was promoted all the same: repeat what the hook does by hand"
            )
        }
        return code(report.outcome, isStrict: call.has(strict))
    }

    private static func code(_ outcome: RetrainReport.Outcome, isStrict: Bool) -> ExitCode {
        switch outcome {
        case .interrupted: .stopped
        case .unchanged, .skipped: isStrict ? .unchanged : .done
        case .notPromoted: isStrict ? .notPromoted : .done
        case .promoted, .rolledBack, .dryRun: .done
        }
    }

    /// What to tell a person of data that is no longer like what the served model was trained on.
    private static func driftWarning(_ report: RetrainReport, _ configuration: Configuration) -> String? {
        guard let limit = configuration.retrain?.promote?.warnDrift, let columns = report.drift?.columns else {
            return nil
        }
        let drifted = columns.filter { $0.amount >= limit }
        guard !drifted.isEmpty else { return nil }
        let shown = drifted.prefix(8).map { "\($0.name.printable) by \(Figure.steady($0.amount))" }
        let more = drifted.count > 8 ? " and \(drifted.count - 8) more" : ""
        return
            "\(configuration.name): the data drifted, \(shown.joined(separator: ", "))\(more) (standard deviations, or "
            + "doublings of the spread; retrain.promote.warn_drift is \(Figure.short(limit))); look whether that is meant"
    }

    /// `churn: promoted models/churn.h5: valid.loss 0.231 → 0.219; drift: age by 0.42`
    private static func line(_ report: RetrainReport, name: String) -> String {
        var line = "\(name): "
        switch report.outcome {
        case .promoted: line += "promoted \(report.model): "
        case .notPromoted: line += "not promoted: "
        case .unchanged: line += "unchanged: "
        case .skipped: line += "skipped: "
        case .interrupted: line += "interrupted: "
        case .rolledBack: line += "rolled back \(report.model): "
        case .dryRun: line += "dry run: "
        }
        line += report.reason
        if let change = report.change { line += " (\(change))" }
        if let drift = report.drift {
            let worst = drift.columns.prefix(3).filter { $0.amount >= 0.1 }
            if !worst.isEmpty {
                line +=
                    "; drift: "
                    + worst.map { "\($0.name.printable) by \(Figure.steady($0.amount))" }.joined(separator: ", ")
            }
        }
        if !report.newValues.isEmpty {
            let values = report.newValues.sorted { $0.key < $1.key }.map {
                "\($0.value) of \"\($0.key.printable)\""
            }
            line += "; values that nothing was learnt about, taken as other: " + values.joined(separator: ", ")
        }
        return line
    }
}

extension RetrainReport {
    fileprivate var json: JSONValue {
        let drift: JSONValue =
            drift.map { drift in
                .array(
                    drift.columns.prefix(10).map {
                        ["column": .string($0.name), "shift": .number($0.shift), "scale": .number($0.scale)]
                    })
            } ?? .null
        return [
            "outcome": .string(outcome.rawValue), "reason": .string(reason),
            "change": change.map(JSONValue.string) ?? .null, "model": .string(model),
            "metric": metric.map(JSONValue.string) ?? .null, "old": old.map(JSONValue.number) ?? .null,
            "new": new.map(JSONValue.number) ?? .null, "digest": digest.map(JSONValue.string) ?? .null, "drift": drift,
            "difference": difference.map { difference in
                [
                    "value": .number(difference.interval.value), "low": .number(difference.interval.low),
                    "high": .number(difference.interval.high), "not_worse": .number(difference.notWorse),
                ]
            } ?? .null,
            "new_values": .object(newValues.keys.sorted().map { .init($0, .integer(newValues[$0] ?? 0)) }),
            "hook_failure": hookFailure.map(JSONValue.string) ?? .null,
        ]
    }
}

/// Training that nobody watches: warnings and errors alone.
///
/// Where a person shall hear of nothing but what they must act on, warnings are kept back until there is such a thing.
private final class QuietProgress: TrainingObserver {
    private let log: Log
    /// What is kept back; nil where nothing is.
    private let kept: Mutex<[String]?>

    init(log: Log, keepsBack: Bool) {
        self.log = log
        kept = Mutex(keepsBack ? [] : nil)
    }

    func note(_ level: LogLevel, _ message: String) {
        guard level == .warning || level == .error else { return }
        let isKept = kept.withLock { kept in
            guard kept != nil, level == .warning else { return false }
            kept?.append(message)
            return true
        }
        if !isKept { log.write(level, message) }
    }

    /// Says what was kept back.
    func release() {
        let messages = kept.withLock { kept in
            defer { kept = nil }
            return kept ?? []
        }
        for message in messages { log.write(.warning, message) }
    }

    func began(_ overview: RunOverview) {}
    func stepped(_ report: StepReport) {}
    func epochEnded(_ record: EpochRecord) {}
    func checkpointed(_ path: String, at cursor: Cursor) {}
    func finished(_ summary: RunSummary) {}
}
