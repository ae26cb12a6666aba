internal import Dispatch
internal import Synchronization
package import TreadleBase
package import TreadleModel

/// Hands out the rows of a set in batches, epoch after epoch, reading ahead in the background where rows are not in
/// memory already.
///
/// Which rows a batch holds depends on seed, epoch and batch alone, so a loader begins anywhere at once.
package final class BatchLoader<S: Scalar> {
    package let batchesPerEpoch: Int
    /// How long `next` has waited for rows so far.
    package private(set) var waited: Duration = .zero
    /// The batch that `next` hands out next; a batch of `batchesPerEpoch` is the epoch's end.
    package private(set) var epoch: Int
    package private(set) var batch: Int

    /// How many batches there is memory for beside those that are read ahead.
    package let mostAtOnce: Int

    private let source: BatchSource<S>
    private var slots: [BatchSlot<S>] = []
    /// Batches since the loader began: the ring's counter.
    private var taken = 0
    private var scheduled = 0
    private let lanes: [Lane]
    private let cancelled = CancellationFlag()

    /// A queue whose tasks run one after the other, with what they keep between them.
    private struct Lane {
        var queue: DispatchQueue
        var scratch: ReadScratch
    }

    /// `cursor` tells the epoch and the batch to begin with. `prefetch` batches are read ahead, and as many as may be held
    /// `atOnce`. With a `part`, batches hold the rows of its own shards alone.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package init(
        _ rows: RowSet, normalization: Normalization, order: RowOrder, batchSize: Int, dropLast: Bool = false,
        prefetch: Int = 4, atOnce: Int = 1, workers: Workers, part: Shards? = nil, from cursor: Cursor = Cursor()
    ) throws {
        source = try BatchSource(rows, normalization, order, batchSize: batchSize, dropLast: dropLast, part: part)
        batchesPerEpoch = source.batchesPerEpoch
        guard batchesPerEpoch > 0 else {
            throw TreadleError(
                .configuration,
                "\(rows.count) rows make no whole batch of \(batchSize); lower data.batch_size, or set data.drop_last to false"
            )
        }
        epoch = cursor.epoch
        batch = cursor.batch
        if source.isResident {
            lanes = []
            // All that was decoded has been converted: nothing is read from the files again.
            rows.dataset.cache.clear()
            mostAtOnce = atOnce
            slots = try (0..<atOnce).map { _ in try BatchSlot(source) }
        } else {
            // Wide rows: as many batches as half of what is left of the limit has room for, one in use and one ahead at
            // least.
            let batchBytes = ResidentRows<S>.bytes(rows.dataset.features + source.targetWidth, rows: batchSize)
            let room = rows.dataset.settings.budget.left / 2 / max(batchBytes, 1)
            mostAtOnce = max(1, min(atOnce, room / 2))
            let ahead = max(1, min(max(prefetch, mostAtOnce), room - mostAtOnce))
            lanes = (0..<min(workers.count, ahead)).map { number in
                Lane(
                    queue: DispatchQueue(label: "treadle.loader.\(number)", qos: .userInitiated), scratch: ReadScratch()
                )
            }
            slots = try (0..<mostAtOnce + ahead).map { _ in try BatchSlot(source) }
            if source.isInMemory {
                rows.dataset.cache.clear()
            } else {
                rows.dataset.cacheWhatIsLeft()
            }
            if !source.isInMemory, case .shuffled(let shuffle, _, let block, let window) = order {
                for warning in rows.dataset.warnings(shuffle, windowRows: block * window) {
                    rows.dataset.warnOnce(warning)
                }
            }
        }
    }

    deinit {
        cancelled.set()
    }

    /// The next batch; nil once at the end of each epoch, after which the next epoch begins.
    ///
    /// The last batches that were handed out, `holding` of them, stay valid beside it: fewer than `mostAtOnce`. All others'
    /// memory is used again.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func next(holding held: Int = 0) throws -> Batch<S>? {
        precondition(held < mostAtOnce, "there is memory for so many batches")
        guard batch < batchesPerEpoch else {
            try source.checkIntact()
            epoch += 1
            batch = 0
            return nil
        }
        defer { batch += 1 }
        if source.isResident {
            // The last batches pointed into the file itself and have been used by now, but for those that are held: what came
            // of them must not be kept if that part of the file is gone.
            try source.checkIntact()
            if batch == 0 { try source.checkFiles() }
            try source.fill(slots[held], epoch: epoch, batch: batch, ReadScratch())
            return unsafe slots[held].batch
        }
        // The slots of all but the batches that are held are free again: they take the batches furthest ahead.
        while scheduled < taken - held + slots.count { schedule() }
        let slot = slots[taken % slots.count]
        if slot.ready.wait(timeout: .now()) == .timedOut {
            waited += ContinuousClock().measure { slot.ready.wait() }
        }
        taken += 1
        if let failure = slot.failure { throw failure }
        return unsafe slot.batch
    }

    /// Throws when rows handed out so far were not what the files held: call it before results are kept.
    @specialized(where S == Float)
    @specialized(where S == Double)
    package func confirm() throws {
        try source.checkIntact()
    }

    /// Throws, too, when a file that rows are read from has changed since it was opened: call it before anything that was
    /// learnt or measured on its rows is kept for good.
    package func confirmFiles() throws {
        try source.checkIntact()
        try source.checkFiles()
    }

    /// Goes on from another place. What was read ahead for the old one is thrown away.
    package func seek(to cursor: Cursor) {
        while taken < scheduled {
            slots[taken % slots.count].ready.wait()
            taken += 1
        }
        epoch = cursor.epoch
        batch = cursor.batch
    }

    private func schedule() {
        // Batches follow each other across the ends of epochs.
        let ahead = batch + (scheduled - taken)
        let (epoch, batch) = (self.epoch + ahead / batchesPerEpoch, ahead % batchesPerEpoch)
        let slot = slots[scheduled % slots.count]
        let lane = lanes[scheduled % lanes.count]
        nonisolated(unsafe) let scratch = lane.scratch
        lane.queue.async { [source, cancelled] in
            defer { slot.ready.signal() }
            guard !cancelled.isSet else { return }
            do {
                slot.failure = nil
                if batch == 0 { try source.checkFiles() }
                unsafe try source.fill(slot, epoch: epoch, batch: batch, scratch)
            } catch {
                slot.failure = error
            }
        }
        scheduled += 1
    }
}

/// Set once, read by tasks that have not begun.
private final class CancellationFlag: Sendable {
    private let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}

/// Where training stands, to the batch: with the configuration and the data it is all that resuming needs.
///
/// ```swift
/// if case .saved(let path, let cursor) = event { print("\(path): epoch \(cursor.epoch), step \(cursor.step)") }
/// ```
public struct Cursor: Equatable, Sendable, Codable {
    /// Epochs completed.
    public var epoch: Int
    /// Batches of the present epoch already trained on.
    public var batch: Int
    /// Optimizer updates since the start.
    public var step: Int

    package init(epoch: Int = 0, batch: Int = 0, step: Int = 0) {
        self.epoch = epoch
        self.batch = batch
        self.step = step
    }
}
