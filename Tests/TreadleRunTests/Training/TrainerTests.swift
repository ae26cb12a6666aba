import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel
@testable import TreadleRun

/// Whole runs in this process: interrupted, continued, sent back, and at their end.
@Suite(.serialized) struct TrainerTests {
    private let directory: TemporaryDirectory
    private static let rows = 200

    init() throws {
        directory = try TemporaryDirectory()
        try write(firstTarget: nil)
    }

    private func write(firstTarget: Float?) throws {
        var random = SplitMix(seed: 11)
        let x = (0..<Self.rows * 3).map { _ in Float.random(in: -1...1, using: &random) }
        let file = try H5File.create(directory.file("d.h5"))
        try file.write(x, to: "/x", shape: [Self.rows, 3])
        var y = (0..<Self.rows).map { (row: Int) -> Float in
            let (a, b, c) = (x[row * 3], x[row * 3 + 1], x[row * 3 + 2])
            return 2 * a - b + c / 2
        }
        if let firstTarget { y[0] = firstTarget }
        try file.write(y, to: "/y")
        try file.close()
    }

    private func job(_ settings: [String] = []) throws -> Configuration {
        try Configuration.parse(
            text: """
                { name: "run", task: "regression", data: { train: "d.h5", batch_size: 20, valid: { fraction: 0.2 } },
                  model: { hidden: [{ units: 6, dropout: 0.2 }] }, optimizer: { lr: 0.01 }, stop: { epochs: 4 },
                  compute: { threads: 2 }, checkpoint: { dir: "run" }, retrain: null }
                """, file: "job", baseDirectory: directory.path, overrides: settings)
    }

    /// Runs on, until it is asked to stop after so many steps.
    private func train(
        _ job: Configuration, fresh: Bool = false, stopAfter steps: Int? = nil
    ) throws -> (summary: RunSummary, told: RunRecorder) {
        var options = Trainer.Options()
        options.fresh = fresh
        let told = RunRecorder(stop: options.host.stop, after: steps)
        return (try Trainer.run(job, options: options, observer: told), told)
    }

    @Test(arguments: [
        [], ["compute.accumulate=3"], ["data.shuffle=block", "data.shuffle_block=16"],
        ["stop.early={ patience: 1 }", "optimizer.lr=0.2", "stop.epochs=12"], ["schedule.type=plateau"],
    ])
    func `a run that is stopped anywhere and continued is the run that was not`(settings: [String]) throws {
        let job = try job(settings)
        let whole = try train(job, fresh: true).summary
        #expect(whole.ending.isFinal)
        var isFresh = true
        var parts = 0
        while true {
            let part = try train(job, fresh: isFresh, stopAfter: 5 + parts % 4).summary
            isFresh = false
            parts += 1
            guard !part.ending.isFinal else {
                #expect(part.digest == whole.digest && part.cursor == whole.cursor)
                #expect(part.history.map(\.metrics) == whole.history.map(\.metrics))
                break
            }
            #expect(part.ending == .interrupted)
        }
        #expect(parts > 3)
    }

    @Test func `a run with nothing left to do says so and touches none of its files`() throws {
        let job = try job(["log.metrics=m.jsonl"])
        let first = try train(job).summary
        let path = try #require(first.checkpoint)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let again = try train(job)
        #expect(again.summary.ending == .alreadyComplete && again.summary.digest == first.digest)
        #expect(again.told.overview?.start == first.cursor)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == bytes)
        // More epochs go on from there.
        let more = try train(try self.job(["log.metrics=m.jsonl", "stop.epochs=6"]))
        #expect(more.summary.cursor.epoch == 6 && more.told.epochs.map(\.epoch) == [5, 6])
        #expect(more.told.overview?.resumedFrom != nil)
    }

    @Test func `the best epoch's weights are those of the run that ends there`() throws {
        // So high a rate that epochs get better and worse.
        let settings = ["optimizer.lr=0.1", "optimizer.type=sgd"]
        let long = try train(
            try job(settings + ["stop.early={ patience: 100 }", "stop.epochs=8"]), fresh: true
        ).summary
        let best = try #require(long.bestEpoch)
        let short = try train(
            try job(settings + ["stop.early=null", "stop.epochs=\(best)"]), fresh: true
        ).summary
        #expect(long.digest == short.digest && long.epoch == best)
        #expect(long.best == long.history.compactMap { $0.metrics["valid.loss"] }.min())
    }

    /// A linear model whose rate is so high that its weights grow without bound.
    private func diverging(_ settings: [String]) throws -> Configuration {
        try job(
            ["model.hidden=[]", "optimizer.type=sgd", "optimizer.lr=40", "data.normalize=none", "stop.early=null"]
                + settings)
    }

    @Test func `a loss that is no number ends the run and says where it arose`() throws {
        let error = #expect(throws: TreadleError.self) { try train(try diverging(["stop.epochs=30"]), fresh: true) }
        #expect(error?.kind == .diverged)
        let text = error?.description ?? ""
        #expect(text.contains("the loss is not finite at step ") && text.contains("rate 40.0"), "\(text)")
        #expect(
            text.contains("layer dense is the first to give such a number") || text.contains("the loss of them is not"))
        #expect(text.contains("are intact in \(directory.file("run"))"))
    }

    @Test func `a rollback returns to the end of an epoch with a smaller rate, also when the run is interrupted`()
        throws
    {
        let job = try diverging(["stop.on_nan=rollback", "stop.rollback_factor=0.001", "stop.epochs=30"])
        let (whole, told) = try train(job, fresh: true)
        #expect(whole.ending == .completed && whole.cursor.epoch == 30)
        #expect(told.notes.contains { $0.contains("returned to the end of epoch") && $0.contains("(return 1 of 3)") })
        #expect(told.rates.first == 40 && abs((told.rates.last ?? 0) - 0.04) < 1e-15)
        #expect(try #require(whole.history.last?.metrics["loss"]).isFinite)
        var isFresh = true
        while true {
            let part = try train(job, fresh: isFresh, stopAfter: 23).summary
            isFresh = false
            if part.ending.isFinal {
                #expect(part.digest == whole.digest)
                break
            }
        }
        // Where no smaller rate helps, there is an end.
        let error = #expect(throws: TreadleError.self) {
            try train(
                try diverging(["stop.on_nan=rollback", "stop.rollback_factor=0.99", "stop.max_rollbacks=2"]),
                fresh: true)
        }
        #expect(error?.description.contains("after 2 returns to an earlier checkpoint") == true)
    }

    @Test func `other data and other settings are not continued, and the error names them`() throws {
        _ = try train(try job(["stop.epochs=1"]))
        var error = #expect(throws: TreadleError.self) { try train(try job(["optimizer.lr=0.02", "seed=3"])) }
        #expect(error?.kind == .configuration)
        #expect(
            error?.messages.count == 2 && error?.description.contains("optimizer.lr is 0.02 now, but was 0.01") == true)
        try write(firstTarget: 9)
        error = #expect(throws: TreadleError.self) { try train(try job()) }
        #expect(error?.kind == .badData && error?.description.contains("--accept-changed-data") == true)
    }

    @Test func `a directory that another run works in is left alone`() throws {
        let job = try job()
        do {
            let lock = try DirectoryLock.acquire(directory.file("run"), whenHeld: .fail)
            let error = #expect(throws: TreadleError.self) { try train(job) }
            #expect(error?.kind == .tryAgain && error?.description.contains("in use by another run") == true)
            withExtendedLifetime(lock) {}
        }
        #expect(try train(job).summary.ending == .completed)
    }
}
