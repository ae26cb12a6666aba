import Foundation
import Glibc
import HDF5
import Synchronization
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel

@Suite struct DataLoaderTests {
    private let directory: TemporaryDirectory
    private static let rows = 1_000
    private static let features = 6

    init() throws {
        MappedFiles.allow()
        directory = try TemporaryDirectory()
        try write("a.h5")
    }

    /// Row r holds r and some multiples of it; its label is r modulo 5.
    private func write(_ name: String, rows: Int = Self.rows, chunk: [Int]? = nil, bad: [Int: Float] = [:]) throws {
        let file = try H5File.create(directory.file(name))
        var x = (0..<rows).flatMap { row in (0..<Self.features).map { Float(row * ($0 + 1)) } }
        for (place, value) in bad { x[place] = value }
        try file.write(
            x, to: "/x", shape: [rows, Self.features],
            options: DatasetOptions(chunk: chunk, deflate: chunk == nil ? nil : 4))
        try file.write((0..<rows).map { Int32($0 % 5) }, to: "/y")
    }

    private func loader(
        _ order: RowOrder, batch: Int = 32, dropLast: Bool = false, from cursor: Cursor = Cursor(),
        limit: Int = 1 << 28, atOnce: Int = 1, file: String = "a.h5", access: Access = .auto,
        note: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) throws -> BatchLoader<Float> {
        let settings = DataFixture.settings(directory, access: access, limit: limit, note: note)
        let dataset = try Dataset.open(DataFixture.source(file), settings, targets: .learn(.classification))
        return try BatchLoader<Float>(
            RowSet(dataset), normalization: .none, order: order, batchSize: batch, dropLast: dropLast,
            atOnce: atOnce, workers: settings.workers, from: cursor)
    }

    private let shuffled = RowOrder.shuffled(.full, seed: 3, block: 64, window: 4)

    @Test(arguments: [1 << 28, 10_000]) func `each epoch has every row once, in another order`(limit: Int) throws {
        let loader = try loader(shuffled, limit: limit)
        let first = try DataFixture.epoch(loader, features: Self.features)
        let second = try DataFixture.epoch(loader, features: Self.features)
        #expect(Set(first.x.map { $0[0] }) == Set((0..<Self.rows).map { Float($0) }))
        #expect(Set(second.x.map { $0[0] }) == Set((0..<Self.rows).map { Float($0) }))
        #expect(first.x != second.x)
        #expect(zip(first.x, first.classes).allSatisfy { Int($0[0]) % 5 == $1 })
        #expect(loader.batchesPerEpoch == 32)
        #expect(first.batches.last == 8)
    }

    @Test(arguments: [1 << 28, 10_000]) func `a loader that begins at a cursor goes on as if it had come there`(
        limit: Int
    ) throws {
        for order in [shuffled, .shuffled(.block, seed: 3, block: 64, window: 4), .sequential] {
            let whole = try loader(order, limit: limit)
            let one = try DataFixture.epoch(whole, features: Self.features)
            let two = try DataFixture.epoch(whole, features: Self.features)
            let resumed = try loader(order, from: Cursor(epoch: 0, batch: 10, step: 10), limit: limit)
            #expect(try DataFixture.epoch(resumed, features: Self.features).x == Array(one.x[320...]))
            #expect(try DataFixture.epoch(resumed, features: Self.features) == two)
            let end = try loader(order, from: Cursor(epoch: 0, batch: 32, step: 32), limit: limit)
            #expect(try end.next() == nil)
            #expect(try DataFixture.epoch(end, features: Self.features) == two)
        }
    }

    @Test(arguments: [1 << 28, 10_000]) func `a loader that is told to go elsewhere goes on as one that begins there`(
        limit: Int
    ) throws {
        for order in [shuffled, .shuffled(.block, seed: 3, block: 64, window: 4), .sequential] {
            let moved = try loader(order, limit: limit)
            // From its beginning, from the middle of what it reads ahead, and back.
            for (taken, cursor) in [
                (0, Cursor(epoch: 0, batch: 10)), (3, Cursor(epoch: 2, batch: 31)), (5, Cursor(epoch: 0, batch: 0)),
            ] {
                for _ in 0..<taken { _ = try moved.next() }
                moved.seek(to: cursor)
                let fresh = try loader(order, from: cursor, limit: limit)
                let rest = try DataFixture.epoch(moved, features: Self.features)
                #expect(rest == (try DataFixture.epoch(fresh, features: Self.features)))
            }
        }
    }

