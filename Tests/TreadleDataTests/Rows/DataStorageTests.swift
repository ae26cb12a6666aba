import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel

/// The same numbers in every form of storage: the loader's rows must be the same bytes each time.
@Suite struct DataStorageTests {
    init() { MappedFiles.allow() }

    private static let features = 15
    private static let rows = 611

    /// Numbers that all element types hold exactly, and their classes.
    private static let (x, y): ([Double], [Int]) = {
        var random = SplitMix(seed: 5)
        let x = (0..<rows * features).map { _ in Double(Int.random(in: -100..<100, using: &random)) }
        return (x, (0..<rows).map { _ in Int.random(in: 0..<7, using: &random) })
    }()

    private static let expected = (0..<rows).map { row in
        x[row * features..<(row + 1) * features].map { Float($0) }
    }

    /// What the project writes itself: element types, chunks, and filters.
    private static let own: [(name: String, type: ElementType, options: DatasetOptions)] = {
        var forms: [(name: String, type: ElementType, options: DatasetOptions)] = []
        for order in [ByteOrder.little, .big] {
            for (name, type) in [
                ("f2", ElementType.float(.half(order))), ("f4", .float(.single(order))), ("f8", .float(.double(order))),
                ("i1", .int(8, order)), ("i2", .int(16, order)), ("i4", .int(32, order)), ("i8", .int(64, order)),
            ] {
                forms.append(("type-\(order)-\(name)", type, .contiguous))
            }
        }
        func chunked(
            _ name: String, _ chunk: [Int], _ type: ElementType = .float32, deflate: Int? = nil, shuffle: Bool = false,
            fletcher32: Bool = false
        ) {
            let options = DatasetOptions(chunk: chunk, deflate: deflate, shuffle: shuffle, fletcher32: fletcher32)
            forms.append((name, type, options))
        }
        forms.append(("bfloat", .bfloat16, .contiguous))
        chunked("chunk-odd", [37, 4])
        chunked("chunk-columns", [611, 1])
        chunked("chunk-row", [1, 15])
        chunked("chunk-large", [600, 15])
        chunked("gzip", [64, 15], deflate: 4)
        chunked("gzip-odd", [50, 7], .float(.double(.big)), deflate: 9)
        chunked("shuffle", [64, 15], shuffle: true)
        chunked("shuffle-gzip", [64, 15], .int(16), deflate: 4, shuffle: true)
        chunked("fletcher", [64, 15], fletcher32: true)
        chunked("all-filters", [33, 15], .float64, deflate: 4, shuffle: true, fletcher32: true)
        chunked("all-filters-i1", [33, 5], .int(8), deflate: 4, shuffle: true, fletcher32: true)
        forms.append(("resizable", .float32, .appendable(rowShape: [15], rows: 64, deflate: 4)))
        return forms
    }()

    /// What libhdf5 alone writes; and what only h5py does, where it is there.
    private static let foreign = [
        "newer-format", "userblock", "userblock-chunked", "image", "virtual-part", "compact", "scaleoffset",
    ]
    private static let packed = Python.available ? ["h5py", "lzf"] : []

