internal import Foundation
package import TestSupport
internal import TreadleRun

extension TemporaryDirectory {
    /// The paths of all checkpoints in the directory `run`, by name; none while there is no such directory.
    package func checkpoints(in run: String = "run") -> [String] {
        named(in: run).map { file(run + "/" + $0.fileName) }.sorted()
    }

    /// The steps that the directory `run` has checkpoints of, in rising order.
    package func steps(in run: String = "run") -> [Int] {
        named(in: run).compactMap { if case .step(let step) = $0 { step } else { nil } }.sorted()
    }

    /// The path of the checkpoint of the last step that there is one of.
    package func newestStep(in run: String = "run") -> String? {
        steps(in: run).last.map { file(run + "/" + CheckpointName.step($0).fileName) }
    }

    private func named(in run: String) -> [CheckpointName] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: file(run))) ?? []
        return files.compactMap { CheckpointName(fileName: $0) }
    }
}
