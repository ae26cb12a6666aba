internal import TreadleBase
internal import TreadleData
internal import TreadleRun

/// How a run is shown.
enum Progress {
    /// An observer that draws on the log's terminal, or writes lines where there is none to draw on.
    static func observer(log: Log, every interval: Duration) -> any TrainingObserver {
        let isDrawn = log.terminal.isLive && log.lowest.severity <= LogLevel.info.severity
        return isDrawn ? LiveProgress(log: log) : LineProgress(log: log, every: interval)
    }
}

extension RunSummary {
    /// What `treadle train --json` writes.
    var json: JSONValue {
        .object([
            .init("ending", .string(ending.rawValue)),
            .init("directory", .string(directory)),
            .init("epoch", .integer(cursor.epoch)),
            .init("step", .integer(cursor.step)),
            .init("seconds", .number(seconds)),
            .init(
                "metrics",
                .object(
                    EpochTable.ordered(metrics.keys).map { .init($0, metrics[$0].map(JSONValue.number) ?? .null) })),
            .init("best", best.map(JSONValue.number) ?? .null),
            .init("best_epoch", bestEpoch.map(JSONValue.integer) ?? .null),
            .init("checkpoint", checkpoint.map(JSONValue.string) ?? .null),
            .init("digest", digest.map(JSONValue.string) ?? .null),
        ])
    }
}
