internal import Foundation
internal import Synchronization
package import TreadleBase
package import TreadleData

/// Writes a run's figures as TensorBoard reads them: `tensorboard --logdir` on the run's directory shows them.
///
/// `batch/…` once per interval, the epoch's metrics by name (`train/loss`, `valid/loss`). The file is one of its
/// own for each process; a run that continues tells TensorBoard to drop what it is about to do again. A file that
/// cannot be written is said once, and training goes on.
package final class TensorBoardFile: TrainingObserver {
    private let directory: String
    private let report: @Sendable (String) -> Void
    private let state: Mutex<State>

    private struct State {
        var file: FileHandle?
        var figures: SteadyFigures
    }

    /// `report` is told where the file cannot be written.
    package init(directory: String, every interval: Duration, report: @escaping @Sendable (String) -> Void) {
        self.directory = directory
        self.report = report
        state = Mutex(State(file: nil, figures: SteadyFigures(every: interval)))
    }

    package func note(_ level: LogLevel, _ message: String) {}
    package func checkpointed(_ path: String, at cursor: Cursor) {}

    package func began(_ overview: RunOverview) {
        let time = Date().timeIntervalSince1970
        let process = ProcessInfo.processInfo
        let name = "events.out.tfevents.\(Int(time)).\(process.hostName).\(process.processIdentifier).0"
        let path = directory + "/" + name
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else {
            report("\(path): cannot be created; training goes on without log.tensorboard")
            return
        }
        state.withLock { $0.file = file }
        var events = [TensorBoardEvent(time: time, step: 0, content: .version)]
        if overview.start.step > 0 {
            events.append(TensorBoardEvent(time: time, step: overview.start.step + 1, content: .restart))
        }
        write(events)
    }

    package func stepped(_ step: StepReport) {
        guard let figures = state.withLock({ $0.figures.add(step) }) else { return }
        write(
            figures.cursor.step,
            [
                .init("batch/loss", figures.loss), .init("batch/rate", figures.rate),
                .init("batch/samples_per_second", figures.samplesPerSecond),
                .init("batch/input_wait", figures.inputWait),
            ])
    }

    package func epochEnded(_ record: EpochRecord) {
        write(record.step, Self.scalars(record.metrics) + [.init("train/rate", record.rate)])
    }

    package func finished(_ summary: RunSummary) {
        let file = state.withLock { state in
            defer { state.file = nil }
            return state.file
        }
        try? file?.close()
    }

    /// `valid.loss` → `valid/loss`: TensorBoard groups by what stands before the slash.
    private static func scalars(_ metrics: [String: Double]) -> [TensorBoardEvent.Scalar] {
        metrics.sorted { $0.key < $1.key }.map { name, value in
            let parts = name.split(separator: ".", maxSplits: 1)
            return .init(parts.count == 2 ? "\(parts[0])/\(parts[1])" : "train/\(name)", value)
        }
    }

    private func write(_ step: Int, _ scalars: [TensorBoardEvent.Scalar]) {
        write([TensorBoardEvent(time: Date().timeIntervalSince1970, step: step, content: .scalars(scalars))])
    }

    private func write(_ events: [TensorBoardEvent]) {
        let failure: (any Error)? = state.withLock { state in
            do {
                try state.file?.write(contentsOf: Data(events.flatMap(\.record)))
                return nil
            } catch {
                state.file = nil
                return error
            }
        }
        if let failure {
            report("\(directory): TensorBoard's file cannot be written (\(failure)); training goes on without it")
        }
    }
}
