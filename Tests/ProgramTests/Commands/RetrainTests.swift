import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing
import TreadleBase
import TreadleData
import TreadleRun
import TreadleTools

@Suite struct RetrainTests {
    @Test func `the first model is promoted, and then nothing changes`() throws {
        let job = try NightlyJob()
        let dry = try job.retrain("--dry-run")
        #expect(dry.output == "nightly: dry run: would train from new weights: there is no promoted model yet\n")
        #expect(!job.exists("models/nightly.h5") && !job.exists("runs"))
        let first = try job.retrain()
        #expect(first.code == 0)
        #expect(first.output == "nightly: promoted \(job.model): the first model (there is no promoted model yet)\n")
        #expect(first.errors == "")
        let second = try job.retrain()
        #expect(second.output == "nightly: unchanged: neither data nor configuration changed\n")
        #expect(try job.retrain("--strict").code == 10)
        let quiet = try job.retrain("--quiet")
        #expect(quiet.code == 0 && quiet.output == "" && quiet.errors == "")
    }

    @Test func `appended rows are recognized, and a better model takes the old one's place`() throws {
        let job = try NightlyJob(rows: 300)
        #expect(try job.retrain().code == 0)
        let old = try CheckpointFile.read(job.model)
        try job.writeData(rows: 900)
        let changed = try job.retrain("--json")
        #expect(changed.code == 0)
        let report = try JSONDecoder().decode(Report.self, from: Data(changed.output.utf8))
        #expect(report.outcome == "promoted")
        #expect(report.change == "600 rows were appended to the 300 of before")
        #expect(try #require(report.new) <= #require(report.old))
        #expect(try CheckpointFile.read(job.model).parameterDigest == report.digest)
        #expect(try CheckpointFile.read(job.path("models/nightly.1.h5")) == old)

        let back = try job.retrain("--rollback")
        #expect(back.output == "nightly: rolled back \(job.model): the predecessor is served again\n")
        #expect(try CheckpointFile.read(job.model) == old)
        #expect(!job.exists("models/nightly.1.h5"))
        // What was rolled back is not promoted again by the next night.
        #expect(try job.retrain().output.hasPrefix("nightly: unchanged"))
        for options in [["--rollback"], ["--rollback", "--dry-run"]] {
            let none = try job.start(options).finish()
            #expect(none.code == 66)
        }
    }

    @Test func `a worse model is not promoted, and a person is told`() throws {
        let job = try NightlyJob()
        #expect(try job.retrain().code == 0)
        let served = try Data(contentsOf: URL(fileURLWithPath: job.model))
        let strict = try job.retrain(
            "--strict", "--quiet", "--set", "optimizer.lr=1e-9", "--set", "retrain.start=cold", "--set",
            "stop.epochs=1",
            "--set", "data.train.files=[\"original.h5\"]")
        #expect(strict.code == 11)
        #expect(strict.output == "")
        #expect(strict.errors.hasPrefix("warning: nightly: not promoted: valid.loss is "))
        #expect(try Data(contentsOf: URL(fileURLWithPath: job.model)) == served)
    }

    @Test func `of ten at once one trains and the others skip`() throws {
        let job = try NightlyJob(rows: 2000)
        let started = try (0..<10).map { _ in try job.start("--set", "stop.epochs=20") }
        let ended = try started.map { try $0.finish() }
        #expect(ended.allSatisfy { $0.code == 0 })
        #expect(ended.count { $0.output.contains(": promoted ") } == 1)
        let others = ended.filter { !$0.output.contains(": promoted ") }
        #expect(others.allSatisfy { $0.output.contains(": skipped: ") || $0.output.contains(": unchanged: ") })
    }

    @Test func `under fail the lock's holder is named`() throws {
        let job = try NightlyJob()
        let directory = job.path("runs/nightly")
        let lock = try #require(try DirectoryLock.acquire(directory, whenHeld: .fail))
        let failed = try job.retrain("--set", "retrain.lock=fail")
        #expect(failed.code == 75)
        #expect(failed.errors.contains("in use by another run (process \(getpid())"))
        withExtendedLifetime(lock) {}
    }

