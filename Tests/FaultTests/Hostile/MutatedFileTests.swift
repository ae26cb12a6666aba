import Foundation
import HDF5
import TestSupport
import Testing

/// Damaged and hostile files, made by a seeded mutator, given to every command that reads files of others.
/// TREADLE_MUTATIONS sets how many.
@Suite struct MutatedFileTests {
    private static let count =
        ProcessInfo.processInfo.environment["TREADLE_MUTATIONS"].flatMap { Int($0) } ?? 160

    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        /// Checkpoints whose digest is wrong, and those whose digest was made right again.
        case damaged, sealed
        /// Other HDF5 files to look into, and to read rows from.
        case foreign, data

        /// Most go where libhdf5 sees what was changed.
        var share: Double {
            switch self {
            case .damaged: 0.1
            case .sealed: 0.4
            case .foreign: 0.2
            case .data: 0.3
            }
        }
        var testDescription: String { rawValue }
    }

    /// Files that are well, and a mutant beside them.
    private struct Files {
        let directory: TemporaryDirectory
        let checkpoint: Data
        let foreign: Data
        let data: [Data]

        init() throws {
            let directory = try TemporaryDirectory()
            self.directory = directory
            let rows = (0..<64).map { Float($0 % 7) }
            let packed = DatasetOptions(chunk: [4, 3], deflate: 6, shuffle: true, fletcher32: true)
            let plain = try [("plain.h5", DatasetOptions()), ("packed.h5", packed)].map { name, options in
                let file = try H5File.create(directory.file(name))
                try file.write((0..<3).flatMap { _ in rows }, to: "/x", shape: [64, 3], options: options)
                try file.write(strings: ["age", "rooms", "rent"], to: "/columns")
                try file.write(strings: rows.map { $0 < 3 ? "no" : "yes" }, to: "/y", size: 3)
                try file.close()
                return try Data(contentsOf: URL(fileURLWithPath: directory.file(name)))
            }
            data = try plain + Self.packedElsewhere(directory)
            // One reads rows by itself, the other through libhdf5.
            for access in ["auto", "library"] {
                try directory.write(
                    """
                    { schema: 1, name: "small", task: "classification",
                      data: { train: { files: ["packed.h5"] }, valid: { fraction: 0.25 }, batch_size: 16,
                              access: "\(access)" },
                      model: { hidden: [{ units: 4, activation: "relu" }] }, stop: { epochs: 2 },
                      checkpoint: { dir: "\(access)" } }
                    """, to: "\(access).json5")
                let trained = try Program.run("train", "--quiet", directory.file("\(access).json5"))
                guard trained.code == 0 else { throw CocoaError(.fileReadUnknown, userInfo: ["said": trained.errors]) }
            }
            checkpoint = try Data(contentsOf: URL(fileURLWithPath: directory.file("auto/final.h5")))
            foreign = try Self.foreign(directory.file("foreign.h5"))
        }

        /// The same rows as users of h5py and hdf5plugin pack them, as far as this machine has these.
        private static func packedElsewhere(_ directory: TemporaryDirectory) throws -> [Data] {
            guard Python.has("numpy", "h5py", "hdf5plugin") else { return [] }
            let done = try Python.run(
                """
                import sys, numpy as np, h5py, hdf5plugin as p
                rows = np.tile(np.arange(64) % 7, 3).astype('<f4')
                for name, how in [('lzf', dict(compression='lzf')), ('zstd', p.Zstd()), ('lz4', p.LZ4()),
                                  ('blosc', p.Blosc(cname='zstd')), ('bitshuffle', p.Bitshuffle(cname='lz4'))]:
                    with h5py.File(f'{sys.argv[1]}/{name}.h5', 'w') as f:
                        f.create_dataset('x', data=rows.reshape(64, 3), chunks=(32, 3), **how)
                        f['columns'] = ['age', 'rooms', 'rent']
                        labels = [b'no' if row < 3 else b'yes' for row in rows[:64]]
                        f.create_dataset('y', data=np.array(labels), chunks=(32,), **how)
                """, directory.path)
            guard done.code == 0 else { throw CocoaError(.fileReadUnknown, userInfo: ["said": done.errors]) }
            return try ["lzf", "zstd", "lz4", "blosc", "bitshuffle"].map {
                try Data(contentsOf: URL(fileURLWithPath: directory.file("\($0).h5")))
            }
        }

        /// A file of everything that the library writes, small enough that many mutations hit its structures.
        private static func foreign(_ path: String) throws -> Data {
            let file = try H5File.create(path)
            try file.write([Float](repeating: 1, count: 64), to: "/g/x", shape: [8, 8])
            try file.write(
                (0..<256).map { Double($0) }, to: "/g/packed", shape: [16, 16],
                options: DatasetOptions(
                    maxShape: [nil, 16], chunk: [4, 8], deflate: 6, shuffle: true, fletcher32: true)
            ).setAttribute("names", ["a", "b"])
            try file.write(strings: ["one", "two"], to: "/names")
            try file.write(strings: ["one", "two"], to: "/fixed", size: 5)
            try file.setAttribute("scale", [0.5, 2])
            try file.softLink("/soft", to: "/g/x")
            try file.link("/g/again", to: try file.group("/g"))
            try file.close()
            return try Data(contentsOf: URL(fileURLWithPath: path))
        }

        func mutant(_ kind: Kind, _ index: Int) -> Data {
            var mutator = Mutator(seed: UInt64(index))
            switch kind {
            case .damaged: return mutator.mutated(checkpoint)
            case .sealed where index % 8 == 0: return FaultTests.sealed(mutator.mutated(foreign))
            case .sealed: return FaultTests.sealed(mutator.mutated(checkpoint.dropFirst(512)))
            case .foreign: return mutator.mutated(foreign)
            case .data: return mutator.mutated(data[index / 4 % data.count])
            }
        }

        /// A command that reads the mutant, each in its turn.
        func command(_ kind: Kind, _ index: Int, _ mutant: String) -> [String] {
            let good = directory.file("auto/final.h5")
            let rows = directory.file("packed.h5")
            let out = directory.file("out-\(kind)")
            switch kind {
            case .damaged, .sealed:
                let commands = [
                    ["inspect", mutant], ["inspect", "--json", mutant], ["inspect", "--html", "-", mutant],
                    ["inspect", "--tensor", "dense/weight", "--csv", mutant], ["inspect", "--digest", mutant],
                    ["verify", mutant], ["diff", mutant, good], ["diff", good, mutant, "--json"],
                    ["export", "--force", mutant, "-o", out + ".onnx"],
                    ["export", "--force", mutant, "-o", out + ".npz"],
                    ["predict", mutant, rows, "-o", "-"], ["eval", mutant, "--data", rows],
                    ["plot", mutant, "-o", "-"],
                ]
                return commands[index % commands.count]
            case .foreign:
                let commands = [
                    ["inspect", mutant], ["inspect", "--json", mutant], ["inspect", "--tensor", "/g/packed", mutant],
                    ["inspect", "--tensor", "/names", mutant], ["verify", mutant],
                    ["predict", good, mutant, "-o", "-"],
                    ["import", mutant, "--force", "-o", out + ".h5"],
                    ["init", mutant, "--force", "-o", out + ".json5"],
                ]
                return commands[index % commands.count]
            case .data:
                let model = directory.file(index % 2 == 0 ? "auto/final.h5" : "library/final.h5")
                return index / 2 % 2 == 0
                    ? ["predict", model, mutant, "-o", "-"] : ["eval", model, "--data", mutant]
            }
        }
    }

    @Test(arguments: Kind.allCases)
    func `no mutated file crashes the program, keeps it, or fills its memory`(kind: Kind) throws {
        let files = try Files()
        var codes: [Int32: Int] = [:]
        var longest = Duration.zero
        var largest = 0
        for index in 0..<max(1, Int(Double(Self.count) * kind.share)) {
            let path = try files.directory.write(files.mutant(kind, index), to: "mutant.h5")
            let command = files.command(kind, index, path)
            let began = ContinuousClock.now
            // A file may declare any number of rows to predict from; what they are written to takes a megabyte.
            let result = try Spawned(
                "/bin/bash", ["-c", #"ulimit -f 1024; exec "$0" "$@""#, Program.path] + command,
                environment: Program.plainEnvironment
            ).finish()
            codes[result.code, default: 0] += 1
            longest = max(longest, result.processorTime)
            largest = max(largest, result.peakMemory)
            let mutant: Comment = "\(kind) \(index): \(command): \(result.code) \(result.errors)"
            // 1 is diff's for other weights, and verify's for a bad file; 74 is for the megabyte.
            #expect(
                [0, 1, 64, 65, 66, 73, 78].contains(result.code) || (result.code, command[0]) == (74, "predict"), mutant
            )
            #expect(!result.output.contains("\u{1b}") && !result.errors.contains("\u{1b}"), mutant)
            // The processor's time is the same on a busy machine; the clock's shows who waits for ever.
            #expect(result.processorTime < .seconds(5) && .now - began < .seconds(60), mutant)
            #expect(result.peakMemory < 1 << 30, mutant)
        }
        // Both happen, or the mutator does too little or too much.
        #expect(codes[65] ?? 0 > 0 && (codes[0] ?? 0 > 0 || kind == .damaged))
        print("mutated files, \(kind): exit codes \(codes), longest \(longest), memory \(largest >> 20) MB")
    }
}
