import Foundation
import HDF5
import TestSupport
import Testing

@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel

/// Files as users of h5py and hdf5plugin compress them, which are written by these: an independent writer.
@Suite(.enabled(if: Python.has("numpy", "h5py", "hdf5plugin"), "needs Python's hdf5plugin"))
struct DataCodecTests {
    private static let features = 15
    private static let rows = 211
    private static let codecs = [
        "lzf", "zstd", "lz4", "lz4-blocks", "bitshuffle", "bitshuffle-lz4", "bitshuffle-zstd", "bitshuffle-blocks",
        "blosc-blosclz", "blosc-lz4", "blosc-lz4hc", "blosc-zlib", "blosc-zstd", "blosc-snappy",
    ]

    /// Writes numbers that all element types hold exactly, packed in every way, and prints the names of the datasets.
    private static let preamble = """
        import sys, itertools, struct, numpy as np, h5py, hdf5plugin as p
        rng = np.random.default_rng(5)
        codecs = {
            'lzf': dict(compression='lzf'), 'zstd': p.Zstd(), 'lz4': p.LZ4(), 'lz4-blocks': p.LZ4(nbytes=1000),
            'bitshuffle': p.Bitshuffle(cname='none'), 'bitshuffle-lz4': p.Bitshuffle(cname='lz4'),
            'bitshuffle-zstd': p.Bitshuffle(cname='zstd'), 'bitshuffle-blocks': p.Bitshuffle(nelems=64, cname='lz4'),
            'blosc-blosclz': p.Blosc(cname='blosclz', shuffle=1), 'blosc-lz4': p.Blosc(cname='lz4', shuffle=2),
            'blosc-lz4hc': p.Blosc(cname='lz4hc', shuffle=0), 'blosc-zlib': p.Blosc(cname='zlib', shuffle=1),
            'blosc-zstd': p.Blosc(cname='zstd', shuffle=2), 'blosc-snappy': p.Blosc(cname='snappy', shuffle=1),
        }
        types = ['<f4', '>f4', '<f8', '>f8', '<f2', '>f2', 'i1', 'u1', '<i2', '>i2', '<i4', '>i4', '<i8', '>i8', '?']
        """

    private static let packed = Result {
        let directory = try TemporaryDirectory.shared()
        let done = try Python.run(
            preamble + """

                x = rng.integers(-20, 100, (211, 15)).astype(np.float64)
                x[:, ::2] = rng.integers(0, 2, (211, 8))
                x.tofile(sys.argv[1] + '/x.raw'); (x > 0).astype(np.float64).tofile(sys.argv[1] + '/flags.raw')
                with h5py.File(sys.argv[1] + '/packed.h5', 'w') as f:
                    f['y'] = rng.integers(0, 7, 211)
                    f['plain'] = x
                    for (name, how), t, shuffle, checked in itertools.product(codecs.items(), types, [0, 1], [0, 1]):
                        # Unsigned bytes and booleans hold other numbers.
                        values = (x > 0 if t in ['u1', '?'] else x).astype(t)
                        name += f'/{t}-{shuffle}{checked}'
                        chunks = [(64, 15), (37, 4), (211, 15), (10, 15)][len(name) % 4]
                        f.create_dataset(name, data=values, chunks=chunks, shuffle=bool(shuffle),
                                         fletcher32=bool(checked), **how)
                        print(name)
                    # One packed twice, which nothing forbids.
                    c = h5py.h5p.create(h5py.h5p.DATASET_CREATE); c.set_chunk((64, 15))
                    c.set_filter(32000, 1, (4, 261, 64 * 15 * 8)); c.set_deflate(4)
                    twice = h5py.h5d.create(f.id, b'twice', h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple(x.shape), c)
                    twice.write(h5py.h5s.ALL, h5py.h5s.ALL, x)
                    print('twice')
                """, directory.path)
        guard done.code == 0 else { throw TreadleError(.bug, done.errors) }
        return (directory, done.output.split(separator: "\n").map(String.init))
    }

    private func dataset(
        _ directory: TemporaryDirectory, _ file: String, _ x: String, access: Access = .auto, limit: Int = 1 << 28
    ) throws -> Dataset {
        try Dataset.open(
            DataFixture.source(file, x: x), DataFixture.settings(directory, access: access, limit: limit),
            targets: .learn(.classification))
    }