    @Test func `under wait the second takes its turn, and finds the data of then`() throws {
        let job = try NightlyJob()
        var lock = try DirectoryLock.acquire(job.path("runs/nightly"), whenHeld: .fail)
        let attempts = LockAttempts(at: job.path("runs/nightly.lock"))
        let waiting = try (0..<2).map { _ in try job.start("--set", "retrain.lock=wait") }
        #expect(attempts.wait(for: 12))
        // Neither gives up, nor does anything.
        #expect(waiting.allSatisfy { $0.isRunning } && !job.exists("models/nightly.h5"))
        withExtendedLifetime(lock) {}
        lock = nil
        let ended = try waiting.map { try $0.finish() }
        #expect(ended.allSatisfy { $0.code == 0 }, "\(ended)")
        #expect(ended.count { $0.output.contains(": promoted ") } == 1)
        #expect(ended.count { $0.output.contains(": unchanged: ") } == 1)
    }

    @Test func `a wait ends with a signal and 75`() throws {
        let job = try NightlyJob()
        let lock = try DirectoryLock.acquire(job.path("runs/nightly"), whenHeld: .fail)
        let attempts = LockAttempts(at: job.path("runs/nightly.lock"))
        let waiting = try job.start("--set", "retrain.lock=wait")
        #expect(attempts.wait(for: 3))
        waiting.send(SIGTERM)
        #expect(try waiting.finish().code == 75)
        withExtendedLifetime(lock) {}
    }

    @Test func `a promotion that was killed before its hook runs it, or is made anew`() throws {
        let job = try NightlyJob()
        let hook = #"retrain.promote.hook='echo "$TREADLE_DIGEST" >> hook.txt; exit 3'"#
        // The hook is running when retrain is killed: the model is promoted, and the next call runs the hook again.
        let hanging = #"retrain.promote.hook='kill -9 $PPID; while kill -0 $PPID; do :; done'"#
        let killed = try job.start("--set", hanging)
        #expect(try killed.finish().code == 128 + SIGKILL)
        let served = try CheckpointFile.read(job.model).parameterDigest
        let next = try job.retrain("--set", hook)
        #expect(next.output.contains(": unchanged: ") && next.code == 74)
        #expect(next.errors.contains("the hook ended with exit code 3; \(job.model) was promoted all the same"))
        #expect(try job.retrain("--set", hook).code == 0)
        #expect(try String(contentsOfFile: job.path("hook.txt"), encoding: .utf8) == served + "\n")
        // Had it been killed before the promotion, the served weights would be others: no hook for what did not happen.
        let state = job.path("runs/nightly/retrain.json")
        let text = try String(contentsOfFile: state, encoding: .utf8)
        #expect(!text.contains("\"hook\""))
    }

