internal import CDecode
internal import Dispatch
internal import Foundation
internal import TreadleBase

/// A run of rows that was decoded as a whole, row after row.
@safe final class Band: @unchecked Sendable {
    let bytes: UnsafeMutableRawPointer
    private let size: Int
    private let pool: BandPool

    init(size: Int, from pool: BandPool) throws {
        unsafe bytes = unsafe try pool.take(size)
        self.size = size
        self.pool = pool
    }

    deinit {
        unsafe pool.giveBack(bytes, size)
    }
}

/// The memory of bands that nobody needs any more, for the next ones.
///
/// The heap would keep what many threads take and give back, far beyond the limit; fresh pages from the kernel
/// for every band would cost a tenth of its decoding.
@safe final class BandPool: @unchecked Sendable {
    private let lock = NSLock()
    private var spare: [(bytes: UnsafeMutableRawPointer, size: Int)] = unsafe []
    private static let mostSpare = 4

    deinit {
        for index in unsafe spare.indices { unsafe cd_release(spare[index].bytes, spare[index].size) }
    }

    func take(_ size: Int) throws -> UnsafeMutableRawPointer {
        let known = unsafe lock.withLock { () -> UnsafeMutableRawPointer? in
            guard let index = unsafe spare.firstIndex(where: { unsafe $0.size == size }) else { return nil }
            return unsafe spare.remove(at: index).bytes
        }
        if let known = unsafe known { return unsafe known }
        guard let fresh = unsafe cd_allocate(max(size, 1)) else {
            throw TreadleError(
                .inputOutput,
                "no memory for \(size.asBytes) of decoded rows; lower data.memory_limit or close other programs")
        }
        return unsafe fresh
    }

    func giveBack(_ bytes: UnsafeMutableRawPointer, _ size: Int) {
        let surplus = unsafe lock.withLock { () -> (bytes: UnsafeMutableRawPointer, size: Int)? in
            unsafe spare.append((bytes, size))
            return unsafe spare.count > Self.mostSpare ? unsafe spare.removeFirst() : nil
        }
        if let surplus = unsafe surplus { unsafe cd_release(surplus.bytes, surplus.size) }
    }
}

/// Decoded bands, kept until their memory is needed: a chunk that many rows are wanted from is decoded once.
///
/// Two tasks that want the same band decode it once: the second waits for the first.
final class BandCache: @unchecked Sendable {
    struct Key: Hashable {
        var reader: ObjectIdentifier
        var band: Int
    }

    private final class Entry {
        let key: Key
        let size: Int
        var band: Band?
        /// Neighbours in the order of use.
        weak var older: Entry?
        var newer: Entry?

        init(_ key: Key, size: Int) {
            self.key = key
            self.size = size
        }
    }

    private let condition = NSCondition()
    private var entries: [Key: Entry] = [:]
    private var oldest: Entry?
    private weak var newest: Entry?
    private var used = 0
    private var capacity: Int
    private let budget: MemoryBudget
    private let pool = BandPool()
    /// As many queues as there are workers: decoding ahead must not crowd out those who train.
    private let lanes: [(queue: DispatchQueue, scratch: ReadScratch)]
    private var nextLane = 0

    init(budget: MemoryBudget, workers: Workers) {
        self.budget = budget
        lanes = (0..<workers.count).map { (DispatchQueue(label: "treadle.bands.\($0)"), ReadScratch()) }
        capacity = 0
    }

    deinit {
        // One by one: releasing the whole chain at once would recurse through it.
        while let entry = oldest {
            oldest = entry.newer
            entry.newer = nil
        }
        budget.giveBack(capacity)
    }

    /// Takes up to `bytes` in all from the budget; the present share stays when there is less.
    func grow(to bytes: Int) {
        condition.lock()
        defer { condition.unlock() }
        let wanted = min(bytes - capacity, budget.left)
        if wanted > 0, budget.claim(wanted) { capacity += wanted }
    }

    /// Forgets what was decoded, and gives the memory back to the budget.
    func clear() {
        condition.lock()
        defer { condition.unlock() }
        while let entry = oldest {
            unlink(entry)
            entries[entry.key] = nil
            used -= entry.size
            entry.band = nil
        }
        budget.giveBack(capacity)
        capacity = 0
    }

    var room: Int {
        condition.lock()
        defer { condition.unlock() }
        return capacity
    }

    /// The band under `key`, which `load` fills if it is not there; `scratch` keeps it in place of the one that it had.
    ///
    /// Bands are let go of under the lock alone, by tasks and by the cache. So whoever takes a band's memory next comes, by the
    /// lock, after all who have read from it, which a thread sanitizer sees; the order of counted references it does not see.
    func band(
        _ key: Key, size: Int, for scratch: ReadScratch, load: (UnsafeMutableRawPointer) throws -> Void
    ) throws -> Band {
        condition.lock()
        scratch.band = nil
        while let entry = entries[key] {
            if let band = entry.band {
                unlink(entry)
                append(entry)
                scratch.band = (key, band)
                condition.unlock()
                return band
            }
            condition.wait()
        }
        // The kernel gives whole pages.
        let entry = Entry(key, size: (size + 4095) / 4096 * 4096)
        entries[key] = entry
        used += entry.size
        while used > capacity, let victim = oldest {
            unlink(victim)
            entries[victim.key] = nil
            used -= victim.size
            victim.band = nil
        }
        condition.unlock()

        let outcome = Result {
            let band = try Band(size: size, from: pool)
            unsafe try load(band.bytes)
            return band
        }
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        switch outcome {
        case .success(let band):
            entry.band = band
            scratch.band = (key, band)
            append(entry)
        case .failure:
            entries[key] = nil
            used -= entry.size
        }
        return try outcome.get()
    }

    /// Whether a band is there, or on its way.
    func has(_ key: Key) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        return entries[key] != nil
    }

    /// Whether so much can be decoded ahead without pushing out what is in use.
    func hasRoom(for bytes: Int) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        return bytes <= capacity / 2
    }

    /// Runs `load` in the background, with what that thread of work keeps.
    func later(_ load: @escaping @Sendable (ReadScratch) -> Void) {
        condition.lock()
        nextLane = (nextLane + 1) % lanes.count
        let lane = lanes[nextLane]
        condition.unlock()
        // One task of a lane runs at a time.
        nonisolated(unsafe) let scratch = lane.scratch
        lane.queue.async { unsafe load(scratch) }
    }

    private func append(_ entry: Entry) {
        entry.older = newest
        newest?.newer = entry
        newest = entry
        if oldest == nil { oldest = entry }
    }

    private func unlink(_ entry: Entry) {
        let newer = entry.newer
        newer?.older = entry.older
        if let older = entry.older {
            older.newer = newer
        } else {
            oldest = newer
        }
        if newest === entry { newest = entry.older }
        entry.older = nil
        entry.newer = nil
    }
}