    private func epoch(_ dataset: Dataset, order: RowOrder = .sequential) throws -> DataFixture.Rows<Float> {
        let loader = try BatchLoader<Float>(
            RowSet(dataset), normalization: .none, order: order, batchSize: 32, workers: Workers(count: 2))
        return try DataFixture.epoch(loader, features: Self.features)
    }

    @Test func `every compression of every element type gives the plain file's rows, on every path`() throws {
        let (directory, names) = try Self.packed.get()
        #expect(names.count == Self.codecs.count * 15 * 4 + 1)
        let plain = try epoch(dataset(directory, "packed.h5", "plain"))
        #expect(plain.x.flatMap { $0 } == (try DataFixture.doubles(directory.file("x.raw"))).map { Float($0) })
        let flags = try DataFixture.doubles(directory.file("flags.raw")).map { Float($0) }
        for name in names {
            let holdsFlags = name.contains("/u1") || name.contains("/?")
            let expected = holdsFlags ? flags : plain.x.flatMap { $0 }
            for access in [Access.chunks, .library] {
                let rows = try epoch(dataset(directory, "packed.h5", name, access: access))
                #expect(rows.x.flatMap { $0 } == expected, "\(name) by \(access.rawValue)")
            }
        }
    }

    @Test(arguments: codecs) func `order and memory change nothing`(codec: String) throws {
        let (directory, _) = try Self.packed.get()
        let order = RowOrder.shuffled(.block, seed: 3, block: 16, window: 2)
        let plain = try epoch(dataset(directory, "packed.h5", "plain"), order: order)
        let name = "\(codec)/<f8-11"
        for limit in [1 << 28, 20_000] {
            #expect(try epoch(dataset(directory, "packed.h5", name, limit: limit), order: order) == plain)
        }
        let reports = try dataset(directory, "packed.h5", name).report(numbers: .float32, shuffle: Shuffle.none)
        #expect(reports.lines[0].contains("chunks decoded on all cores"))
        let fingerprints = try ["plain", name].map {
            try Fingerprint.of(dataset(directory, "packed.h5", $0), full: true)
        }
        #expect(fingerprints[0] == fingerprints[1])
    }

    private static let texts = Result {
        let directory = try TemporaryDirectory.shared()
        let done = try Python.run(
            preamble + """

                words = [b'one', b'three', b'seventeen'] * 50
                for name, how in codecs.items():
                    with h5py.File(f'{sys.argv[1]}/{name}.h5', 'w') as f:
                        f.create_dataset('fixed', data=np.array(words), chunks=(20,), **how)
                        # hdf5plugin's Blosc divides by zero where texts have no fixed length.
                        if not name.startswith('blosc'):
                            f.create_dataset('free', data=words, dtype=h5py.string_dtype(), chunks=(20,), **how)
                        x = np.arange(3000.).reshape(200, 15)
                        f.create_dataset('x', data=x, chunks=(37, 4), fletcher32=True, **how)
                """, directory.path)
        guard done.code == 0 else { throw TreadleError(.bug, done.errors) }
        return directory
    }

    @Test(arguments: codecs) func `texts and parts of an array are read as well`(codec: String) throws {
        let file = try H5File.open(Self.texts.get().file("\(codec).h5"))
        let words = Array(repeating: ["one", "three", "seventeen"], count: 50).flatMap { $0 }
        #expect(try file.dataset("fixed").readStrings() == words)
        if !codec.hasPrefix("blosc") {
            #expect(try file.dataset("free").readStrings(rows: 15..<45) == Array(words[15..<45]))
        }
        let part = try file.dataset("x").read(as: Int.self, box: Hyperslab(start: [36, 3], count: [2, 3]))
        #expect(part == [543, 544, 545, 558, 559, 560])
    }

