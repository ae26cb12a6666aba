import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData

@Suite struct DataPermutationTests {
    @Test func `every index below ten thousand goes somewhere else, for every count`() {
        var images = [UInt64](repeating: 0, count: 10_000)
        for count in 1...10_000 {
            let permutation = Permutation(count: count, seed: UInt64(count), epoch: 3)
            permutation.fill(&images, from: 0..<count)
            var seen = [Bool](repeating: false, count: count)
            for image in images[..<count] { seen[Int(image)] = true }
            guard !seen.contains(false) else {
                Issue.record("not a permutation of \(count)")
                return
            }
        }
    }

    @Test(arguments: [10_001, 65_536, 65_537, 1 << 20, (1 << 31) + 1, 1 << 32, (1 << 32) + 7, 1 << 40])
    func `large counts have an inverse and no two images alike`(count: Int) {
        let permutation = Permutation(count: count, seed: 42, epoch: 0)
        var images: Set<Int> = []
        for step in 0..<2_000 {
            let index = step * 7_919 % count
            let image = permutation[index]
            #expect(image >= 0 && image < count)
            #expect(permutation.index(of: image) == index)
            images.insert(image)
        }
        #expect(images.count == Set((0..<2_000).map { $0 * 7_919 % count }).count)
    }

    // Every weight that was ever trained depends on this order: the values are this generator's own, kept since it began.
    @Test func `the order of a seed stays what it was`() {
        let small = Permutation(count: 10, seed: 1, epoch: 0)
        #expect((0..<10).map { small[$0] } == [0, 8, 5, 1, 6, 2, 4, 3, 9, 7])
        var images = [UInt64](repeating: 0, count: 10)
        small.fill(&images, from: 0..<10)
        #expect(images == [0, 8, 5, 1, 6, 2, 4, 3, 9, 7])
        let large = Permutation(count: 1 << 40, seed: 7, epoch: 3, stream: 5)
        #expect((0..<3).map { large[$0] } == [304_014_049_596, 198_038_812_543, 87_167_935_638])
        #expect((0..<40).filter { Split(fraction: 0.1, seed: 1).isAside($0) } == [4, 13])
    }

    @Test func `seeds and epochs decide the order, and nothing else does`() {
        func order(_ seed: UInt64, _ epoch: Int) -> [Int] {
            let permutation = Permutation(count: 1_000, seed: seed, epoch: epoch)
            return (0..<1_000).map { permutation[$0] }
        }
        #expect(order(1, 0) == order(1, 0))
        #expect(order(1, 0) != order(2, 0))
        #expect(order(1, 0) != order(1, 1))
    }

    // 4,000 seeds over 40 places: 100 expected each, standard deviation 9.9; 5.5 of them bound the worst of 1,600 cells.
    @Test func `each row comes to each place as often as any other, over seeds`() {
        let (count, seeds) = (40, 4_000)
        var hits = [[Int]](repeating: [Int](repeating: 0, count: count), count: count)
        for seed in 0..<seeds {
            let permutation = Permutation(count: count, seed: UInt64(seed), epoch: 0)
            for index in 0..<count { hits[index][permutation[index]] += 1 }
        }
        let worst = hits.joined().map { abs($0 - seeds / count) }.max() ?? 0
        #expect(worst < 55)
    }

    @Test func `neighbours do not stay neighbours`() {
        let permutation = Permutation(count: 100_000, seed: 9, epoch: 0)
        let images = (0..<10_000).map { permutation[$0] }
        let close = zip(images, images.dropFirst()).count { abs($0 - $1) < 100 }
        // 0.2 % of random pairs are as close.
        #expect(close < 50)
    }

    @Test(arguments: [(1, 4, 2), (10, 4, 2), (100, 7, 3), (4_096, 64, 4), (5_000, 64, 16), (999, 1_000, 5)])
    func `the block order has every row once and keeps within its windows`(count: Int, block: Int, window: Int) {
        let order = EpochOrder(
            .shuffled(.block, seed: 5, block: block, window: window), count: count, epoch: 2)
        var ordinals = [UInt64](repeating: 0, count: count)
        order.fill(&ordinals, at: 0..<count)
        #expect(Set(ordinals).count == count)
        #expect(ordinals.allSatisfy { $0 < count })
        // Asked for piece by piece it is the same order.
        var pieces: [UInt64] = []
        var position = 0
        while position < count {
            let next = min(count, position + 13)
            var piece = [UInt64](repeating: 0, count: next - position)
            order.fill(&piece, at: position..<next)
            pieces += piece
            position = next
        }
        #expect(pieces == ordinals)
        // A window's rows come from as many blocks as it has.
        let blocks = Set(ordinals.prefix(block * window).map { $0 / UInt64(block) })
        #expect(blocks.count <= window + 1)
    }
}

@Suite struct DataSelectionTests {
    @Test(arguments: [1, 63, 64, 511, 512, 513, 10_000])
    func `a set of bits finds its rows by ordinal`(rows: Int) {
        for share in [1, 2, 7, 100] {
            let chosen = (0..<rows).filter {
                Int(Philox(seed: 3, purpose: .sampling).words(at: UInt64($0))[0]) % share == 0
            }
            let bits = RowBits(rows: rows, workers: Workers(count: 2)) { row in
                Int(Philox(seed: 3, purpose: .sampling).words(at: UInt64(row))[0]) % share == 0
            }
            let selection = RowSelection(bits)
            #expect(selection.count == chosen.count)
            #expect((0..<selection.count).map { selection[$0] } == chosen)
        }
    }

    @Test func `rows that lie far from their share are found too`() {
        let bits = RowBits(rows: 1_000_000, workers: Workers(count: 1)) { $0 < 3 || $0 >= 999_990 }
        let selection = RowSelection(bits)
        #expect((0..<selection.count).map { selection[$0] } == [0, 1, 2] + Array(999_990..<1_000_000))
    }

    @Test func `the split puts its share aside and keeps every row's side when rows are appended`() {
        let split = Split(fraction: 0.1, seed: 7)
        let aside = (0..<100_000).count { split.isAside($0) }
        // Standard deviation 95.
        #expect(abs(aside - 10_000) < 500)
        #expect(Split(fraction: 0, seed: 7).isAside(5) == false)
        let other = Split(fraction: 0.1, seed: 8)
        #expect((0..<1_000).contains { split.isAside($0) != other.isAside($0) })
    }
}
