internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine

/// Steps over batches from a loader, timed, with the time that went into the loader.
final class Training {
    let step: EnsembleStep<Float>
    private let loader: BatchLoader<Float>
    private let rate: Double
    private var updates = 0

    init(_ step: EnsembleStep<Float>, _ loader: BatchLoader<Float>, _ configuration: Configuration) {
        self.step = step
        self.loader = loader
        rate = configuration.optimizer.lr
    }

    /// Trains for `seconds`, across the ends of epochs.
    @discardableResult
    func run(seconds wanted: Double) throws -> JSONValue {
        let start = Clock.wallTime()
        var (samples, inLoader, now) = (0, 0.0, start)
        repeat {
            let batch = try unsafe loader.next()
            let handed = Clock.wallTime()
            inLoader += handed - now
            now = handed
            guard let batch = unsafe batch else { continue }
            unsafe train(batch)
            samples += unsafe batch.rows
            now = Clock.wallTime()
        } while now - start < wanted
        return [
            "samples": .integer(samples), "seconds": .number(now - start), "in_loader": .number(inLoader),
            "peak_bytes": .integer(Memory.peakBytes),
        ]
    }

    /// Trains to the end of the epoch and returns the seconds it took.
    func runEpoch() throws -> Double {
        let start = Clock.wallTime()
        while let batch = try unsafe loader.next() { unsafe train(batch) }
        return Clock.wallTime() - start
    }

    private func train(_ batch: Batch<Float>) {
        unsafe step.run(batch, step: updates) { _ in (rate, 1) }
        updates += 1
    }
}
