import Foundation
import Synchronization
import TestSupport
import Testing
import TreadleBase
import TreadleConfiguration
import TreadleData
import TreadleRun
import RunTestSupport

@Suite struct CheckpointStoreTests {
    let directory: TemporaryDirectory
    var run: String { directory.file("run") }
    let notes = Notes()

    init() throws { directory = try TemporaryDirectory() }

    // MARK: What is kept

    @Test func `the newest are kept and the best has its name`() throws {
        let store = try open(keepLast: 2)
        let losses = [0.9, 0.4, 0.6, 0.5]
        for (index, loss) in losses.enumerated() { try save(epoch: index + 1, loss: loss, in: store) }
        try store.finishWriting()
        #expect(try contents() == ["best.h5", "step-00000300.h5", "step-00000400.h5"])
        #expect(try store.best()?.checkpoint.cursor.step == 200)
        #expect(try store.newest()?.path == run + "/step-00000400.h5")
        #expect(store.takeSaved().map(\.cursor.step) == [100, 200, 300, 400])
        #expect(store.takeSaved() == [])
    }

    @Test(arguments: [false, true])
    func `several best are ordered by value, the earlier of equals first`(withoutLinks: Bool) throws {
        let calls = SystemCalls { call in withoutLinks && call == .link ? EPERM : nil }
        let losses = [0.9, 0.4, 0.6, 0.4, 0.3, 0.8, 0.6]
        for higherIsBetter in [false, true] {
            let store = try open(keepBest: 3, higherIsBetter: higherIsBetter, calls: calls)
            try store.removeAll()
            for (index, loss) in losses.enumerated() { try save(epoch: index + 1, loss: loss, in: store) }
            try store.finishWriting()
            #expect(try bestSteps() == (higherIsBetter ? [100, 600, 300] : [500, 200, 400]))
        }
    }

    @Test func `the order of the best survives the process, and a kill between two of its renames`() throws {
        var store: CheckpointStore? = try open(keepBest: 3)
        for (epoch, loss) in [(1, 0.5), (2, 0.7)] { try store.map { try save(epoch: epoch, loss: loss, in: $0) } }
        try store?.finishWriting()
        store = nil
        // best.h5 was moved to best-2.h5 for one that never came, after best-2.h5 had become best-3.h5.
        try FileManager.default.moveItem(atPath: run + "/best-2.h5", toPath: run + "/best-3.h5")
        try FileManager.default.linkItem(atPath: run + "/best.h5", toPath: run + "/best-2.h5")
        let next = try open(keepBest: 3)
        try save(epoch: 3, loss: 0.6, in: next)
        try next.finishWriting()
        #expect(try bestSteps() == [100, 300, 200])
    }

    @Test func `an epoch whose writer was killed before it was among the best is taken there by the next run`() throws {
        var store: CheckpointStore? = try open(keepBest: 2)
        for (epoch, loss) in [(1, 0.5), (2, 0.4)] { try store.map { try save(epoch: epoch, loss: loss, in: $0) } }
        try store?.finishWriting()
        store = nil
        // What the directory was before the second epoch's names were put in place.
        try FileManager.default.moveItem(atPath: run + "/best-2.h5", toPath: run + "/best.h5.moved")
        try FileManager.default.removeItem(atPath: run + "/best.h5")
        try FileManager.default.moveItem(atPath: run + "/best.h5.moved", toPath: run + "/best.h5")
        #expect(try bestSteps() == [100])
        let next = try open(keepBest: 2)
        #expect(try next.newest()?.checkpoint.cursor.step == 200)
        #expect(try bestSteps() == [200, 100])
    }

    @Test func `starting over deletes what runs continue from before anything else`() throws {
        let store = try open(
            calls: SystemCalls { [counter = Counter()] call in
                call == .unlink && counter.next() == 3 ? EIO : nil
            })
        for epoch in 1...3 { try save(epoch: epoch, loss: 1, in: store) }
        try store.saveAndWait(sampleCheckpoint(), as: .final)
        #expect(throws: TreadleError.self) { try store.removeAll() }
        #expect(try contents() == ["best.h5", "final.h5", "step-00000300.h5"])
        try store.removeAll()
        #expect(try contents() == [])
    }

    @Test func `an epoch that is trained again replaces itself`() throws {
        let store = try open(keepBest: 2)
        for epoch in [1, 2, 2, 1] { try save(epoch: epoch, loss: 1 / Double(epoch), in: store) }
        try store.finishWriting()
        #expect(try bestSteps() == [200, 100])
    }

