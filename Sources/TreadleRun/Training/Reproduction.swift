internal import Foundation
package import TreadleBase
internal import TreadleConfiguration
internal import TreadleData

/// Trains a checkpoint's run again, from its embedded configuration, up to where the checkpoint stood.
package enum Reproduction {
    package struct Outcome: Equatable, Sendable {
        /// The digests of the weights in the file and of those trained again.
        package var expected: String
        package var found: String

        package var isSame: Bool { expected == found }
    }

    /// Works in a temporary directory, which is gone afterwards; the run's own is not touched.
    package static func run(
        _ model: TrainedModel, course: RunCourse, threads: Int, stop: Stop, observer: any TrainingObserver
    ) throws -> Outcome {
        try checkNumerics(of: model)
        let directory = FileManager.default.temporaryDirectory.appending(path: "treadle-reproduce-\(UUID().uuidString)")
        defer {
            try? FileManager.default.removeItem(at: directory)
            try? FileManager.default.removeItem(atPath: directory.path + ".lock")
        }
        var configuration = model.configuration
        configuration.checkpoint.dir = directory.path
        configuration.checkpoint.every = CheckpointInterval(time: nil, epochs: nil, steps: nil)
        configuration.compute.threads = .value(threads)
        if configuration.data.test?.dataSource != nil { configuration.data.test = nil }
        configuration.stop.wallTime = nil
        configuration.log.tensorboard = false
        configuration.log.prometheus = nil
        var options = Trainer.Options()
        options.until = course.cursor
        // Only the run's end puts the best weights back; every other checkpoint holds the present ones.
        if !course.progress.finished { configuration.stop.early?.restoreBest = false }
        options.host.stop = stop
        options.expectedFingerprint = model.origin.fingerprint
        options.columns = try model.columnsOfTables(in: configuration)
        let summary = try Trainer.run(configuration, options: options, observer: observer)
        guard summary.ending.isFinal else {
            throw TreadleError(.tryAgain, "stopped before \(model.path) was reproduced; start over to try again")
        }
        return Outcome(expected: model.saved.parameters.digest, found: summary.digest ?? "none")
    }

    /// Other numerics give other bits: refuses before hours of training show what is known.
    private static func checkNumerics(of model: TrainedModel) throws {
        let origin = model.origin
        guard origin.numerics != [Treadle.numerics] else { return }
        let found = "\(model.path) was computed by \(Treadle.numericsText(origin.numerics))"
        guard origin.numerics.count == 1 else {
            throw TreadleError(
                .badData,
                "\(found), a mixture that no release can reproduce; train again with --fresh to get weights that can be"
            )
        }
        throw TreadleError(
            .badData,
            "\(found), and treadle \(Treadle.version) computes by numerics \(Treadle.numerics), which gives other bits; "
                + "reproduce it with a release of those numerics, such as the one that wrote it "
                + "(\(origin.programVersion))")
    }
}