    @Test(arguments: [
        [], ["--set", "model.scale_inputs=true", "--set", "model.embedding={ frequencies: 3, sigma: 0.5 }"],
    ])
    func `inputs in another order are matched by name`(settings: [String]) throws {
        let job = try NightlyJob()
        #expect(try job.retrain(settings).code == 0)
        let old = try CheckpointFile.read(job.model)
        try job.writeData(rows: 600, columns: ["c", "a", "b"])
        let next = try job.retrain(
            settings + ["--json", "--set", "stop.epochs=1", "--set", "optimizer.lr=1e-12"])
        let report = try JSONDecoder().decode(Report.self, from: Data(next.output.utf8))
        // Nothing was learned: the same function of the same rows, under other columns.
        let (a, b) = (try #require(report.old), try #require(report.new))
        #expect(abs(a - b) < 1e-4, "the warm start says the same about the same rows")
        #expect(try CheckpointFile.read(job.model).columns == ["c", "a", "b"])
        #expect(old.columns == ["a", "b", "c"])
    }

    @Test func `columns and classes that the model does not know are refused, unless promoted anyway`() throws {
        let job = try NightlyJob()
        #expect(try job.retrain().code == 0)
        try job.writeData(rows: 600, columns: ["a", "b", "d"])
        let columns = try job.retrain()
        #expect(columns.code == 65)
        #expect(
            columns.errors == """
                error: the data does not have the columns that \(job.model) was trained on (gone: c; new: d); run retrain \
                once with --promote-anyway, which compares nothing and starts from new weights where the old ones do not fit

                """)
        let other = try job.retrain("--promote-anyway")
        #expect(other.code == 0 && other.output.contains("promoted without comparison, as asked"), "\(other.errors)")
        #expect(try CheckpointFile.read(job.model).columns == ["a", "b", "d"])
        try job.writeData(rows: 600)
        #expect(try job.retrain("--promote-anyway", "--set", "retrain.start=cold").code == 0)
        try job.writeData(rows: 600, classes: ["no", "yes", "maybe"])
        let classes = try job.retrain()
        #expect(classes.code == 65)
        #expect(classes.errors.contains("classes that \(job.model) does not know"))
        let anyway = try job.retrain("--promote-anyway")
        #expect(anyway.code == 0, "\(anyway.errors)")
        #expect(try CheckpointFile.read(job.model).classes == ["maybe", "no", "yes"])
    }