    @Test func `files of other names stay`() throws {
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        let foreign = ["step-1.h5", "step-00000001.h5.bak", "best-1.h5", "best-02.h5", "notes.txt", "step--0000001.h5"]
        for name in foreign { try directory.write("x", to: "run/" + name) }
        let store = try open(keepLast: 1, keepBest: 1)
        for epoch in 1...3 { try save(epoch: epoch, loss: 1, in: store) }
        try store.finishWriting()
        try store.removeAll()
        #expect(try contents() == foreign.sorted())
    }

    // MARK: Intervals

    @Test func `steps, epochs and the best are due, once each`() throws {
        let store = try open(every: (nil, 2, 50))
        #expect(!store.isDue(at: Cursor()))
        #expect(!store.isDue(at: Cursor(epoch: 0, batch: 49, step: 49)))
        #expect(store.isDue(at: Cursor(epoch: 0, batch: 50, step: 50)))
        #expect(store.isDue(at: Cursor(epoch: 2, batch: 0, step: 77), epoch: record(2, step: 77, loss: 9)))
        #expect(store.isDue(at: Cursor(epoch: 1, batch: 0, step: 33), epoch: record(1, step: 33, loss: 9)))
        try save(epoch: 1, loss: 1, in: store)
        try store.finishWriting()
        #expect(!store.isDue(at: Cursor(epoch: 1, batch: 0, step: 100), epoch: record(1, step: 100, loss: 1)))
        #expect(!store.isDue(at: Cursor(epoch: 3, batch: 0, step: 333), epoch: record(3, step: 333, loss: 2)))
        #expect(!store.isDue(at: Cursor(epoch: 3, batch: 0, step: 333), epoch: record(3, step: 333, loss: .nan)))
        #expect(store.isDue(at: Cursor(epoch: 3, batch: 0, step: 333), epoch: record(3, step: 333, loss: 0.5)))
    }

    @Test func `time is due when it has passed`() throws {
        let never = try open(every: (.seconds(3600), nil, nil))
        #expect(!never.isDue(at: Cursor(epoch: 0, batch: 1, step: 1)))
        let other = try TemporaryDirectory()
        let always = try open(other.path, every: (.zero, nil, nil))
        #expect(always.isDue(at: Cursor(epoch: 0, batch: 1, step: 1)))
    }

    // MARK: Failures

    @Test func `a damaged newest is named and the one before is used`() throws {
        let store = try open(keepBest: 0)
        for epoch in 1...3 { try save(epoch: epoch, loss: 1, in: store) }
        try store.finishWriting()
        try corrupt("step-00000300.h5")
        #expect(try store.newest()?.checkpoint.cursor.step == 200)
        #expect(notes.all.contains { $0.hasPrefix("warning: \(run)/step-00000300.h5: damaged: ") })
        #expect(notes.all.last == "warning: continuing from \(run)/step-00000200.h5, the newest good checkpoint")

        try store.saveAndWait(sampleCheckpoint(), as: .final)
        #expect(try store.final() != nil)
        try corrupt("final.h5")
        #expect(try store.final() == nil)
        #expect(notes.all.last?.hasPrefix("warning: \(run)/final.h5: damaged: ") == true)

        for step in [100, 200] { try corrupt("step-00000\(step).h5") }
        let error = #expect(throws: TreadleError.self) { try store.newest() }
        #expect(error?.kind == .badData)
        #expect(error?.description.contains("all 3 checkpoints are damaged") == true)
    }

    @Test func `damaged files of later steps never push out good ones`() throws {
        let store = try open(keepLast: 1, keepBest: 0)
        try save(epoch: 9, loss: 1, in: store)
        try store.finishWriting()
        try corrupt("step-00000900.h5")
        try save(epoch: 3, loss: 1, in: store)
        try store.finishWriting()
        #expect(try contents() == ["step-00000300.h5"])
    }

    @Test func `a failing write is noted, the old file stays and training goes on`() throws {
        let failing = Mutex(false)
        let calls = SystemCalls { call in call == .fsync && failing.withLock { $0 } ? ENOSPC : nil }
        let store = try open(keepLast: 1, calls: calls)
        try save(epoch: 1, loss: 1, in: store)
        try store.finishWriting()
        failing.withLock { $0 = true }
        try save(epoch: 2, loss: 0.5, in: store)
        try store.finishWriting()
        #expect(try contents() == ["best.h5", "step-00000100.h5"])
        #expect(notes.all.last?.hasPrefix("error: \(run)/step-00000200.h5: fsync failed: No space left") == true)
        #expect(notes.all.last?.hasSuffix("training goes on, and the next checkpoint is tried when it is due") == true)
        failing.withLock { $0 = false }
        try save(epoch: 3, loss: 0.7, in: store)
        try store.finishWriting()
        #expect(try contents() == ["best.h5", "step-00000300.h5"])
        #expect(try store.best()?.checkpoint.cursor.step == 300)
    }

