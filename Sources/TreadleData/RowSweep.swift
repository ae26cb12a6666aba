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
        _ = try map(rows, block: block, body)
    }

    /// What `body` gives for each block, in the order of the blocks.
    func map<Value>(
        _ rows: Range<Int>, block: Int,
        _ body: @Sendable (_ index: Int, _ rows: Range<Int>, ReadScratch) throws -> Value
    ) throws -> [Value] {
        // Blocks after one that has failed are not read any more.
        let end = Atomic<Int>(.max)
        let scratches = (0..<workers.count).map { _ in ReadScratch() }
        let results = workers.map((rows.count + block - 1) / block) { index, worker -> Result<Value, any Error>? in
            guard index < end.load(ordering: .relaxed) else { return nil }
            let lower = rows.lowerBound + index * block
            let result = Result {
                try stop.check()
                return try body(index, lower..<min(lower + block, rows.upperBound), scratches[worker])
            }
            if case .failure = result { end.min(index, ordering: .relaxed) }
            return result
        }
        return try results.compactMap { try $0?.get() }
    }
}
