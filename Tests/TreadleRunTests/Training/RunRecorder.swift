import Synchronization
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleRun

/// Keeps what a run tells, and asks it to stop after so many steps of this process.
final class RunRecorder: TrainingObserver {
    private struct Told {
        var notes: [String] = []
        var losses: [Double] = []
        var rates: [Double] = []
        var epochs: [EpochRecord] = []
        var overview: RunOverview?
    }

    private let told = Mutex(Told())
    private let stop: Stop
    private let steps: Int?

    init(stop: Stop = Stop(), after steps: Int? = nil) {
        self.stop = stop
        self.steps = steps
    }

    var notes: [String] { told.withLock { $0.notes } }
    var rates: [Double] { told.withLock { $0.rates } }
    var epochs: [EpochRecord] { told.withLock { $0.epochs } }
    var overview: RunOverview? { told.withLock { $0.overview } }

    func note(_ level: LogLevel, _ message: String) { told.withLock { $0.notes.append(message) } }
    func began(_ overview: RunOverview) { told.withLock { $0.overview = overview } }
    func stepped(_ report: StepReport) {
        let count = told.withLock {
            $0.losses.append(report.loss)
            $0.rates.append(report.rate)
            return $0.losses.count
        }
        if count == steps { stop.request() }
    }
    func epochEnded(_ record: EpochRecord) { told.withLock { $0.epochs.append(record) } }
    func checkpointed(_ path: String, at cursor: Cursor) {}
    func finished(_ summary: RunSummary) {}
}
