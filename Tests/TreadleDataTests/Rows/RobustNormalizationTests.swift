import CDecode
import CKernels
import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel

@Suite struct RobustNormalizationTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// By sorting, and between two neighbours from the nearer one, as `numpy.quantile` does by default.
    private static func quantile(_ numbers: [Double], quarters: Int) -> Double {
        let sorted = numbers.filter(\.isFinite).sorted()
        let place = Double(sorted.count - 1) * Double(quarters) / 4
        let lower = Int(place)
        let (a, b) = (sorted[lower], sorted[min(lower + 1, sorted.count - 1)])
        let share = place - Double(lower)
        return share >= 0.5 ? b - (b - a) * (1 - share) : a + (b - a) * share
    }

    /// Columns that each make something difficult.
    private static func columns(_ rows: Int) -> [[Double]] {
        var random = SplitMix(seed: 5)
        func column(_ make: (inout SplitMix) -> Double) -> [Double] { (0..<rows).map { _ in make(&random) } }
        return [
            column { Double.random(in: -1...1, using: &$0) },
            column { Double(Int.random(in: 0...3, using: &$0)) },
            column { _ in 42 },
            column { Double.random(in: 0...1, using: &$0) < 0.9 ? 0 : Double.random(in: -5...5, using: &$0) },
            column { Double.random(in: 1e300...1.5e300, using: &$0) },
            column { -exp(Double.random(in: -300...300, using: &$0)) },
            column { Double.random(in: 0...1, using: &$0) < 0.5 ? -0.0 : .leastNonzeroMagnitude },
            column { 1e9 + Double.random(in: 0...1e-3, using: &$0) },
        ]
    }

    private func write(_ name: String, _ columns: [[Double]], as type: ElementType = .float64) throws -> DataSource {
        let rows = columns[0].count
        let file = try H5File.create(directory.file(name))
        try file.write(
            (0..<rows).flatMap { row in columns.map { $0[row] } }, to: "/x", shape: [rows, columns.count], as: type)
        try file.write((0..<rows).map { Float($0 % 2) }, to: "/y")
        return DataFixture.source(name)
    }

    private func measured(_ source: DataSource, threads: Int = 2, _ data: (inout DataConfiguration) -> Void = { _ in })
        throws -> Normalization
    {
        var settings = DataFixture.data(source, normalize: .robust)
        data(&settings)
        return try TrainingData(
            DataFixture.configuration(directory, task: .regression, settings), workers: Workers(count: threads),
            cacheDirectory: nil
        ).normalization
    }

    @Test(arguments: [1, 2, 3, 4, 5, 50, 997])
    func `quartiles are those of the sorted column, to the last bit`(rows: Int) throws {
        let columns = Self.columns(rows)
        let result = try measured(write("a.h5", columns))
        for (index, column) in columns.enumerated() {
            let quartiles = (1...3).map { Self.quantile(column, quarters: $0) }
            var spread = quartiles[2] - quartiles[0]
            if spread == 0, let low = column.min(), let high = column.max() { spread = (high - low) / 2 }
            #expect(result.shift[index] == quartiles[1], "column \(index)")
            #expect(result.factor[index] == ((1 / spread).isFinite && spread > 0 ? 1 / spread : 0), "column \(index)")
        }
        #expect(result.clip == columns.map { _ in 3 })
    }

    @Test func `NumPy's own quantiles are the same bits`() throws {
        guard Python.available else { return }
        let done = try Python.run(
            """
            import numpy as np, h5py, sys
            r = np.random.default_rng(7)
            x = np.stack([r.normal(size=1003), r.exponential(size=1003), np.round(r.normal(size=1003), 1)], 1)
            with h5py.File(sys.argv[1] + '/n.h5', 'w') as f: f['x'] = x; f['y'] = r.normal(size=1003)
            np.quantile(x, [0.25, 0.5, 0.75], axis=0).tofile(sys.argv[1] + '/q.raw')
            """, directory.path)
        #expect(done.code == 0, "\(done.errors)")
        let expected = try DataFixture.doubles(directory.file("q.raw"))
        let result = try measured(DataFixture.source("n.h5"))
        let (low, middle, high) = (expected[0..<3], expected[3..<6], expected[6..<9])
        #expect(result.shift == Array(middle))
        let factors = zip(low, high).map { (low: Double, high: Double) -> Double in 1 / (high - low) }
        #expect(result.factor == factors)
    }

    @Test(arguments: [1, 2, 3]) func `bins lie at NumPy's quantiles of the training rows, as the network reads them`(
        threads: Int
    )
        throws
    {
        guard Python.available else { return }
        let done = try Python.run(
            """
            import numpy as np, h5py, sys
            r = np.random.default_rng(7)
            x = np.stack([r.normal(size=1003), r.exponential(size=1003), r.uniform(size=1003)], 1)
            with h5py.File(sys.argv[1] + '/n.h5', 'w') as f: f['x'] = x; f['y'] = r.normal(size=1003)
            np.quantile(x, np.arange(9) / 8, axis=0).tofile(sys.argv[1] + '/q.raw')
            """, directory.path)
        #expect(done.code == 0, "\(done.errors)")
        let expected = try DataFixture.doubles(directory.file("q.raw"))
        for kind in [NormalizationMethod.none, .robust] {
            var job = try DataFixture.configuration(
                directory, task: .regression, DataFixture.data(DataFixture.source("n.h5"), normalize: kind))
            job.model.embedding = EmbeddingConfiguration(
                type: .piecewise, frequencies: 16, outputs: 3, sigma: 0.1, bins: 8)
            let data = try TrainingData(job, workers: Workers(count: threads), cacheDirectory: nil)
            let borders = try #require(data.bins?.borders)
            for column in 0..<3 {
                let quantiles = (0..<9).map { data.normalization.input(expected[$0 * 3 + column], column: column) }
                #expect(borders[column] == quantiles, "column \(column)")
            }
        }
    }

    @Test func `the order of rows, how they are stored and the threads change no bit`() throws {
        // Numbers that Float32 holds, so that both widths are the same numbers.
        let columns = [0, 1, 2, 3].map { Self.columns(5000)[$0].map { Double(Float($0)) } }
        let reference = try measured(write("a.h5", columns), threads: 1)
        var order = Array(0..<5000)
        var random = SplitMix(seed: 3)
        order.shuffle(using: &random)
        let shuffled = columns.map { column in order.map { column[$0] } }
        for (name, columns, type) in [
            ("b.h5", shuffled, ElementType.float64), ("c.h5", columns, .float32), ("d.h5", shuffled, .float32),
        ] {
            let source = try write(name, columns, as: type)
            for threads in [1, 2, 3] {
                let found = try measured(source, threads: threads)
                #expect(found.shift == reference.shift && found.factor == reference.factor, "\(name)")
            }
        }
    }

    @Test func `missing numbers are left out of quartiles and become the median, and dropped rows do not count`() throws
    {
        var columns = Array(Self.columns(200)[0...1])
        let whole = columns
        for row in stride(from: 3, to: 200, by: 7) { columns[0][row] = .nan }
        let left = columns[0].indices.filter { columns[0][$0].isFinite }
        let imputed = try measured(write("a.h5", columns)) { $0.nonFinite = .imputeMean }
        #expect(imputed.shift == [Self.quantile(columns[0], quarters: 2), Self.quantile(whole[1], quarters: 2)])
        #expect(imputed.imputation == imputed.shift)
        let dropped = try measured(DataFixture.source("a.h5")) { $0.nonFinite = .dropRow }
        #expect(dropped.shift[1] == Self.quantile(left.map { whole[1][$0] }, quarters: 2))
    }

    @Test func `rows put aside for validation do not count`() throws {
        let columns = Array(Self.columns(400)[0...0])
        let result = try measured(write("a.h5", columns)) { $0.valid = .fraction(0.3) }
        let split = Split(fraction: 0.3, seed: 0)
        let kept = columns[0].indices.filter { !split.isAside($0) }.map { columns[0][$0] }
        #expect(kept.count < 400 && result.shift == [Self.quantile(kept, quarters: 2)])
    }

    @Test func `what is no number stays as it is`() {
        var normalization = Normalization(shift: [1, 2], factor: [3, 4], clip: [3, 3])
        normalization.spare([1])
        #expect(normalization == Normalization(shift: [1, 0], factor: [3, 1], clip: [3, 0]))
    }

    @Test func `numbers are bent as the formula says, by every instruction set, and what is not finite is refused`() {
        let numbers: [Double] = [
            0, 1, -1, 2.5, 30, -1e10, 1e200, -1e308, .leastNonzeroMagnitude, -0.0, 0.1, 7, 3, -3, 1e154, 1e-200, 12,
        ]
        let clips = numbers.indices.map { $0 % 3 == 2 ? 0.0 : 3.0 }
        let transform = ColumnTransform(clip: clips)
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        for set in [CK_ISA_SCALAR, CK_ISA_AVX2, CK_ISA_AVX512] where set.rawValue <= ck_widest_isa().rawValue {
            ck_use_isa(set)
            var result = numbers
            let isFinite = result.withUnsafeMutableBufferPointer { result in
                numbers.withUnsafeBytes {
                    transform.convert(
                        $0.baseAddress!, .double, width: numbers.count, into: result.baseAddress!)
                }
            }
            #expect(isFinite)
            for (index, z) in numbers.enumerated() {
                let t = z * (1.0 / 3)
                let root = (t * t).isFinite ? (1 + t * t).squareRoot() : abs(t)
                #expect(result[index] == (clips[index] == 0 ? z : z / root), "\(z)")
                #expect(clips[index] == 0 || abs(result[index]) <= 3.000_000_000_000_001)
            }
            for bad in [Double.infinity, -.infinity, .nan] {
                var value = 0.0
                let isFinite = withUnsafeBytes(of: bad) {
                    ColumnTransform(clip: [3]).convert($0.baseAddress!, .double, width: 1, into: &value)
                }
                #expect(!isFinite, "\(bad)")
            }
        }
    }
}