    @Test func `the hook sees what was promoted, and its failure is reported`() throws {
        let job = try NightlyJob()
        let hook = #"retrain.promote.hook='echo "$TREADLE_NAME $TREADLE_MODEL" > hook.txt; exit 3'"#
        let result = try job.retrain("--quiet", "--set", hook)
        #expect(result.code == 74)
        #expect(
            result.errors == """
                error: the hook ended with exit code 3; \(job.model) was promoted all the same: repeat what the hook does by hand

                """)
        #expect(try String(contentsOfFile: job.path("hook.txt"), encoding: .utf8) == "nightly \(job.model)\n")
    }

    @Test func `the hook can use the program`() throws {
        let job = try NightlyJob()
        let result = try job.retrain(
            "--set", #"retrain.promote.hook='"\#(Program.path)" check "\#(job.path("nightly.json5"))" --quiet'"#)
        #expect(result.code == 0, "\(result.errors)")
    }

    @Test func `a model is not served from the directory that training empties`() throws {
        let job = try NightlyJob()
        let inside = try job.retrain("--set", "retrain.promote.to=runs/nightly/final.h5")
        #expect(inside.code == 78)
        #expect(inside.errors.contains("lies in checkpoint.dir"))
    }

    @Test func `what may be luck is not promoted where a confidence is asked for`() throws {
        let job = try NightlyJob()
        let cold = ["--json", "--set", "retrain.when=always", "--set", "retrain.start=cold"]
        func again(_ settings: String...) throws -> Report {
            let result = try job.retrain(cold + settings.flatMap { ["--set", $0] })
            #expect(result.code == 0, "\(result.errors)")
            return try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
        }
        #expect(try job.retrain(cold).code == 0)
        // The same training on the same rows gives the same model: no difference, whatever is drawn.
        let same = try again("retrain.promote.confidence=0.99")
        #expect(same.outcome == "promoted" && same.difference?.notWorse == 1 && same.difference?.value == 0)
        #expect(same.reason?.contains(" (by 0 to 0 with 99 % confidence)") == true, "\(same)")
        #expect(same.reason?.hasSuffix(", no worse with 100 % confidence") == true, "\(same)")
        // One that has learnt nothing is worse without any draw.
        let worse = try again("stop.epochs=1", "optimizer.lr=1e-9", "retrain.promote.confidence=0.5")
        #expect(worse.outcome == "not_promoted" && worse.reason?.contains("by more than the tolerance") == true)
        // Two models that differ a little: what is said of them and what becomes of them agree.
        let luck = try again(
            "retrain.promote.confidence=0.999999", "optimizer.lr=0.015", "retrain.promote.metric=valid.accuracy",
            "retrain.promote.tolerance=0.02")
        let share = try #require(luck.difference?.notWorse ?? (luck.reason?.contains("tolerance") == true ? 0 : nil))
        #expect(luck.outcome == (share >= 0.999999 ? "promoted" : "not_promoted"), "\(luck)")
        let isWorse = luck.reason?.contains("by more than the tolerance") == true
        if share > 0, share < 0.999999, !isWorse {
            #expect(luck.reason?.contains("but it may be luck: no worse with ") == true, "\(luck)")
        }
    }

    @Test func `data that drifted too far is not promoted`() throws {
        let job = try NightlyJob()
        #expect(try job.retrain().code == 0)
        try job.writeData(rows: 600, offset: 5)
        let drifted = try job.retrain("--set", "retrain.promote.max_drift=1", "--strict")
        #expect(drifted.code == 11)
        #expect(drifted.output.contains("the data drifted: a by "))
    }

    @Test func `damaged data and a damaged model are errors, and nothing is promoted`() throws {
        let job = try NightlyJob()
        #expect(try job.retrain().code == 0)
        try job.write("not HDF5 at all", to: "data.h5")
        #expect(try job.retrain().code == 65)
        #expect((try? CheckpointFile.verify(job.model)) != nil)
        try job.writeData(rows: 700)
        try job.write("no model either", to: "models/nightly.h5")
        let damaged = try job.retrain()
        #expect(damaged.code == 65)
        #expect(damaged.errors.contains("it is the promoted model"))
    }

    @Test func `killed at any moment, the served model opens and is whole all the while, and the next call continues`()
        throws
    {
        let job = try NightlyJob(rows: 300)
        let options = ["--set", "stop.epochs=8", "--set", "checkpoint.every={steps:3}"]
        // What is promoted whatever it reached: the moments around a rename are those that matter.
        let always = options + ["--set", "retrain.promote.tolerance=1e9"]
        let began = ContinuousClock.now
        #expect(try job.retrain(options).code == 0)
        let whole = max(1000, (ContinuousClock.now - began) / .microseconds(1))
        let reader = ReaderProcess(of: job.model)
        let kills = ProcessInfo.processInfo.environment["TREADLE_TEST_KILLS"].flatMap(Int.init) ?? 12
        var random = SplitMix(seed: 4)
        var ended = 0
        for round in 0..<kills {
            try job.writeData(rows: 301 + round)
            let running = try job.start(always)
            usleep(UInt32.random(in: 1_000...UInt32(whole * 1.1), using: &random))
            if !running.isRunning { ended += 1 }
            kill(running.identifier, SIGKILL)
            _ = try running.finish()
            #expect((try? CheckpointFile.verify(job.model)) != nil, "after kill \(round)")
        }
        let last = try job.retrain(always)
        #expect(last.code == 0, "\(last.errors)")
        let (opened, failures) = reader.stop()
        #expect(failures == [])
        #expect(opened > kills)
        print("killed \(kills - ended) retrainings; the promoted model was opened \(opened) times meanwhile")
    }

    private struct Report: Decodable {
        var outcome: String
        var change: String?
        var old: Double?
        var new: Double?
        var digest: String?
        var reason: String?
        var difference: Difference?

        struct Difference: Decodable {
            var value, low, high, notWorse: Double

            private enum CodingKeys: String, CodingKey { case value, low, high, notWorse = "not_worse" }
        }
    }
}

/// A directory with data that can be learned, and a configuration for the night.
/// Counts how often others open a lock's file: each time they try to take the lock.
private struct LockAttempts {
    private let descriptor = inotify_init1(0)

    init(at path: String) { inotify_add_watch(descriptor, path, UInt32(IN_OPEN)) }

