internal import Synchronization
internal import TreadleBase

/// A pass over many rows in blocks, on all workers.
struct RowSweep {
    let workers: Workers
    let stop: Stop

    init(_ settings: DatasetSettings) {
        workers = settings.workers
        stop = settings.stop
    }

    /// Calls `body` for blocks of at most `block` rows, in any order; a worker's scratch is its own.
    ///
    /// Where several blocks fail, the error of the first block is thrown, whichever failed first in time.
    func run(
        _ rows: Range<Int>, block: Int, _ body: @Sendable (_ index: Int, _ rows: Range<Int>, ReadScratch) throws -> Void
    ) throws {
        let failure = Mutex<(block: Int, error: any Error)?>(nil)
        let scratches = (0..<workers.count).map { _ in ReadScratch() }
        nonisolated(unsafe) let shared = scratches
        workers.forEach((rows.count + block - 1) / block) { index, worker in
            let isLate = failure.withLock { $0.map { $0.block < index } ?? false }
            guard !isLate else { return }
            do {
                try stop.check()
                let lower = rows.lowerBound + index * block
                try body(index, lower..<min(lower + block, rows.upperBound), unsafe shared[worker])
            } catch {
                failure.withLock { known in
                    if known.map({ index < $0.block }) ?? true { known = (index, error) }
                }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure.error }
    }
}