    @Test(arguments: [(1 << 28, "a.h5"), (10_000, "a.h5"), (1 << 28, "chunked.h5")])
    func `batches that are held are those that come one by one, and stay as they were`(
        limit: Int, file: String
    ) throws {
        // The first file's rows are used where they lie in it; the other's are read.
        try write("chunked.h5", chunk: [100, Self.features])
        let single = try loader(shuffled, limit: limit, file: file)
        let expected = [
            try DataFixture.epoch(single, features: Self.features),
            try DataFixture.epoch(single, features: Self.features),
        ]
        for atOnce in [1, 3, 8, 100] {
            let loader = try loader(shuffled, limit: limit, atOnce: atOnce, file: file)
            // Little memory has room for one, and for what is read ahead.
            #expect(loader.mostAtOnce == (limit == 10_000 ? 1 : atOnce))
            for epoch in expected {
                var (rows, counts, held) = ([[Float]](), [Int](), [Batch<Float>]())
                func lookAtAll() {
                    counts += held.map(\.rows)
                    for batch in held {
                        rows += (0..<batch.rows).map {
                            Array(UnsafeBufferPointer(start: batch.x[$0], count: Self.features))
                        }
                    }
                    held = []
                }
                // Looked at when there is no room for more, or sooner.
                while let batch = try loader.next(holding: held.count) {
                    held.append(batch)
                    if held.count == loader.mostAtOnce || counts.count % 3 == 1 { lookAtAll() }
                }
                lookAtAll()
                #expect(rows == epoch.x && counts == epoch.batches)
            }
        }
    }

    @Test func `the short last batch is left out where that is asked for`() throws {
        let rows = try DataFixture.epoch(try loader(shuffled, dropLast: true), features: Self.features)
        #expect(rows.batches == Array(repeating: 32, count: 31))
        #expect(throws: TreadleError.self) { try loader(shuffled, batch: 2_000, dropLast: true) }
    }

