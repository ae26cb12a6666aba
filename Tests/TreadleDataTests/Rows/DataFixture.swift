import Foundation
import TestSupport
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel

/// What the tests of the loader share: sources, settings, and all rows that a loader hands out.
enum DataFixture {
    static func source(
        _ files: String..., x: String = "/x", y: String = "/y", weight: String? = nil, rows: Range<Int>? = nil
    ) -> DataSource {
        DataSource(files: files, x: x, y: y, weight: weight, rows: rows)
    }

    static func settings(
        _ directory: TemporaryDirectory, access: Access = .auto, limit: Int = 1 << 28, threads: Int = 2,
        nonFinite: NonFinitePolicy = .error, note: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) -> DatasetSettings {
        DatasetSettings(
            access: access, nonFinite: nonFinite, baseDirectory: directory.path, budget: MemoryBudget(limit: limit),
            workers: Workers(count: threads), note: note)
    }

    /// A configuration of which only the data matter.
    static func configuration(
        _ directory: TemporaryDirectory, task: LearningTask = .classification, _ data: DataConfiguration
    ) throws -> Configuration {
        try Data(
            #"{ schema: 1, name: "t", task: "\#(task.rawValue)", data: { train: { files: ["unused.h5"] } }, model: { hidden: [] } }"#
                .utf8
        ).write(to: URL(fileURLWithPath: directory.path + "/job.json5"))
        var configuration = try Configuration.load(path: directory.path + "/job.json5")
        configuration.data = data
        return configuration
    }

    static func data(
        _ train: DataSource, valid: Validation? = nil, access: Access = .auto, limit: Int = 1 << 28,
        normalize: NormalizationMethod = .none, normalizeTarget: TargetNormalization = .none,
        clipPredictions: Bool = false, nonFinite: NonFinitePolicy = .error
    ) -> DataConfiguration {
        DataConfiguration(
            train: train, valid: valid, test: nil, batchSize: 32, dropLast: false, shuffle: .full, shuffleBlock: 64,
            shuffleWindow: 4, access: access, memoryLimit: .bytes(limit), prefetch: 4, normalize: normalize,
            smoothClip: 3, normalizeTarget: normalizeTarget, clipPredictions: clipPredictions, nonFinite: nonFinite,
            allowExternal: false, allowUnstored: false, filters: [])
    }

    /// The rows of one epoch, in the order of the batches.
    struct Rows<S: Scalar>: Equatable {
        var x: [[S]] = []
        var classes: [Int] = []
        var values: [S] = []
        var weights: [S] = []
        var batches: [Int] = []
    }

    static func epoch<S: Scalar>(_ loader: BatchLoader<S>, features: Int, outputs: Int = 1) throws -> Rows<S> {
        var rows = Rows<S>()
        while let batch = try loader.next() {
            rows.batches.append(batch.rows)
            for row in 0..<batch.rows {
                rows.x.append(Array(UnsafeBufferPointer(start: batch.x[row], count: features)))
                if let weights = batch.weights { rows.weights.append(weights[row]) }
                switch batch.targets {
                case .classes(let classes): rows.classes.append(Int(classes[row]))
                case .values(let values): rows.values += (0..<outputs).map { values[row * outputs + $0] }
                case .absent: break
                }
            }
        }
        return rows
    }

    /// Doubles that a script wrote with NumPy's `tofile`.
    static func doubles(_ path: String) throws -> [Double] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        return bytes.withUnsafeBytes { Array($0.bindMemory(to: Double.self)) }
    }
}