    private static let directory = Result {
        let directory = try TemporaryDirectory.shared()
        func put(_ name: String, _ rows: Range<Int>, _ type: ElementType, _ options: DatasetOptions) throws {
            let file = try H5File.create(directory.file("\(name).h5"))
            try file.write(
                Array(x[rows.lowerBound * features..<rows.upperBound * features]), to: "x",
                shape: [rows.count, features], as: type, options: options)
            try file.write(Array(y[rows]), to: "y")
        }
        for (name, type, options) in own { try put(name, 0..<rows, type, options) }
        try put("part0", 0..<200, .float32, .contiguous)
        try put("part1", 200..<201, .int(8), DatasetOptions(chunk: [1, 15]))
        try put("part2", 201..<rows, .float(.double(.big)), .contiguous)
        let image = try H5File.create(directory.file("image.h5"))
        try image.write(
            x, to: "x", shape: [rows, 3, 5], as: .float64, options: DatasetOptions(chunk: [50, 2, 3], deflate: 4))
        try image.write(y, to: "y", shape: [rows, 1], as: .float32)
        try image.close()
        func library(
            _ name: String, _ form: LibraryFile.Form, type: String = "<f4", isNewer: Bool = false, userBlock: Int = 0,
            rows written: Range<Int>? = nil, fill: Double = 0
        ) throws -> LibraryFile {
            let file = try LibraryFile(directory.file("\(name).h5"), isNewer: isNewer, userBlock: userBlock)
            if case .virtual(_, let whole) = form { try file.add(whole, x, shape: [rows, features], type: type) }
            try file.add("x", x, shape: [rows, features], type: type, form, rows: written, fill: fill)
            try file.add("y", y.map(Double.init), shape: [rows, 1], type: "<i8")
            return file
        }
        _ = try library("newer-format", .chunked([10, 15], deflate: 4, grows: true), isNewer: true)
        _ = try library("userblock", .contiguous, userBlock: 512)
        _ = try library("userblock-chunked", .chunked([64, 15], deflate: 4), userBlock: 1024)
        _ = try library("virtual-part", .virtual(file: ".", dataset: "whole"), type: "<f8")
        _ = try library("compact", .compact, type: "i1")
        _ = try library("scaleoffset", .scaledOffsets([64, 15]), type: "<i4")
        // A filter of which only the name is known here.
        _ = try library("unknown", .filtered(by: 307), type: "<f8")
        // Only rows 100 to 199 were ever written.
        _ = try library("missing", .chunked([10, 15]), rows: 100..<200, fill: 7)
        guard !packed.isEmpty else { return directory }
        try directory.write(x.withUnsafeBytes { Data($0) }, to: "x.raw")
        try directory.write(y.withUnsafeBytes { Data($0) }, to: "y.raw")
        let done = try Python.run(
            """
            import sys, numpy as np, h5py
            d = sys.argv[1]
            x, y = np.fromfile(d + '/x.raw').reshape(-1, 15), np.fromfile(d + '/y.raw', 'i8')
            for name, how in [('h5py', dict(compression='gzip')), ('lzf', dict(compression='lzf'))]:
                with h5py.File(f'{d}/{name}.h5', 'w') as f:
                    f.create_dataset('x', data=x, chunks=(64, 15), shuffle=True, fletcher32=True, **how)
                    f['y'] = y
            """, directory.path)
        guard done.code == 0 else { throw TreadleError(.bug, done.errors) }
        return directory
    }

    private func epoch(
        _ directory: TemporaryDirectory, _ source: DataSource, order: RowOrder, access: Access = .auto,
        limit: Int = 1 << 28, threads: Int = 2, normalization: Normalization = .none
    ) throws -> DataFixture.Rows<Float> {
        let settings = DataFixture.settings(directory, access: access, limit: limit, threads: threads)
        let dataset = try Dataset.open(source, settings, targets: .learn(.classification))
        let loader = try BatchLoader<Float>(
            RowSet(dataset), normalization: normalization, order: order, batchSize: 32, workers: settings.workers)
        return try DataFixture.epoch(loader, features: Self.features)
    }

    private func sources() -> [(String, DataSource)] {
        (Self.own.map(\.name) + Self.foreign + Self.packed).map { ($0, DataFixture.source("\($0).h5")) }
            + [
                ("three files", DataFixture.source("part0.h5", "part1.h5", "part2.h5")),
                ("glob", DataFixture.source("part*.h5")),
            ]
    }

    @Test func `every form gives the rows that were written, from memory and streamed, in file order`() throws {
        let directory = try Self.directory.get()
        for (name, source) in sources() {
            // 20 KB hold the labels and a few chunks, and not the rows.
            for limit in [1 << 28, name == "chunk-columns" ? 1 << 28 : 35_000] {
                let rows = try epoch(directory, source, order: .sequential, limit: limit)
                #expect(rows.x == Self.expected, "\(name) under a limit of \(limit)")
                #expect(rows.classes == Self.y, "\(name)")
                #expect(rows.batches == Array(repeating: 32, count: 19) + [3])
            }
        }
    }

    @Test func `shuffled and normalized rows are the same bytes whatever the form, the path and the threads`() throws {
        let directory = try Self.directory.get()
        let normalization = Normalization(
            shift: (0..<Self.features).map { Double($0) * 0.3 },
            factor: (0..<Self.features).map { 1 / (Double($0) + 1.7) })
        for shuffle in [Shuffle.full, .block] {
            let order = RowOrder.shuffled(shuffle, seed: 11, block: 50, window: 3)
            let reference = try epoch(
                directory, DataFixture.source("type-little-f4.h5"), order: order, threads: 1,
                normalization: normalization)
            #expect(reference.x.count == Self.rows)
            for (name, source) in sources() {
                for (limit, threads) in [(1 << 28, 3), (name == "chunk-columns" ? 1 << 28 : 35_000, 2)] {
                    let rows = try epoch(
                        directory, source, order: order, limit: limit, threads: threads, normalization: normalization)
                    #expect(rows == reference, "\(name) under a limit of \(limit)")
                }
            }
        }
    }