    @Test func `where on_error is stop the next call throws`() throws {
        let store = try open(onError: .stop, calls: SystemCalls { call in call == .write ? ENOSPC : nil })
        try save(epoch: 1, loss: 1, in: store)
        let error = #expect(throws: TreadleError.self) { try save(epoch: 2, loss: 1, in: store) }
        #expect(error?.kind == .inputOutput)
    }

    @Test(arguments: SystemCalls.Call.allCases)
    func `whatever call fails, every file with a checkpoint's name is good`(call: SystemCalls.Call) throws {
        for turn in 1...12 {
            let other = try TemporaryDirectory()
            let store = try open(other.path, keepLast: 1, keepBest: 2, calls: .failing(call, turn: turn, with: EIO))
            for (epoch, loss) in [(1, 0.9), (2, 0.8), (3, 0.7)] { try save(epoch: epoch, loss: loss, in: store) }
            try store.finishWriting()
            for name in try store.names() { _ = try CheckpointFile.read(store.path(name)) }
            #expect(try store.newest()?.checkpoint.cursor.step == (notes.all.isEmpty ? 300 : store.newestStep))
            #expect(try other.contents().allSatisfy { CheckpointName(fileName: $0) != nil })
        }
    }

    @Test func `too little room is refused before anything is written`() throws {
        let store = try open(minFree: .value(.share(1.5)))
        let error = #expect(throws: TreadleError.self) {
            try store.saveAndWait(sampleCheckpoint(), as: .final)
        }
        #expect(error?.kind == .inputOutput)
        #expect(error?.description.contains("are free on its file system; free space") == true)
        #expect(try contents() == [])
    }

    @Test func `leftovers of killed writers go, and a second run is kept out`() throws {
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        try directory.write("half", to: "run/.step-00000100.h5.0123456789abcdef.tmp")
        let store = try open()
        #expect(try contents() == [])
        #expect(throws: TreadleError.self) { try open() }
        _ = store
    }

    // MARK: Parts

    private func open(
        _ path: String? = nil, keepLast: Int = 3, keepBest: Int = 1, higherIsBetter: Bool = false,
        every: (time: Duration?, epochs: Int?, steps: Int?) = (nil, 1, nil),
        minFree: Automatic<Amount> = .automatic, onError: CheckpointErrorPolicy = .proceed,
        calls: SystemCalls = SystemCalls()
    ) throws -> CheckpointStore {
        let path = path ?? run
        let lock = try #require(try DirectoryLock.acquire(path, whenHeld: .fail))
        var settings = try Configuration.parse(
            text: """
                { schema: 1, name: "a", task: "classification", data: { train: { files: ["a.h5"] } }, model: { hidden: [] } }
                """, file: "a.json5", baseDirectory: "/"
        ).checkpoint
        (settings.every.time, settings.every.epochs, settings.every.steps) = every
        settings.keepLast = keepLast
        settings.keepBest = keepBest
        settings.minFree = minFree
        settings.onError = onError
        return CheckpointStore(
            path, lock: lock, settings: settings,
            watched: WatchedMetric(name: "valid.loss", higherIsBetter: higherIsBetter), calls: calls,
            note: { [notes] in notes.add($0, $1) })
    }

    private func save(epoch: Int, loss: Double, in store: CheckpointStore) throws {
        var checkpoint = sampleCheckpoint(step: epoch * 100, hidden: [])
        checkpoint.cursor = Cursor(epoch: epoch, batch: 0, step: epoch * 100)
        checkpoint.history = [record(epoch, step: epoch * 100, loss: loss)]
        try store.save(checkpoint)
    }

    private func record(_ epoch: Int, step: Int, loss: Double) -> EpochRecord {
        EpochRecord(epoch: epoch, step: step, rate: 0.1, seconds: 1, metrics: ["valid.loss": loss])
    }

    private func contents() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: run).sorted()
    }

    private func bestSteps() throws -> [Int] {
        try ["best.h5", "best-2.h5", "best-3.h5", "best-4.h5"].filter { try contents().contains($0) }
            .map { try CheckpointFile.read(run + "/" + $0).cursor.step }
    }

    private func corrupt(_ name: String) throws {
        let path = run + "/" + name
        // Through a copy: best.h5 may be the same file under another name.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}

extension CheckpointStore {
    /// The highest step in the directory.
    fileprivate var newestStep: Int? {
        (try? names())?.compactMap { if case .step(let step) = $0 { step } else { nil } }.max()
    }
}

/// Counts calls from 1.
private final class Counter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}

/// What a store had to say.
final class Notes: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ level: LogLevel, _ text: String) { lines.withLock { $0.append("\(level): \(text)") } }
    var all: [String] { lines.withLock { $0 } }
}
