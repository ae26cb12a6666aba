import Testing
@testable import TreadleBase
@testable import TreadleModel
@testable import TreadleRun
@testable import TreadleTools

@Suite struct TensorStatisticsTests {
    private func statistics(_ values: [Float], threads: Int = 1) throws -> TensorStatistics {
        try TensorStatistics(
            NumberSource(Tensor(shape: [values.count], storage: .float32(values))), workers: Workers(count: threads))
    }

    @Test func `small numbers have the statistics that a pocket calculator gives`() throws {
        let found = try statistics([2, 4, 4, 4, 5, 5, 7, 9, 0])
        #expect(found.count == 9 && found.zeros == 1 && found.nan == 0 && found.infinite == 0)
        #expect(found.minimum == 0 && found.maximum == 9)
        #expect(abs(found.mean - 40.0 / 9) < 1e-15)
        // Squares: 232. Variance: 232/9 − (40/9)².
        #expect(abs(found.norm - 232.0.squareRoot()) < 1e-14)
        #expect(abs(found.spread - (232.0 / 9 - 1600.0 / 81).squareRoot()) < 1e-14)
        #expect(found.histogram.count == 32 && found.histogram.reduce(0, +) == 9)
        #expect(found.histogram[0] == 1 && found.histogram[31] == 1)
    }

    @Test func `numbers that are not finite are counted and left out of everything else`() throws {
        let found = try statistics([.nan, 1, .infinity, 3, -.infinity, -.nan, 0, -0.0, 1, 3])
        #expect(found.count == 10 && found.nan == 2 && found.infinite == 2 && found.zeros == 2)
        #expect(found.minimum == 0 && found.maximum == 3)
        #expect(found.mean == 8.0 / 6)
        #expect(found.histogram.reduce(0, +) == 6)
        let none = try statistics([.nan, .infinity])
        #expect(none.finite == 0 && none.histogram.isEmpty && none.mean == 0)
        #expect(try statistics([]).count == 0)
    }

    @Test(arguments: [1, 70_000])
    func `the largest doubles have a mean, a spread and a norm`(pairs: Int) throws {
        let largest = Double.greatestFiniteMagnitude
        let values = (0..<pairs).flatMap { _ in [largest, -largest / 2] }
        let found = try TensorStatistics(
            NumberSource(Tensor(shape: [values.count], storage: .float64(values))), workers: Workers(count: 2))
        // The mean of 1 and −½ is ¼, and both lie ¾ from it.
        #expect(abs(found.mean / largest - 0.25) < 1e-12)
        #expect(abs(found.spread / largest - 0.75) < 1e-12)
        #expect(found.norm == largest)
        #expect(found.minimum == -largest / 2 && found.maximum == largest)
        let one = try TensorStatistics(
            NumberSource(Tensor(shape: [2], storage: .float64([largest / 2, 1]))), workers: Workers(count: 1))
        #expect(abs(one.norm / largest - 0.5) < 1e-12)
    }

    @Test func `the spread keeps its digits far away from zero`() throws {
        // Uniform over 0…1 in steps, moved by 2^30: the variance is (n²−1)/12 · step².
        let count = 100_003
        let values = (0..<count).map { 0x1p30 + Double($0) * 0x1p-10 }
        let found = try TensorStatistics(
            NumberSource(Tensor(shape: [count], storage: .float64(values))), workers: Workers(count: 2))
        let exact = ((Double(count) * Double(count) - 1) / 12).squareRoot() * 0x1p-10
        // Squares of numbers near 2^30 have lost these digits; deviations from a block's mean have not.
        #expect(abs(found.spread / exact - 1) < 1e-9)
    }

    @Test(arguments: [2, 3, 7, 64])
    func `any number of threads gives the same bits`(threads: Int) throws {
        let random = Philox(seed: 3, purpose: .sampling)
        var values = (0..<200_001).map { Float(random.words(at: UInt64($0))[0]) / 0x1p32 - 0.3 }
        #expect(try statistics(values, threads: threads) == statistics(values))
        values[150_000] = .nan
        #expect(try statistics(values, threads: threads) == statistics(values))
        #expect(try statistics(values).nan == 1)
    }

    @Test func `equal numbers, and the widest range there is, have a histogram`() throws {
        let equal = try statistics([Float](repeating: 0.25, count: 100))
        #expect(equal.spread == 0 && equal.histogram.reduce(0, +) == 100)
        let wide = try TensorStatistics(
            NumberSource(
                Tensor(shape: [3], storage: .float64([-.greatestFiniteMagnitude, 0, .greatestFiniteMagnitude]))),
            workers: Workers(count: 1))
        #expect(wide.histogram.reduce(0, +) == 3 && wide.histogram[0] == 1 && wide.histogram[31] == 1)
    }
}
