import Synchronization
import TreadleData
import TreadleModel
import TreadleRun

extension RunOverview {
    /// A small run to report about.
    static func sample(start: Cursor) -> RunOverview {
        let layer = Layer(name: "dense", inputs: 4, units: 2, activation: .identity, dropout: 0, hasBias: true)
        return RunOverview(
            name: "a \"job\"", directory: "runs/job", task: .classification,
            network: Network(inputs: 4, layers: [layer]), trainRows: 320, validRows: 0, testRows: 0, batchSize: 32,
            batchesPerEpoch: 10, epochs: 2, threads: 2, start: start, resumedFrom: nil, history: [])
    }
}

extension RunSummary {
    static var sample: RunSummary {
        RunSummary(
            ending: .completed, directory: "runs/job", cursor: Cursor(epoch: 2, batch: 0, step: 20), seconds: 10,
            metrics: ["loss": 0.25, "valid.loss": .infinity], best: 0.25, bestEpoch: 2, checkpoint: nil, digest: nil,
            history: [])
    }
}

/// Lines that were reported, from any thread.
final class Said: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }

    func add(_ line: String) { kept.withLock { $0.append(line) } }
}