    @Test func `a split's sides are apart, complete, and the same for more rows`() throws {
        try write("longer.h5", rows: 1_500)
        func sides(_ file: String) throws -> (train: Set<Float>, valid: Set<Float>) {
            let configuration = try DataFixture.configuration(
                directory, DataFixture.data(DataFixture.source(file), valid: .fraction(0.2)))
            let data = try TrainingData(configuration, workers: Workers(count: 2), cacheDirectory: nil)
            func firsts(_ rows: RowSet) throws -> Set<Float> {
                let loader = try BatchLoader<Float>(
                    rows, normalization: .none, order: .sequential, batchSize: 50, workers: Workers(count: 1))
                return Set(try DataFixture.epoch(loader, features: Self.features).x.map { $0[0] })
            }
            return (try firsts(data.train), try firsts(try #require(data.valid)))
        }
        let short = try sides("a.h5")
        #expect(short.train.isDisjoint(with: short.valid))
        #expect(short.train.count + short.valid.count == Self.rows)
        #expect(abs(short.valid.count - 200) < 60)
        let long = try sides("longer.h5")
        #expect(short.valid == long.valid.filter { $0 < Float(Self.rows) })
    }

    @Test func `measured columns have mean 0 and deviation 1, and a constant column is 0`() throws {
        do {
            let file = try H5File.create(directory.file("c.h5"))
            let x = (0..<5_000).flatMap { (row: Int) -> [Double] in [Double(row) + 1e9, 4.25, Double(row % 7) * 1e-3] }
            try file.write(x, to: "/x", shape: [5_000, 3])
            try file.write((0..<5_000).map { Int32($0 % 2) }, to: "/y")
        }
        let configuration = try DataFixture.configuration(
            directory, DataFixture.data(DataFixture.source("c.h5"), normalize: .standard))
        let data = try TrainingData(configuration, workers: Workers(count: 2), cacheDirectory: directory.path)
        let n = data.normalization
        #expect(n.shift[1] == 4.25 && n.factor[1] == 1)
        // Mean and variance of 0..<5000 in closed form; 1e9 costs at most nine of sixteen digits.
        let mean = n.shift[0] - 1e9
        #expect(abs(mean - 2_499.5) < 1e-6)
        let variance = Double(5_000 * 5_000 - 1) / 12
        #expect(abs(1 / n.factor[0] - variance.squareRoot()) < 1e-8)
        let loader = try BatchLoader<Double>(
            data.train, normalization: n, order: .sequential, batchSize: 1_000, workers: Workers(count: 2))
        let rows = try DataFixture.epoch(loader, features: 3)
        #expect(rows.x.allSatisfy { $0[1] == 0 })
        let sum = rows.x.reduce(0.0) { $0 + $1[0] }
        #expect(abs(sum) < 1e-3)
        // What is kept beside the run gives the same bits.
        let again = try TrainingData(configuration, workers: Workers(count: 1), cacheDirectory: directory.path)
        #expect(again.normalization == n)
        #expect(FileManager.default.fileExists(atPath: directory.file("normalization.json")))
    }

    @Test(arguments: [1 << 28, 10_000]) func `values that are not finite are errors with their place`(limit: Int) throws
    {
        try write("bad.h5", bad: [6 * 700 + 3: .nan, 6 * 900: .infinity])
        let error = #expect(throws: TreadleError.self) {
            let loader = try loader(
                .sequential, limit: limit, file: "bad.h5", access: limit < 20_000 ? .library : .auto)
            _ = try DataFixture.epoch(loader, features: Self.features)
        }
        #expect(error?.description.contains("bad.h5:/x row 700, column 3 is NaN") == true)
    }

    @Test func `rows with values that are not finite are dropped, or imputed, and counted`() throws {
        try write("bad.h5", bad: [6 * 700 + 3: .nan, 6 * 701: .infinity, 6 * 701 + 1: .nan])
        let notes = Mutex<[String]>([])
        func data(_ policy: NonFinitePolicy) throws -> TrainingData {
            let configuration = try DataFixture.configuration(
                directory, DataFixture.data(DataFixture.source("bad.h5"), normalize: .standard, nonFinite: policy))
            return try TrainingData(
                configuration, workers: Workers(count: 2), cacheDirectory: nil,
                note: { _, text in notes.withLock { $0.append(text) } })
        }
        #expect(throws: TreadleError.self) { try data(.error) }
        let dropped = try data(.dropRow)
        #expect(dropped.train.count == 998)
        #expect(notes.withLock { $0 }.contains { $0.contains("2 of 1000 rows are dropped") && $0.contains("row 700") })
        let loader = try BatchLoader<Float>(
            dropped.train, normalization: dropped.normalization, order: shuffled, batchSize: 64,
            workers: Workers(count: 2))
        #expect(try DataFixture.epoch(loader, features: Self.features).x.joined().allSatisfy { $0.isFinite })
        let imputed = try data(.imputeMean)
        #expect(notes.withLock { $0 }.contains { $0.hasPrefix("3 values") && $0.contains("row 700, column 3") })
        let all = try BatchLoader<Double>(
            imputed.train, normalization: imputed.normalization, order: .sequential, batchSize: 64,
            workers: Workers(count: 2))
        let rows = try DataFixture.epoch(all, features: Self.features)
        #expect(rows.x[700][3] == 0 && rows.x[701][0] == 0 && rows.x[701][1] == 0)
    }
}

@Suite struct DataFaultTests {
    private let directory: TemporaryDirectory

    init() throws {
        MappedFiles.allow()
        directory = try TemporaryDirectory()
    }

    private func write(_ name: String, chunk: [Int]? = nil) throws {
        let file = try H5File.create(directory.file(name))
        let x = (0..<20_000).map { Float($0 % 977) }
        try file.write(
            x, to: "/x", shape: [2_000, 10], options: DatasetOptions(chunk: chunk, deflate: chunk == nil ? nil : 4))
        try file.write((0..<2_000).map { Int32($0 % 5) }, to: "/y")
    }

