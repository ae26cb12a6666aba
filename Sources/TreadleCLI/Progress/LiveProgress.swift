internal import Synchronization
internal import TreadleBase
internal import TreadleData
internal import TreadleRun

/// A run on a terminal: a live line while it trains, a row of a table for each epoch, the curve at the end.
final class LiveProgress: TrainingObserver {
    private let log: Log
    private let state = Mutex(State())

    private struct State {
        var meter: ProgressMeter?
        var table: EpochTable?
        var lastDrawn = -1.0
        /// Measured once a second: more often, the numbers would flicker.
        var figures = SteadyFigures(every: .seconds(1))
        var measured: SteadyFigures.Report?
    }

    init(log: Log) {
        self.log = log
    }

    func note(_ level: LogLevel, _ message: String) { log.write(level, message) }

    func began(_ overview: RunOverview) {
        state.withLock { $0.meter = ProgressMeter(overview) }
        for line in RunWording.opening(overview, unicode: log.terminal.hasUnicode) { log.note(line) }
    }

    func stepped(_ report: StepReport) {
        let line: String? = state.withLock { state in
            state.meter?.add(report)
            state.measured = state.figures.add(report) ?? state.measured
            guard let meter = state.meter, report.seconds - state.lastDrawn >= 0.1 else { return nil }
            state.lastDrawn = report.seconds
            let line = LiveLine(meter: meter, figures: state.measured)
            // The last column stays free: some terminals break the line there.
            return line.text(width: log.terminal.width() - 1, unicode: log.terminal.hasUnicode)
        }
        if let line { log.showLive(line) }
    }

    func epochEnded(_ record: EpochRecord) {
        log.showLive(nil)
        let (header, row): (String?, String) = state.withLock { state in
            let isFirst = state.table == nil
            let table =
                state.table
                ?? EpochTable(
                    like: record, epochs: state.meter?.overview.epochs ?? record.epoch,
                    width: log.terminal.width() - 1)
            state.table = table
            state.meter?.endEpoch()
            return (isFirst ? table.header : nil, table.row(record))
        }
        if let header { log.draw(.info, [log.terminal.bold(header)]) }
        log.note(row)
    }

    func checkpointed(_ path: String, at cursor: Cursor) { log.debug("wrote \(path)") }

    func finished(_ summary: RunSummary) {
        log.showLive(nil)
        let lines = RunWording.closing(summary)
        guard !lines.isEmpty else { return }
        let curve = LossCurve(summary.history)
        if let text = curve.text(width: log.terminal.width() - 1, unicode: log.terminal.hasUnicode) {
            log.note("\n" + text)
        }
        for line in lines { log.note(line) }
    }
}
