import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleModel
@testable import TreadleRun

/// What a night decides, night after night, in this process.
@Suite(.serialized) struct RetrainingTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try write(rows: 120)
    }

    private func write(rows: Int, noise: Float = 0) throws {
        var random = SplitMix(seed: 21)
        let x = (0..<rows * 3).map { _ in Float.random(in: -1...1, using: &random) }
        let file = try H5File.create(directory.file("d.h5"))
        try file.write(x, to: "/x", shape: [rows, 3])
        let y = (0..<rows).map { (row: Int) -> Float in
            let (a, b, c) = (x[row * 3], x[row * 3 + 1], x[row * 3 + 2])
            return 2 * a - b + noise * c
        }
        try file.write(y, to: "/y")
        try file.close()
    }

    private func job(_ settings: [String] = []) throws -> Configuration {
        try Configuration.parse(
            text: """
                { name: "nightly", task: "regression", data: { train: "d.h5", batch_size: 20, valid: { fraction: 0.25 } },
                  model: { hidden: [{ units: 5 }] }, optimizer: { lr: 0.05 }, stop: { epochs: 4 },
                  retrain: { promote: { tolerance: "5%", keep: 2 } } }
                """, file: "job", baseDirectory: directory.path, overrides: settings)
    }

    /// One night; one that is stopped gets three steps far.
    private func night(
        _ settings: String..., stopped: Bool = false, change: (inout Retraining.Options) -> Void = { _ in }
    ) throws -> RetrainReport {
        var options = Retraining.Options()
        change(&options)
        let observer = RunRecorder(stop: options.host.stop, after: stopped ? 3 : nil)
        return try Retraining(try job(settings), options: options, observer: observer).run()
    }

    private var served: Checkpoint? {
        get throws { try PromotedModel(directory.file("models/nightly.h5"), keep: 2).read() }
    }

    @Test func `the first model is promoted, and without a change there is nothing to do`() throws {
        let first = try night()
        #expect(first.outcome == .promoted && first.reason == "the first model")
        #expect(first.change == "there is no promoted model yet")
        #expect(try served?.parameterDigest == first.digest)
        #expect(try night().outcome == .unchanged)
        // Another place for logs is no change; another rate is.
        #expect(try night("log.level=debug").outcome == .unchanged)
        let changed = try night("optimizer.lr=0.04")
        #expect(changed.change == "the configuration changed" && changed.outcome != .unchanged)
        // It was judged: the next night does not train the same again, whatever came of it.
        #expect(try night("optimizer.lr=0.04").outcome == .unchanged)
        #expect(try night("retrain.when=always").change == "retrain.when is \"always\"")
    }

    @Test func `data that grew and data that changed are told apart`() throws {
        _ = try night()
        try write(rows: 160)
        #expect(try night().change == "40 rows were appended to the 120 of before")
        try write(rows: 160, noise: 0.3)
        let other = try night()
        #expect(other.change == "the data changed")
        #expect(try #require(other.old) > 0 && other.drift != nil)
    }

    @Test func `an old model that may know the rows it is judged by is no silent matter`() throws {
        _ = try night()
        func warnings(_ settings: String...) throws -> [String] {
            let observer = RunRecorder()
            _ = try Retraining(try job(settings), options: .init(), observer: observer).run()
            return observer.notes.filter { $0.contains("its training put other rows aside") }
        }
        #expect(try warnings("optimizer.lr=0.04").isEmpty)
        let warned = try warnings("seed=9")
        #expect(
            warned.count == 1
                && warned[0].contains("put data.valid and seed back, or run retrain once with --promote-anyway"))
        #expect(try warnings("data.valid.fraction=0.5").count == 1)
    }

    @Test func `a worse model is not promoted, and an equal one within the tolerance is`() throws {
        let first = try night()
        let worse = try night("retrain.start=cold", "stop.epochs=1", "optimizer.lr=0.000001")
        #expect(worse.outcome == .notPromoted && worse.reason.contains("worse than"))
        #expect(try #require(worse.new) > (try #require(worse.old)) * 1.05)
        #expect(try served?.parameterDigest == first.digest)
        // From the served weights and hardly moved, it is as good as before.
        let equal = try night("stop.epochs=1", "optimizer.lr=0.000002")
        #expect(equal.outcome == .promoted)
        let (old, new) = (try #require(equal.old), try #require(equal.new))
        #expect(abs(new - old) < 0.01 * old)
    }

    @Test func `a night that is stopped is continued by the next, and ends with the same model`() throws {
        let whole = try night()
        try FileManager.default.removeItem(atPath: directory.file("models"))
        try FileManager.default.removeItem(atPath: directory.file("runs"))
        let stopped = try night(stopped: true)
        #expect(stopped.outcome == .interrupted)
        #expect(try served == nil)
        let state = try #require(try RetrainState.read(in: directory.file("runs/nightly")))
        #expect(state.stage == .training && state.isUnderWay(state.run))
        let continued = try night { $0.isDryRun = true }
        #expect(continued.reason.hasPrefix("would continue the training under way"))
        #expect(try night().digest == whole.digest)
        #expect(try RetrainState.read(in: directory.file("runs/nightly"))?.stage == .judged)
    }

    @Test func `a run of another release's numerics is not continued`() throws {
        _ = try night(stopped: true)
        var state = try #require(try RetrainState.read(in: directory.file("runs/nightly")))
        state.numerics = Treadle.numerics + 1
        try state.write(in: directory.file("runs/nightly"))
        let next = try night { $0.isDryRun = true }
        #expect(next.outcome == .dryRun && next.reason.hasPrefix("would train from new weights"))
    }

    @Test func `a dry run changes nothing, and going back puts the predecessor in place`() throws {
        let dry = try night { $0.isDryRun = true }
        #expect(dry.outcome == .dryRun && dry.reason.hasPrefix("would train from new weights"))
        #expect(try directory.contents() == ["d.h5"])
        let first = try night()
        let second = try night("optimizer.lr=0.04") { $0.promotesAnyway = true }
        #expect(second.reason == "promoted without comparison, as asked")
        #expect(try served?.parameterDigest == second.digest)
        let back = try Retraining(try job(), options: .init(), observer: SilentObserver()).rollBack()
        #expect(back.outcome == .rolledBack)
        #expect(try served?.parameterDigest == first.digest)
    }
}
