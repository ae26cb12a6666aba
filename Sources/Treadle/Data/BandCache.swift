internal import Dispatch
internal import Foundation

/// A run of rows that was decoded as a whole, row after row.
@safe final class Band: @unchecked Sendable {
    let bytes: UnsafeMutableRawPointer

    init(size: Int) {
        unsafe bytes = UnsafeMutableRawPointer.allocate(byteCount: max(size, 1), alignment: 64)
    }

    deinit {
        unsafe bytes.deallocate()
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
    /// As many queues as there are workers: decoding ahead must not crowd out those who train.
    private let lanes: [DispatchQueue]
    private var nextLane = 0

    init(budget: MemoryBudget, workers: Workers) {
        self.budget = budget
        lanes = (0..<workers.count).map { DispatchQueue(label: "treadle.bands.\($0)") }
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

    var room: Int {
        condition.lock()
        defer { condition.unlock() }
        return capacity
    }

    /// The band under `key`, which `load` fills if it is not there.
    func band(_ key: Key, size: Int, load: (UnsafeMutableRawPointer) throws -> Void) throws -> Band {
        condition.lock()
        while let entry = entries[key] {
            if let band = entry.band {
                unlink(entry)
                append(entry)
                condition.unlock()
                return band
            }
            condition.wait()
        }
        let entry = Entry(key, size: size)
        entries[key] = entry
        used += size
        while used > capacity, let victim = oldest {
            unlink(victim)
            entries[victim.key] = nil
            used -= victim.size
        }
        condition.unlock()

        let band = Band(size: size)
        let outcome = Result { unsafe try load(band.bytes) }
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        switch outcome {
        case .success:
            entry.band = band
            append(entry)
        case .failure:
            entries[key] = nil
            used -= size
        }
        try outcome.get()
        return band
    }

    /// Whether so much can be decoded ahead without pushing out what is in use.
    func hasRoom(for bytes: Int) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        return bytes <= capacity / 2
    }

    /// Runs `load` in the background.
    func later(_ load: @escaping @Sendable () -> Void) {
        condition.lock()
        nextLane = (nextLane + 1) % lanes.count
        let lane = lanes[nextLane]
        condition.unlock()
        lane.async(execute: load)
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