    @Test func `a path that is asked for is taken, and gives the same rows`() throws {
        let directory = try Self.directory.get()
        let reference = try epoch(directory, DataFixture.source("type-little-f4.h5"), order: .sequential)
        let cases: [(Access, String)] = [
            (.mmap, "type-little-f4"), (.mmap, "type-big-f8"), (.mmap, "userblock"), (.chunks, "all-filters"),
            (.library, "gzip-odd"), (.library, "type-little-f4"), (.memory, "gzip"), (.memory, "type-little-i1"),
        ]
        for (access, name) in cases {
            let rows = try epoch(directory, DataFixture.source("\(name).h5"), order: .sequential, access: access)
            #expect(rows == reference, "\(name) by \(access.rawValue)")
        }
        #expect(throws: TreadleError.self) {
            try epoch(directory, DataFixture.source("gzip.h5"), order: .sequential, access: .mmap)
        }
        #expect(throws: TreadleError.self) {
            try epoch(directory, DataFixture.source("compact.h5"), order: .sequential, access: .chunks)
        }
    }

    @Test func `chunks that were never written read as the fill value`() throws {
        let directory = try Self.directory.get()
        let rows = try epoch(directory, DataFixture.source("missing.h5"), order: .sequential)
        let expected = (0..<Self.rows).map { row in
            (100..<200).contains(row) ? Self.expected[row] : Array(repeating: 7, count: Self.features)
        }
        #expect(rows.x == expected)
    }

    @Test func `a filter that needs a plug-in is named`() throws {
        let directory = try Self.directory.get()
        let error = try #require(throws: TreadleError.self) {
            try epoch(directory, DataFixture.source("unknown.h5"), order: .sequential)
        }
        #expect(error.kind == .badData)
        #expect(error.description.contains("unknown.h5:/x: is stored with the filter bzip2 (number 307)"))
    }

    @Test func `the fingerprint is the same whatever the form, and another for other numbers`() throws {
        let directory = try Self.directory.get()
        func fingerprint(_ source: DataSource, full: Bool) throws -> String {
            let settings = DataFixture.settings(directory)
            return try Fingerprint.of(try Dataset.open(source, settings, targets: .learn(.classification)), full: full)
        }
        for full in [false, true] {
            let reference = try fingerprint(DataFixture.source("type-little-f4.h5"), full: full)
            for (name, source) in sources() {
                #expect(try fingerprint(source, full: full) == reference, "\(name)")
            }
            #expect(try fingerprint(DataFixture.source("missing.h5"), full: full) != reference)
            #expect(try fingerprint(DataFixture.source("type-little-f4.h5", rows: 0..<600), full: full) != reference)
        }
    }

    @Test func `statistics have the same bits whatever the form and the threads`() throws {
        let directory = try Self.directory.get()
        func normalization(_ source: DataSource, threads: Int, _ method: NormalizationMethod) throws -> Normalization {
            let configuration = try DataFixture.configuration(
                directory, DataFixture.data(source, valid: .fraction(0.2), normalize: method))
            return try TrainingData(configuration, workers: Workers(count: threads), cacheDirectory: nil).normalization
        }
        for method in [NormalizationMethod.standard, .minmax] {
            let reference = try normalization(DataFixture.source("type-little-f4.h5"), threads: 1, method)
            #expect(reference.shift.count == Self.features)
            for (name, source) in sources() {
                #expect(try normalization(source, threads: 3, method) == reference, "\(name)")
            }
        }
    }

    @Test func `the report names storage, path and remedy`() throws {
        let directory = try Self.directory.get()
        func report(
            _ name: String, limit: Int, _ shuffle: Shuffle, access: Access = .auto
        ) throws -> DatasetReport {
            let settings = DataFixture.settings(directory, access: access, limit: limit)
            return try Dataset.open(DataFixture.source("\(name).h5"), settings, targets: .learn(.classification))
                .report(numbers: .float32, shuffle: shuffle, windowRows: 600)
        }
        let roomy = try report("gzip", limit: 1 << 28, .full)
        #expect(
            roomy.lines[0].contains("gzip.h5:/x: 611×15 float32, chunked 64×15, deflate; chunks decoded on all cores"))
        #expect(roomy.warnings.isEmpty)
        let tight = try report("gzip", limit: 30_000, .full)
        #expect(tight.warnings.count == 1 && tight.warnings[0].contains("h5repack -l /x:CONTI"))
        #expect(try report("gzip", limit: 30_000, .block).warnings[0].contains("data.shuffle_window"))
        #expect(try report("gzip", limit: 30_000, .none).warnings.isEmpty)
        #expect(try report("type-little-f4", limit: 1 << 28, .full).lines[0].contains("contiguous; read where it lies"))
        #expect(try report("virtual-part", limit: 30_000, .none).warnings[0].contains("one core"))
        // What libhdf5 reads because it was told to needs another setting, not another file.
        let chosen = try report("type-little-f4", limit: 30_000, .none, access: .library)
        #expect(chosen.warnings[0].hasSuffix(#"for more speed set data.access to "auto""#))
    }
}
