import TestSupport
import Testing

/// Data as others pack it, from the first look to the weights.
@Suite(.enabled(if: Python.has("numpy", "h5py", "hdf5plugin"), "needs Python's hdf5plugin"))
struct PackedDataTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        let done = try Python.run(
            """
            import sys, numpy as np, h5py, hdf5plugin as p
            rng = np.random.default_rng(3)
            x = rng.integers(-50, 50, (1200, 12)).astype('<f4') / 8
            words = np.where(x.sum(1) > 0, b'stays', b'leaves')
            for name, how in [('plain', {}), ('lzf', dict(compression='lzf', shuffle=True, fletcher32=True)),
                              ('zstd', p.Zstd()), ('lz4', p.LZ4()), ('blosc', p.Blosc(cname='lz4')),
                              ('bitshuffle', p.Bitshuffle(cname='lz4')), ('damaged', p.Zstd())]:
                with h5py.File(f'{sys.argv[1]}/{name}.h5', 'w') as f:
                    f.create_dataset('x', data=x, chunks=(100, 12) if how else None, **how)
                    f.create_dataset('y', data=words, chunks=(300,) if how else None, **how)
                    if name == 'damaged': f['x'].id.write_direct_chunk((500, 0), f['x'].id.read_direct_chunk((500, 0))[1][:99])
            """, directory.path)
        try #require(done.code == 0, Comment(rawValue: done.errors))
    }

    @Test func `packed data are found, looked into and learnt from as plain data are`() throws {
        var digests: Set<String> = []
        for name in ["plain", "lzf", "zstd", "lz4", "blosc", "bitshuffle"] {
            let made = try Program.run("init", "\(name).h5", "-o", "\(name).json5", directory: directory)
            #expect(made.code == 0 && made.errors.contains("/y, 1200 string[6]: 2 classes"), "\(made.errors)")
            let settings = ["stop.epochs=2", "checkpoint.dir='\(name)'"].flatMap { ["--set", $0] }
            let trained = try Program.start(
                ["train", "--quiet", "\(name).json5"] + settings, directory: directory
            ).finish()
            #expect(trained.code == 0, "\(name): \(trained.errors)")
            digests.insert(try Program.run("inspect", "--digest", "\(name)/final.h5", directory: directory).output)
            let seen = try Program.run("inspect", "--tensor", "x[3:5]", "--csv", "\(name).h5", directory: directory)
            digests.insert(seen.output)
        }
        // One of the weights, one of the rows.
        #expect(digests.count == 2)
    }

    @Test func `a damaged chunk ends in one line and 65`() throws {
        try directory.write(
            """
            { schema: 1, name: "damaged", task: "classification", data: { train: { files: ["damaged.h5"] }, valid: null },
              model: { hidden: [] } }
            """, to: "job.json5")
        let trained = try Program.run("train", "--quiet", "job.json5", directory: directory)
        #expect(trained.code == 65)
        #expect(
            trained.errors
                == "error: \(directory.file("damaged.h5")):/x: the chunk at [500, 0] cannot be read: its Zstandard data is cut short; restore the file, or make it again\n"
        )
        let looked = try Program.run("inspect", "--tensor", "x", "damaged.h5", directory: directory)
        #expect(looked.code == 65 && looked.errors.contains("the Zstandard data of a chunk is cut short"))
    }
}
