import Dispatch
import Synchronization
import Testing
@testable import TreadleBase
@testable import TreadleData

/// Decoded bands in memory that is shared and has an end.
@Suite struct BandCacheTests {
    private final class Reader {}

    private let budget = MemoryBudget(limit: 64 << 10)
    private let reader = Reader()
    private static let size = 4096

    private func cache(bands: Int) -> BandCache {
        let cache = BandCache(budget: budget, workers: Workers(count: 2))
        cache.grow(to: bands * Self.size)
        return cache
    }

    private func key(_ band: Int) -> BandCache.Key { .init(reader: ObjectIdentifier(reader), band: band) }

    /// Asks for a band, whose bytes are its number; true where it had to be decoded.
    private func decodes(_ cache: BandCache, _ number: Int) throws -> Bool {
        var wasDecoded = false
        let band = try cache.band(key(number), size: Self.size, for: ReadScratch()) { bytes in
            wasDecoded = true
            bytes.initializeMemory(as: UInt8.self, repeating: UInt8(number), count: Self.size)
        }
        let bytes = UnsafeRawBufferPointer(start: band.bytes, count: Self.size)
        #expect(bytes.allSatisfy { $0 == UInt8(number) })
        return wasDecoded
    }

    @Test func `a band is decoded once while there is room, and the one that was not used longest goes first`() throws {
        let cache = cache(bands: 3)
        #expect(try (0..<3).map { try decodes(cache, $0) } == [true, true, true])
        #expect(try decodes(cache, 0) == false)
        #expect(try decodes(cache, 3))
        // 1 was used before 2 and 0.
        #expect((0..<4).map { cache.has(key($0)) } == [true, false, true, true])
        #expect(try decodes(cache, 1))
        #expect(!cache.has(key(2)) && cache.has(key(0)))
    }

    @Test func `tasks that want the same band at once decode it once`() {
        let cache = cache(bands: 4)
        let decoded = Atomic(0)
        nonisolated(unsafe) let suite = self
        DispatchQueue.concurrentPerform(iterations: 64) { task in
            if (try? suite.decodes(cache, task % 4)) == true { decoded.add(1, ordering: .relaxed) }
        }
        #expect(decoded.load(ordering: .relaxed) == 4)
    }

    @Test func `a band that cannot be decoded leaves nothing behind, and is tried again by whoever comes next`() throws
    {
        let cache = cache(bands: 2)
        for _ in 0..<5 {
            #expect(throws: TreadleError.self) {
                try cache.band(key(0), size: Self.size, for: ReadScratch()) { _ in
                    throw TreadleError(.badData, "damaged")
                }
            }
            #expect(!cache.has(key(0)))
        }
        // Failures have not used up the room.
        #expect(try decodes(cache, 0) && decodes(cache, 1))
        #expect(cache.has(key(0)) && cache.has(key(1)))
    }

    @Test func `memory comes out of the budget, no more than is left, and goes back`() throws {
        do {
            let cache = cache(bands: 4)
            #expect(budget.left == budget.limit - 4 * Self.size)
            cache.grow(to: 2 * Self.size)
            #expect(cache.room == 4 * Self.size)
            cache.grow(to: 1 << 30)
            #expect(cache.room == budget.limit && budget.left == 0)
            #expect(cache.hasRoom(for: budget.limit / 2) && !cache.hasRoom(for: budget.limit / 2 + 1))
            _ = try decodes(cache, 0)
            cache.clear()
            #expect(!cache.has(key(0)) && budget.left == budget.limit)
            cache.grow(to: Self.size)
        }
        #expect(budget.left == budget.limit)
    }

    @Test func `a band that somebody holds keeps its bytes when it is pushed out`() throws {
        let cache = cache(bands: 1)
        let held = try cache.band(key(0), size: Self.size, for: ReadScratch()) { bytes in
            bytes.initializeMemory(as: UInt8.self, repeating: 42, count: Self.size)
        }
        for number in 1..<6 { _ = try decodes(cache, number) }
        #expect(!cache.has(key(0)))
        #expect(UnsafeRawBufferPointer(start: held.bytes, count: Self.size).allSatisfy { $0 == 42 })
    }
}