    /// Whether so many attempts are made within a minute.
    func wait(for count: Int) -> Bool {
        defer { close(descriptor) }
        let end = ContinuousClock.now + .seconds(60)
        var seen = 0
        var events = [UInt8](repeating: 0, count: 4096)
        while seen < count, ContinuousClock.now < end {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 1000) > 0 else { continue }
            // What is told of one file has no name behind it.
            seen += read(descriptor, &events, events.count) / MemoryLayout<inotify_event>.size
        }
        return seen >= count
    }
}

private final class NightlyJob {
    private let directory: TemporaryDirectory

    init(rows: Int = 600) throws {
        directory = try TemporaryDirectory()
        try writeData(rows: rows)
        try FileManager.default.copyItem(atPath: path("data.h5"), toPath: path("original.h5"))
        try directory.write(
            """
            { name: "nightly", task: "classification", seed: 7,
              data: { train: { files: ["data.h5"] }, valid: { fraction: 0.3 }, batch_size: 32 },
              model: { hidden: [ { units: 8, activation: "tanh" } ] },
              optimizer: { type: "adam", lr: 0.02 }, stop: { epochs: 6, early: null } }
            """, to: "nightly.json5")
    }

    var model: String { path("models/nightly.h5") }

    func path(_ name: String) -> String { directory.file(name) }
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }
    func write(_ text: String, to name: String) throws { try directory.write(text, to: name) }

    func start(_ options: String...) throws -> Spawned { try start(options) }

    func start(_ options: [String]) throws -> Spawned {
        try Program.start(["retrain", "nightly.json5"] + options, directory: directory)
    }

    func retrain(_ options: String...) throws -> Finished { try start(options).finish() }
    func retrain(_ options: [String]) throws -> Finished { try start(options).finish() }

    /// Rows of three columns whose class follows from their sum; more rows begin with the fewer.
    func writeData(
        rows: Int, columns: [String] = ["a", "b", "c"], classes: [String] = ["no", "yes"], offset: Double = 0
    ) throws {
        var random = SplitMix(seed: 11)
        var text = columns.joined(separator: ",") + ",class\n"
        for _ in 0..<rows {
            var values: [String: Double] = [:]
            for name in ["a", "b", "c"] { values[name] = Double.random(in: -1...1, using: &random) }
            values["d"] = values["c"]
            let sum = 2 * (values["a"] ?? 0) - (values["b"] ?? 0) + (values["c"] ?? 0) / 2
            var label = sum > 0 ? classes[1] : classes[0]
            if classes.count > 2, abs(sum) < 0.3 { label = classes[2] }
            values["a"]? += offset
            text += columns.map { "\(values[$0] ?? 0)" }.joined(separator: ",") + ",\(label)\n"
        }
        let request = ImportRequest(
            inputs: [try directory.write(text, to: "data.csv")], output: path("data.h5"), replacing: true,
            table: TableOptions(targets: ["class"]))
        _ = try Import(request, workers: Workers(count: 1)).run()
    }
}

/// Opens a model over and over, as whoever serves it does when it has changed.
private final class ReaderProcess: Sendable {
    private struct State {
        var opened = 0
        var failures: [String] = []
        var isStopped = false
    }

    private let state = Mutex(State())
    private let done = DispatchSemaphore(value: 0)

    /// Runs beside the processes that train and promote; this process writes nothing.
    init(of model: String) {
        let thread = Thread { [self] in
            while !state.withLock({ $0.isStopped }) {
                // Reading checks the digest of what it has read.
                let result = Result { try CheckpointFile.verify(model) }
                state.withLock { state in
                    state.opened += 1
                    if case .failure(let error) = result { state.failures.append("\(error)") }
                }
            }
            done.signal()
        }
        thread.start()
    }

    func stop() -> (opened: Int, failures: [String]) {
        state.withLock { $0.isStopped = true }
        done.wait()
        return state.withLock { ($0.opened, $0.failures) }
    }
}
