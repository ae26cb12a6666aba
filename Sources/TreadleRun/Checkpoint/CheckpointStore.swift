internal import Dispatch
internal import Foundation
internal import Synchronization
package import TreadleBase
package import TreadleConfiguration
package import TreadleData

/// The checkpoints of one run's directory: written beside training, kept and deleted by the configuration's rules.
///
/// The directory is locked while the store lives. A file is deleted only after a newer one is durable, and every
/// file that bears a checkpoint's name is whole at every moment, whenever the process is killed.
///
/// One thread uses the store; the writing happens on another.
package final class CheckpointStore: Sendable {
    package let directory: String
    private let settings: CheckpointConfiguration
    private let lock: DirectoryLock
    private let calls: SystemCalls
    let examine: @Sendable (_ path: String) throws -> Void
    let note: @Sendable (LogLevel, String) -> Void
    private let metrics: Mutex<MetricsLog?>
    private let bestFiles: BestCheckpoints?
    let writer = DispatchQueue(label: "treadle.checkpoint-writer")
    let state: Mutex<State>

    struct State {
        /// Whether a write is under way or about to be.
        var isBusy = false
        var lastCursor: Cursor?
        var lastTime = ContinuousClock.now
        var failure: TreadleError?
        var saved: [Saved] = []
        /// Whether the newest checkpoint of an epoch's end is kept beside the `keep_last` newest of all, and its step.
        var keepsEpochEnd = false
        var epochEnd: Int?
    }

    /// A checkpoint that has become durable.
    package struct Saved: Equatable, Sendable {
        package var path: String
        package var cursor: Cursor
        package var bytes: Int
    }

    /// A checkpoint that was read, and the file it is from.
    package struct Found: Equatable, Sendable {
        package var path: String
        package var checkpoint: Checkpoint
    }

    /// Takes charge of the directory that `lock` is for, and removes what killed writers left there.
    ///
    /// - Parameters:
    ///   - watched: the metric that `best.h5` follows.
    ///   - examine: asked about each file before it is read here; throws for one that cannot be read safely.
    ///   - note: told of failures and of what was found damaged, from any thread.
    package init(
        _ directory: String, lock: DirectoryLock, settings: CheckpointConfiguration, watched: WatchedMetric?,
        calls: SystemCalls = SystemCalls(), examine: @escaping @Sendable (_ path: String) throws -> Void = { _ in },
        note: @escaping @Sendable (LogLevel, String) -> Void
    ) {
        self.directory = directory
        self.settings = settings
        self.lock = lock
        self.calls = calls
        self.examine = examine
        self.note = note
        metrics = Mutex(nil)
        bestFiles = watched.flatMap { metric in
            settings.keepBest < 1
                ? nil : BestCheckpoints(directory, metric: metric, count: settings.keepBest, calls: calls, note: note)
        }
        state = Mutex(State())
        for name in DurableFile.removeLeftovers(in: directory) {
            note(.debug, "\(directory): removed \(name), which a killed run left behind")
        }
    }

    package func path(_ name: CheckpointName) -> String { directory + "/" + name.fileName }

    /// The checkpoints in the directory, those of steps in rising order.
    ///
    /// Throws where the directory cannot be listed: a run that believed it to be empty would start over.
    package func names() throws -> [CheckpointName] {
        try FileSystem.names(in: directory).compactMap { CheckpointName(fileName: $0) }
    }

    func steps() throws -> [Int] {
        try names().compactMap { name in
            if case .step(let step) = name { step } else { nil }
        }.sorted()
    }

    // MARK: Deleting

    /// Deletes every checkpoint of the directory: the run starts over.
    ///
    /// Those to continue from go first, the newest last. A kill in between leaves the run as it was, or one without
    /// any of them, which has to begin by deleting the rest.
    package func removeAll() throws {
        writer.sync {}
        let found = try names()
        guard !found.isEmpty else { return }
        for step in try steps() { try calls.unlink(path(.step(step))) }
        try calls.syncDirectory(directory)
        for name in found { try calls.unlink(path(name)) }
        try calls.syncDirectory(directory)
        bestFiles?.forget()
    }

    /// Deletes the checkpoints of later steps: the run has gone back to before them.
    package func removeSteps(after step: Int) throws {
        writer.sync {}
        for later in try steps() where later > step { try calls.unlink(path(.step(later))) }
        try calls.syncDirectory(directory)
    }

    /// Opens the run's metrics log, cut back to `cursor`; it is synced before each checkpoint that counts on it.
    package func openMetrics(_ path: String, continuingAt cursor: Cursor) throws -> MetricsLog {
        let log = try MetricsLog(path, continuingAt: cursor, calls: calls)
        metrics.withLock { $0 = log }
        return log
    }

    // MARK: Writing

    /// Whether a checkpoint is due at `cursor`: an interval has passed, or `epoch` is the end of one of the best.
    ///
    /// Asked between optimizer updates only: sums of a group of accumulated batches are not part of a checkpoint.
    package func isDue(at cursor: Cursor, epoch record: EpochRecord? = nil) -> Bool {
        let every = settings.every
        let (isNew, isBusy, waited) = state.withLock { state in
            (state.lastCursor != cursor, state.isBusy, ContinuousClock.now - state.lastTime)
        }
        guard isNew, cursor.step > 0 else { return false }
        if let steps = every.steps, cursor.step.isMultiple(of: steps) { return true }
        if let epochs = every.epochs, record != nil, cursor.epoch.isMultiple(of: epochs) { return true }
        if let time = every.time, !isBusy, waited >= time { return true }
        if let record, let bestFiles { return bestFiles.wants(record) }
        return false
    }

    /// Writes the checkpoint in the background, after one that is still being written.
    ///
    /// A failure is noted; it is thrown, by the next call, only where `checkpoint.on_error` is `stop`.
    package func save(_ checkpoint: Checkpoint) throws {
        writer.sync {}
        try throwFailure()
        begin(checkpoint.cursor)
        writer.async { [self] in
            do {
                try write(checkpoint, as: .step(checkpoint.cursor.step))
            } catch {
                report(error)
            }
            state.withLock { $0.isBusy = false }
        }
    }

    /// Writes the checkpoint and returns its path when it is durable.
    @discardableResult
    package func saveAndWait(_ checkpoint: Checkpoint, as name: CheckpointName? = nil) throws -> String {
        let name = name ?? .step(checkpoint.cursor.step)
        writer.sync {}
        begin(checkpoint.cursor)
        defer { state.withLock { $0.isBusy = false } }
        try writer.sync { try write(checkpoint, as: name) }
        return path(name)
    }

    /// Waits for the write under way; throws its failure where `checkpoint.on_error` is `stop`.
    package func finishWriting() throws {
        writer.sync {}
        try throwFailure()
    }

    /// What has become durable since the last call.
    package func takeSaved() -> [Saved] {
        state.withLock { state in
            defer { state.saved = [] }
            return state.saved
        }
    }

    /// Throws when the directory's file system lacks the room for a checkpoint of `bytes` and `checkpoint.min_free`.
    package func checkSpace(for bytes: Int) throws {
        let space = try DiskSpace(at: directory)
        let (kept, setting): (Int, String) =
            switch settings.minFree {
            case .automatic: (bytes, "\"auto\": room for one more")
            case .value(.bytes(let amount)): (amount, amount.asBytes)
            case .value(.share(let share)):
                (Int(min(Double(space.total) * share, 1e18)), "\(share * 100) % of its size")
            }
        guard space.available - bytes < kept else { return }
        throw TreadleError(
            .inputOutput,
            "\(directory): a checkpoint takes \(bytes.asBytes), \(kept.asBytes) more must stay free (checkpoint.min_free is "
                + "\(setting)), and \(space.available.asBytes) are free on its file system; free space, or lower "
                + "checkpoint.keep_last or checkpoint.min_free")
    }

    private func begin(_ cursor: Cursor) {
        state.withLock { state in
            state.isBusy = true
            state.lastCursor = cursor
            state.lastTime = .now
        }
    }

    private func throwFailure() throws {
        let failure = state.withLock { state in
            defer { state.failure = nil }
            return state.failure
        }
        if let failure, settings.onError == .stop { throw failure }
    }

    private func report(_ error: any Error) {
        let failure = error as? TreadleError ?? TreadleError(.bug, "\(directory): \(error)")
        switch settings.onError {
        case .proceed:
            let advice = "training goes on, and the next checkpoint is tried when it is due"
            note(.error, "\(failure.description); \(advice)")
        case .stop:
            state.withLock { $0.failure = failure }
        }
    }

    // MARK: The writer's thread

    private func write(_ checkpoint: Checkpoint, as name: CheckpointName) throws {
        let start = ContinuousClock.now
        let file = try EncodedCheckpoint(checkpoint)
        try checkSpace(for: file.count)
        try metrics.withLock { $0 }?.sync()
        try file.write(to: path(name), calls: calls)
        if case .step(let step) = name {
            try addToBest(checkpoint, at: path(name)) { file }
            if checkpoint.cursor.batch == 0 { state.withLock { $0.epochEnd = step } }
            deleteSteps(before: step)
        }
        note(.debug, "\(path(name)): wrote \(file.count) bytes in \(ContinuousClock.now - start)")
        state.withLock { $0.saved.append(Saved(path: path(name), cursor: checkpoint.cursor, bytes: file.count)) }
    }

    /// Takes a durable checkpoint, if it is of an epoch's end, among the best where it is one of them.
    private func addToBest(
        _ checkpoint: Checkpoint, at path: String, file: () throws -> EncodedCheckpoint
    ) throws {
        guard let record = checkpoint.history.last, checkpoint.cursor.batch == 0, record.step == checkpoint.cursor.step
        else { return }
        try bestFiles?.add(record, file: file, at: path)
    }

    /// A kill after an epoch's file was in place may have come before it was among the best.
    func addAgain(_ checkpoint: Checkpoint, at path: String) {
        do {
            try addToBest(checkpoint, at: path) { try EncodedCheckpoint(checkpoint) }
        } catch {
            // The run can go on without; the next epoch that is among the best says so again.
            note(.warning, "\(error)")
        }
    }

    /// Keeps the newest `keep_last` up to `step`, which is durable. Files of later steps are those that were found
    /// damaged when the run continued from an earlier one.
    private func deleteSteps(before step: Int) {
        let all: [Int]
        do {
            all = try steps()
        } catch {
            // The new checkpoint stands; old ones that stay are no reason to stop.
            note(.warning, "\(error)")
            return
        }
        let present = all.filter { $0 <= step }
        let kept = present.suffix(max(1, settings.keepLast))
        let anchor = state.withLock { $0.keepsEpochEnd ? $0.epochEnd : nil }
        for step in all where !kept.contains(step) && step != anchor {
            do {
                try calls.unlink(path(.step(step)))
            } catch {
                // The new checkpoint stands; that an old one does too is no reason to stop.
                note(.warning, "\(error)")
            }
        }
    }
}
