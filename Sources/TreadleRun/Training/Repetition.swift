internal import Foundation
internal import Synchronization
package import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
package import TreadleModel

/// Computes a stretch of steps twice, in two ways that must give the same bits: what differs is the machine's fault.
///
/// Both continue from a checkpoint, on its data. The second has another number of threads, so that other cores do other
/// parts of the work, and a plainer instruction set where the CPU has one that is not much slower.
package enum Repetition {
    package struct Outcome: Equatable, Sendable {
        /// Steps computed twice, and how each time.
        package var steps: Int
        package var ways: [ComputingWay]
        /// Of the weights after the last step, the first time.
        package var digest: String
        /// Where the second time first gave something else; nil where all bits were the same.
        package var difference: StepDifference?
    }

    /// The digests of every layer after each step, once.
    private final class Trace: Sendable {
        let steps = Mutex<[Int: [String]]>([:])
        let last = Mutex<String>("")
    }

    /// `disturb` sees the weights after each step of each time (0 and 1) before they are compared: how tests plant a fault.
    package static func run(
        _ file: CheckpointFile, steps: Int, threads: Int, stop: Stop, observer: any TrainingObserver,
        disturb: @escaping @Sendable (_ time: Int, _ step: Int, inout [LayerParameters]) -> Void = { _, _, _ in }
    ) throws -> Outcome {
        let (usual, other) = ComputingWay.two(threads: threads, precision: file.head.precision)
        let ways = [usual, other]
        let traces = [Trace(), Trace()]
        for (time, way) in ways.enumerated() {
            observer.note(.info, "computing \(steps) steps with \(way.text), \(time == 0 ? "once" : "and again")")
            let trace = traces[time]
            try Treadle.with(instructionSet: way.set) {
                try compute(file, steps: steps, threads: way.threads, stop: stop, observer: observer) {
                    step, parameters in
                    var parameters = parameters
                    disturb(time, step, &parameters)
                    let digests = parameters.map { [$0].digest }
                    let digest = parameters.digest
                    trace.steps.withLock { $0[step] = digests }
                    trace.last.withLock { $0 = digest }
                }
            }
        }
        let (first, second) = (traces[0].steps.withLock { $0 }, traces[1].steps.withLock { $0 })
        let difference = first.keys.sorted().lazy.compactMap { step in
            StepDifference(first[step] ?? [], second[step] ?? [], after: step, of: file.head.network)
        }.first
        return Outcome(
            steps: first.count, ways: ways, digest: traces[0].last.withLock { $0 }, difference: difference)
    }

    /// Continues the run from the checkpoint in a directory of its own, which is gone afterwards.
    private static func compute(
        _ file: CheckpointFile, steps: Int, threads: Int, stop: Stop, observer: any TrainingObserver,
        trace: @escaping @Sendable (_ step: Int, _ parameters: [LayerParameters]) -> Void
    ) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "treadle-repeat-\(UUID().uuidString)")
        defer {
            try? FileManager.default.removeItem(at: directory)
            try? FileManager.default.removeItem(atPath: directory.path + ".lock")
        }
        let model = try TrainedModel(file)
        var configuration = model.configuration
        let cursor = file.head.cursor
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let start = directory.appending(path: CheckpointName.step(cursor.step).fileName).path
        try FileManager.default.copyItem(atPath: file.path, toPath: start)
        configuration.checkpoint.dir = directory.path
        configuration.checkpoint.every = CheckpointInterval(time: nil, epochs: nil, steps: nil)
        configuration.checkpoint.keepBest = 0
        configuration.compute.threads = .value(threads)
        configuration.compute.audit = nil
        configuration.calibrate = false
        configuration.data.test = nil
        // Wherever the run ended, it goes on for so many steps.
        configuration.stop.epochs = max(configuration.stop.epochs, cursor.epoch + steps + 1)
        configuration.stop.steps = cursor.step + steps
        configuration.stop.wallTime = nil
        configuration.stop.early?.patience = .max
        configuration.stop.early?.restoreBest = false
        configuration.log.tensorboard = false
        configuration.log.prometheus = nil
        var options = Trainer.Options()
        options.host.stop = stop
        options.expectedFingerprint = file.head.fingerprint
        options.acceptsChangedNumerics = true
        options.trace = trace
        options.columns = try model.columnsOfTables(in: configuration)
        let summary = try Trainer.run(configuration, options: options, observer: NotesAlone(observer))
        guard summary.ending.isFinal else {
            throw TreadleError(.tryAgain, "stopped before the steps were computed twice; start over to try again")
        }
    }
}

/// Passes on errors alone: how a stretch of steps begins and ends is of no interest here.
private final class NotesAlone: TrainingObserver {
    private let observer: any TrainingObserver

    init(_ observer: any TrainingObserver) {
        self.observer = observer
    }

    func note(_ level: LogLevel, _ message: String) {
        if level == .error { observer.note(level, message) }
    }

    func began(_ overview: RunOverview) {}
    func stepped(_ report: StepReport) {}
    func epochEnded(_ record: EpochRecord) {}
    func checkpointed(_ path: String, at cursor: Cursor) {}
    func finished(_ summary: RunSummary) {}
}