    private func readAll(_ name: String, limit: Int = 1 << 28, access: Access = .auto) throws {
        let settings = DataFixture.settings(directory, access: access, limit: limit)
        let dataset = try Dataset.open(DataFixture.source(name), settings, targets: .learn(.classification))
        let loader = try BatchLoader<Float>(
            RowSet(dataset), normalization: .none, order: .sequential, batchSize: 100, workers: settings.workers)
        _ = try DataFixture.epoch(loader, features: 10)
    }

    @Test(arguments: [nil, [100, 10], [64, 3]] as [[Int]?])
    func `a file cut anywhere is an error, never a crash`(chunk: [Int]?) throws {
        try write("whole.h5", chunk: chunk)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: directory.file("whole.h5")))
        try readAll("whole.h5")
        for percent in 0..<100 {
            try directory.write(bytes.prefix(bytes.count * percent / 100), to: "cut.h5")
            #expect(throws: TreadleError.self, "cut at \(percent) %") { try readAll("cut.h5") }
        }
    }

    @Test(arguments: [Access.mmap, .auto]) func `a file that is cut while pages of it are in use is named`(
        access: Access
    ) throws {
        try write("a.h5")
        let settings = DataFixture.settings(directory, access: access)
        let dataset = try Dataset.open(DataFixture.source("a.h5"), settings, targets: .learn(.classification))
        let loader = try BatchLoader<Float>(
            RowSet(dataset), normalization: .none, order: .sequential, batchSize: 500, workers: settings.workers)
        _ = try loader.next()
        #expect(truncate(directory.file("a.h5"), 4_096) == 0)
        let error = #expect(throws: TreadleError.self) {
            for _ in 0..<2 {
                guard let batch = try loader.next() else { continue }
                // Rows whose pages are gone: the sum is of zeros, and the loader knows.
                let sum = (0..<batch.rows).reduce(Float(0)) { $0 + batch.x[$1][9] }
                #expect(sum.isFinite)
                try loader.confirm()
            }
        }
        #expect(error?.description.contains("a.h5: it was cut from") == true)
    }

    @Test func `a file that changes while it is streamed is an error, and a warning once it is in memory`() throws {
        for chunk in [nil, [100, 10]] {
            try write("a.h5", chunk: chunk)
            for limit in [12_000, 1 << 28] {
                try write("a.h5", chunk: chunk)
                let notes = Mutex<[String]>([])
                let settings = DataFixture.settings(
                    directory, access: limit > 12_000 ? .memory : .auto, limit: limit,
                    note: { _, text in notes.withLock { $0.append(text) } })
                let dataset = try Dataset.open(DataFixture.source("a.h5"), settings, targets: .learn(.classification))
                let loader = try BatchLoader<Float>(
                    RowSet(dataset), normalization: .none, order: .sequential, batchSize: 500, workers: settings.workers
                )
                _ = try DataFixture.epoch(loader, features: 10)
                try write("b.h5", chunk: chunk)
                #expect(rename(directory.file("b.h5"), directory.file("a.h5")) == 0)
                if limit == 12_000 {
                    let error = #expect(throws: TreadleError.self) {
                        for _ in 0..<2 { _ = try DataFixture.epoch(loader, features: 10) }
                    }
                    #expect(error?.description.contains("a.h5: it was replaced by another file") == true)
                } else {
                    for _ in 0..<2 { _ = try DataFixture.epoch(loader, features: 10) }
                    #expect(notes.withLock { $0 }.count == 1)
                }
            }
        }
    }

    @Test func `damaged chunks are errors that name the dataset`() throws {
        try write("a.h5", chunk: [100, 10])
        var bytes = try Data(contentsOf: URL(fileURLWithPath: directory.file("a.h5")))
        let middle = bytes.count / 2
        for index in middle..<middle + 400 { bytes[index] ^= 0x5a }
        try directory.write(bytes, to: "damaged.h5")
        let error = #expect(throws: TreadleError.self) { try readAll("damaged.h5") }
        #expect(error?.description.contains("damaged.h5") == true)
    }

    @Test func `memory that is asked for and not allowed is an error with the amounts`() throws {
        try write("a.h5")
        let error = #expect(throws: TreadleError.self) { try readAll("a.h5", limit: 40_000, access: .memory) }
        #expect(error?.description.contains("data.memory_limit (39 KiB)") == true)
    }
}
