import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel

/// The same numbers in every form that h5py writes: the loader's rows must be the same bytes each time.
@Suite(.enabled(if: Python.available)) struct DataStorageTests {
    init() { MappedFiles.allow() }

    private static let features = 15
    private static let rows = 611

    /// Numbers that all element types hold exactly, in files named after their form, beside them as plain doubles.
    private static let script = """
        import sys, numpy as np, h5py
        d = sys.argv[1]
        rng = np.random.default_rng(5)
        x = rng.integers(-100, 100, (611, 15)).astype(np.float64)
        y = rng.integers(0, 7, 611)
        x.tofile(d + '/x.raw'); y.astype(np.float64).tofile(d + '/y.raw')
        def put(name, dtype='<f4', xs=x, ys=y, **how):
            with h5py.File(f'{d}/{name}.h5', 'w') as f:
                f.create_dataset('x', data=xs.astype(dtype), **how)
                f.create_dataset('y', data=ys)
        for t in ['<f4', '>f4', '<f8', '>f8', '<f2', '>f2', 'i1', '<i2', '>i2', '<i4', '>i4', '<i8', '>i8']:
            put('type-' + t.replace('<', 'le-').replace('>', 'be-'), t)
        put('chunk-odd', chunks=(37, 4))
        put('chunk-columns', chunks=(611, 1))
        put('chunk-row', chunks=(1, 15))
        put('chunk-large', chunks=(600, 15))
        put('gzip', chunks=(64, 15), compression='gzip')
        put('gzip-odd', '>f8', chunks=(50, 7), compression='gzip', compression_opts=9)
        put('shuffle', chunks=(64, 15), shuffle=True)
        put('shuffle-gzip', '<i2', chunks=(64, 15), shuffle=True, compression='gzip')
        put('fletcher', chunks=(64, 15), fletcher32=True)
        put('all-filters', '<f8', chunks=(33, 15), shuffle=True, compression='gzip', fletcher32=True)
        put('all-filters-i1', 'i1', chunks=(33, 5), shuffle=True, compression='gzip', fletcher32=True)
        put('lzf', '<f8', chunks=(64, 15), compression='lzf', shuffle=True, fletcher32=True)
        # A filter of which only the name is known here.
        with h5py.File(f'{d}/unknown.h5', 'w') as f:
            p = h5py.h5p.create(h5py.h5p.DATASET_CREATE); p.set_chunk((611, 15))
            p.set_filter(307, h5py.h5z.FLAG_OPTIONAL)
            h5py.h5d.create(f.id, b'x', h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((611, 15)), p).write_direct_chunk(
                (0, 0), x.tobytes(), 0)
            f.create_dataset('y', data=y)
        put('scaleoffset', '<i4', chunks=(64, 15), scaleoffset=0)
        put('resizable', chunks=(64, 15), maxshape=(None, None), compression='gzip')
        with h5py.File(f'{d}/newer-format.h5', 'w', libver=('v110', 'v110')) as f:
            f.create_dataset('x', data=x.astype('<f4'), chunks=(10, 15), compression='gzip', maxshape=(None, 15))
            f.create_dataset('y', data=y)
        with h5py.File(f'{d}/userblock.h5', 'w', userblock_size=512) as f:
            f.create_dataset('x', data=x.astype('<f4'))
            f.create_dataset('y', data=y)
        with h5py.File(f'{d}/userblock-chunked.h5', 'w', userblock_size=1024) as f:
            f.create_dataset('x', data=x.astype('<f4'), chunks=(64, 15), compression='gzip')
            f.create_dataset('y', data=y)
        with h5py.File(f'{d}/image.h5', 'w') as f:
            f.create_dataset('x', data=x.reshape(611, 3, 5), chunks=(50, 2, 3), compression='gzip')
            f.create_dataset('y', data=y.reshape(611, 1).astype('<f4'))
        with h5py.File(f'{d}/bfloat.h5', 'w') as f:
            t = h5py.h5t.IEEE_F32LE.copy()
            t.set_fields(15, 7, 8, 0, 7); t.set_size(2); t.set_ebias(127)
            bits = (x.astype('<f4').view('<u4') >> 16).astype('<u2')
            s = h5py.h5s.create_simple(bits.shape)
            ds = h5py.h5d.create(f.id, b'x', t, s)
            ds.write(h5py.h5s.ALL, h5py.h5s.ALL, bits, mtype=t)
            f.create_dataset('y', data=y)
        with h5py.File(f'{d}/virtual-part.h5', 'w') as f:
            f.create_dataset('whole', data=x)
            v = h5py.VirtualLayout(shape=(611, 15), dtype='<f8')
            v[:] = h5py.VirtualSource('.', 'whole', shape=(611, 15))
            f.create_virtual_dataset('x', v)
            f.create_dataset('y', data=y)
        with h5py.File(f'{d}/compact.h5', 'w') as f:
            p = h5py.h5p.create(h5py.h5p.DATASET_CREATE); p.set_layout(h5py.h5d.COMPACT)
            small = x.astype('i1')
            h5py.h5d.create(f.id, b'x', h5py.h5t.STD_I8LE, h5py.h5s.create_simple(small.shape), p).write(
                h5py.h5s.ALL, h5py.h5s.ALL, small)
            f.create_dataset('y', data=y)
        for i, (a, b) in enumerate([(0, 200), (200, 201), (201, 611)]):
            put(f'part{i}', ['<f4', 'i1', '>f8'][i], x[a:b], y[a:b], **({} if i != 1 else {'chunks': (1, 15)}))
        # Only rows 100 to 199 were ever written.
        with h5py.File(f'{d}/missing.h5', 'w') as f:
            ds = f.create_dataset('x', (611, 15), '<f4', chunks=(10, 15), fillvalue=7.0)
            ds[100:200] = x[100:200]
            f.create_dataset('y', data=y)
        """

    private static let forms = [
        "type-le-f4", "type-be-f4", "type-le-f8", "type-be-f8", "type-le-f2", "type-be-f2", "type-i1", "type-le-i2",
        "type-be-i2", "type-le-i4", "type-be-i4", "type-le-i8", "type-be-i8", "chunk-odd", "chunk-columns", "chunk-row",
        "chunk-large", "gzip", "gzip-odd", "shuffle", "shuffle-gzip", "fletcher", "all-filters", "all-filters-i1",
        "lzf", "scaleoffset", "resizable", "newer-format", "userblock", "userblock-chunked", "image", "bfloat",
        "virtual-part", "compact",
    ]

    private static let directory = Result {
        let directory = try TemporaryDirectory.shared()
        let done = try Python.run(script, directory.path)
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
        Self.forms.map { ($0, DataFixture.source("\($0).h5")) }
            + [
                ("three files", DataFixture.source("part0.h5", "part1.h5", "part2.h5")),
                ("glob", DataFixture.source("part*.h5")),
            ]
    }

    @Test func `every form gives h5py's rows, from memory and streamed, in file order`() throws {
        let directory = try Self.directory.get()
        let x = try DataFixture.doubles(directory.file("x.raw")).map { Float($0) }
        let y = try DataFixture.doubles(directory.file("y.raw")).map { Int($0) }
        let expected = (0..<Self.rows).map { Array(x[$0 * Self.features..<($0 + 1) * Self.features]) }
        for (name, source) in sources() {
            // 20 KB hold the labels and a few chunks, and not the rows.
            for limit in [1 << 28, name == "chunk-columns" ? 1 << 28 : 35_000] {
                let rows = try epoch(directory, source, order: .sequential, limit: limit)
                #expect(rows.x == expected, "\(name) under a limit of \(limit)")
                #expect(rows.classes == y, "\(name)")
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
                directory, DataFixture.source("type-le-f4.h5"), order: order, threads: 1, normalization: normalization)
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
        let reference = try epoch(directory, DataFixture.source("type-le-f4.h5"), order: .sequential)
        let cases: [(Access, String)] = [
            (.mmap, "type-le-f4"), (.mmap, "type-be-f8"), (.mmap, "userblock"), (.chunks, "all-filters"),
            (.library, "gzip-odd"), (.library, "type-le-f4"), (.memory, "gzip"), (.memory, "type-i1"),
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
        let x = try DataFixture.doubles(directory.file("x.raw")).map { Float($0) }
        let rows = try epoch(directory, DataFixture.source("missing.h5"), order: .sequential)
        let expected = (0..<Self.rows).map { row in
            (100..<200).contains(row)
                ? Array(x[row * Self.features..<(row + 1) * Self.features]) : Array(repeating: 7, count: Self.features)
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
            let reference = try fingerprint(DataFixture.source("type-le-f4.h5"), full: full)
            for (name, source) in sources() {
                #expect(try fingerprint(source, full: full) == reference, "\(name)")
            }
            #expect(try fingerprint(DataFixture.source("missing.h5"), full: full) != reference)
            #expect(try fingerprint(DataFixture.source("type-le-f4.h5", rows: 0..<600), full: full) != reference)
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
            let reference = try normalization(DataFixture.source("type-le-f4.h5"), threads: 1, method)
            #expect(reference.shift.count == Self.features)
            for (name, source) in sources() {
                #expect(try normalization(source, threads: 3, method) == reference, "\(name)")
            }
        }
    }

    @Test func `the report names storage, path and remedy`() throws {
        let directory = try Self.directory.get()
        func report(_ name: String, limit: Int, _ shuffle: Shuffle) throws -> DatasetReport {
            let settings = DataFixture.settings(directory, limit: limit)
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
        #expect(try report("type-le-f4", limit: 1 << 28, .full).lines[0].contains("contiguous; read where it lies"))
        #expect(try report("virtual-part", limit: 30_000, .none).warnings[0].contains("one core"))
    }
}