    @Test func `a dataset that is put together from packed ones is refused, and says why`() throws {
        let directory = try TemporaryDirectory()
        let done = try Python.run(
            Self.preamble + """

                with h5py.File(sys.argv[1] + '/virtual.h5', 'w') as f:
                    f.create_dataset('part', data=np.arange(30.).reshape(10, 3), chunks=(5, 3), **codecs['zstd'])
                    whole = h5py.VirtualLayout((10, 3), '<f8')
                    whole[:] = h5py.VirtualSource('.', 'part', (10, 3))
                    f.create_virtual_dataset('x', whole)
                """, directory.path)
        try #require(done.code == 0, Comment(rawValue: done.errors))
        let file = try H5File.open(directory.file("virtual.h5"))
        #expect(try file.dataset("part").read(as: Int.self) == Array(0..<30))
        let error = try #require(throws: H5Error.self) { try file.dataset("x").read(as: Int.self) }
        #expect(error.kind == .other && error.reason.contains("put together: read that one"), "\(error)")
    }

    /// Chunks that their filters never wrote: each must be refused in words, by whichever way it is read.
    private static let hostile = Result {
        let directory = try TemporaryDirectory.shared()
        let done = try Python.run(
            preamble + """

                x = rng.integers(0, 9, (64, 15)).astype('<f4')
                def stored(values, how, **more):
                    with h5py.File('memory', 'w', driver='core', backing_store=False) as f:
                        d = f.create_dataset('x', data=values, chunks=values.shape, **how, **more)
                        return d.id.read_direct_chunk((0,) * values.ndim)[1]
                def put(how, name, chunk, **more):
                    d = f0.create_dataset(name, (64, 15), '<f4', chunks=(64, 15), **how, **more)
                    d.id.write_direct_chunk((0, 0), bytes(chunk))
                    print(name)
                with h5py.File(sys.argv[1] + '/hostile.h5', 'w') as f0:
                    f0['y'] = np.arange(64) % 5
                    codecs['gzip'] = dict(compression='gzip')
                    for name, how in codecs.items():
                        good = stored(x, how)
                        for cut in [1, 3, 11, 15, 20, len(good) // 2, len(good) - 1]:
                            put(how, f'{name}/cut-{cut}', good[:cut])
                        put(how, f'{name}/smaller', stored(x[:40], how))
                        # libhdf5's own deflate gives as much as is wanted of what is too long.
                        more = 'maybe-larger' if name == 'gzip' else 'larger'
                        put(how, f'{name}/{more}', stored(np.concatenate([x, x]), how))
                        put(how, f'{name}/{more}-by-far', stored(np.zeros((100_000, 15), '<f4'), how))
                        put(how, f'{name}/noise', rng.bytes(3000))
                        put(how, f'{name}/ones', b'\\xff' * 3000)
                        put(how, f'{name}/nothing', b'\\0' * 3000)
                        put(how, f'{name}/checksum', good + b'sums', fletcher32=True)
                        put(how, f'{name}/shuffled-smaller', stored(x[:40], how, shuffle=True), shuffle=True)
                        # What the headers state: sizes, and sizes of blocks.
                        form = {'lz4': '>QI', 'bitshuffle-': '>QI', 'blosc': '<III'}
                        for start, layout in form.items():
                            if not name.startswith(start): continue
                            at = 4 if start == 'blosc' else 0
                            fields = struct.unpack_from(layout, good, at)
                            for i, v in itertools.product(range(len(fields)), [0, 1, 7, 3839, 3841, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]):
                                if v >= 2**32 and layout[1 + i] == 'I': continue
                                # A block may be as long as it likes, as long as the whole is not; and Blosc believes its own.
                                changed = list(fields); changed[i] = v
                                chunk = bytearray(good); struct.pack_into(layout, chunk, at, *changed)
                                sure = i == 0 or v == 0
                                put(how, f'{name}/{"states" if sure else "maybe"}-{i}-{v}', chunk)
                            if start != 'blosc':
                                for v in [0, 2**31 - 1, 2**31, 2**32 - 1]:
                                    chunk = bytearray(good); struct.pack_into('>I', chunk, 12, v)
                                    put(how, f'{name}/block-{v}', chunk)
                """, directory.path)
        guard done.code == 0 else { throw TreadleError(.bug, done.errors) }
        return (directory, done.output.split(separator: "\n").map(String.init))
    }

    @Test func `hostile chunks are refused in words`() throws {
        let (directory, names) = try Self.hostile.get()
        #expect(names.count > 400)
        for name in names {
            // libhdf5's own deflate reads beyond what is too short.
            for access in name.hasPrefix("gzip") ? [Access.auto] : [.auto, .library] {
                do {
                    let rows = try epoch(dataset(directory, "hostile.h5", name, access: access))
                    #expect(name.contains("/maybe"), "\(name) by \(access.rawValue) gave \(rows.x.count) rows")
                } catch let error as TreadleError {
                    #expect(error.kind == .badData, "\(name): \(error)")
                    #expect(error.description.contains("hostile.h5:/\(name)"), "\(error)")
                    #expect(error.description.contains("make it again"), "\(error)")
                }
            }
        }
        let cut = try #require(throws: TreadleError.self) {
            try epoch(dataset(directory, "hostile.h5", "zstd/cut-20"))
        }
        #expect(
            cut.description
                == "\(directory.file("hostile.h5")):/zstd/cut-20: the chunk at [0, 0] cannot be read: its Zstandard data is cut short; restore the file, or make it again"
        )
    }

    @Test func `a chunk that is larger than the memory is refused, however few of its rows there are`() throws {
        let directory = try TemporaryDirectory()
        let done = try Python.run(
            Self.preamble + """

                with h5py.File(sys.argv[1] + '/bomb.h5', 'w') as f:
                    f['y'] = np.arange(8)
                    x = f.create_dataset('x', (8, 15), '<f4', chunks=(1 << 16, 256), maxshape=(None, None), **codecs['zstd'])
                    x[:] = 1
                """, directory.path)
        try #require(done.code == 0, Comment(rawValue: done.errors))
        for access in [Access.auto, .library] {
            let error = try #require(throws: TreadleError.self) {
                try epoch(dataset(directory, "bomb.h5", "x", access: access, limit: 1 << 22))
            }
            #expect(error.kind == .badData && error.description.contains("data.memory_limit"), "\(error)")
        }
        let rows = try epoch(dataset(directory, "bomb.h5", "x", limit: 1 << 30))
        #expect(rows.x == Array(repeating: Array(repeating: 1, count: 15), count: 8))
    }

    @Test func `a mutated chunk touches nothing outside of its result`() throws {
        let (directory, names) = try Self.packed.get()
        let file = try H5File.open(directory.file("packed.h5"))
        let decoder = ChunkDecoder()
        var random = SplitMix(seed: 9)
        func next(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
        var outcomes: [String: Int] = [:]
        for name in names where !name.hasSuffix("1") {
            let dataset = try file.dataset(name)
            let pipeline = try #require(dataset.pipeline)
            let chunk = try #require(try dataset.readChunk(at: [0, 0]))
            for _ in 0..<40 {
                var bytes = chunk.bytes
                for _ in 0..<1 + next(4) {
                    let place = next(next(2) == 0 ? min(32, bytes.count) : bytes.count)
                    switch next(4) {
                    case 0: bytes[place] = UInt8(next(256))
                    case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF][next(5)]
                    case 2: bytes[place] ^= 1 << UInt8(next(8))
                    default: if bytes.count > 1, next(4) == 0 { bytes.removeSubrange(max(place, 1)...) }
                    }
                }
                let source = try Fenced(bytes)
                let result = try Fenced([UInt8](repeating: 0, count: pipeline.size))
                let damage = pipeline.decode(
                    UnsafeRawBufferPointer(source.bytes), mask: chunk.filterMask, into: result.bytes.baseAddress!,
                    decoder)
                outcomes[damage?.reason ?? "well", default: 0] += 1
            }
        }
        // Both happen, or the changes are too few or too many.
        #expect(outcomes["well", default: 0] > 1000 && outcomes["its LZF data is damaged", default: 0] > 100)
    }
}

/// Bytes behind which lies a page that nobody may touch: doing so ends the process.
private final class Fenced {
    let bytes: UnsafeMutableRawBufferPointer
    private let pages: UnsafeMutableRawBufferPointer

    init(_ content: [UInt8]) throws {
        let page = Int(getpagesize())
        let length = (content.count + page - 1) / page * page
        let memory = mmap(nil, length + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let start = try #require(memory != MAP_FAILED ? memory : nil)
        try #require(mprotect(start + length, page, PROT_NONE) == 0)
        pages = UnsafeMutableRawBufferPointer(start: start, count: length + page)
        bytes = UnsafeMutableRawBufferPointer(rebasing: pages[length - content.count..<length])
        bytes.copyBytes(from: content)
    }

    deinit { munmap(pages.baseAddress, pages.count) }
}
