import Foundation
import RunTestSupport
import TestSupport
import Testing
import TreadleBase
import TreadleRun

/// Files in the formats of others hold the numbers of the checkpoint that they were exported from, or `diff` says which not.
@Suite struct NumbersDiffTests {
    let directory: TemporaryDirectory
    private static let names = ["a.onnx", "a.safetensors", "a.npz", "a.weights.h5"]

    init() throws {
        directory = try TemporaryDirectory()
        var checkpoint = smallCheckpoint()
        // Neither a third nor its inverse is a number of 32 bits.
        checkpoint.normalization.factor = [1.0 / 3, 0.5, 2]
        checkpoint.normalization.clip = [3, 0, 0.7]
        checkpoint.temperature = 1.3
        checkpoint.configuration = """
            {"name": "small", "data": {"train": {"files": ["d.h5"]}}, \
            "model": {"hidden": [{"units": 2, "activation": "relu", "dropout": 0.1}]}}
            """
        try CheckpointFile.write(checkpoint, to: directory.file("a.h5"))
        var other = checkpoint
        other.parameters[1].weight.storage = .float32([0.25, -0.25, 0.5, 1.5])
        try CheckpointFile.write(other, to: directory.file("b.h5"))
        for name in Self.names {
            let exported = try Program.run("export", "a.h5", "-o", name, directory: directory)
            #expect(exported.code == 0, "\(exported.errors)")
        }
    }

    private func diff(_ arguments: String...) throws -> Finished {
        try Program.start(["diff"] + arguments, directory: directory).finish()
    }

    @Test func `an export holds the same numbers as its checkpoint and as any other export`() throws {
        let all = ["a.h5"] + Self.names
        for one in all {
            for other in all where one != other {
                let result = try diff(one, other)
                #expect(result.code == 0, "\(one), \(other): \(result.output)\(result.errors)")
                let isExact = !(one + other).contains("onnx") || (one + other).contains("a.h5")
                let words =
                    "the numbers of \(one) and \(other) are the same, \(isExact ? "bit for bit" : "in 32 bits")\n"
                #expect(result.output == words)
            }
        }
    }

    @Test(arguments: names)
    func `one number that is another is found, and where it is`(name: String) throws {
        let result = try diff("b.h5", name)
        #expect(result.code == 1)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 3 && lines[0] == "the numbers of b.h5 and \(name) differ", "\(result.output)")
        #expect(lines[2].contains("dense_1.weight") && lines[2].contains("[1,1]") && lines[2].contains("1 of 4"))
        let json = try #require(JSONValue(parsing: try diff("--json", "b.h5", name).output))
        #expect(json["weights_differ"] == true && json["digests"] == [nil, nil])
    }

    @Test(.enabled(if: Python.available, "needs TREADLE_PYTHON with numpy and h5py"))
    func `files that Python wrote are read, and what only one has is named`() throws {
        let written = try Python.run(
            """
            import sys, os, json, struct, numpy as np, h5py
            os.chdir(sys.argv[1])
            with np.load('a.npz') as archive: arrays = {name: archive[name] for name in archive.files}
            np.savez_compressed('same.npz', **arrays)
            less = {name: a for name, a in arrays.items() if name != 'normalization.shift'}
            np.savez('less.npz', **less, more=np.arange(3))
            numbers = {name: a for name, a in arrays.items() if a.dtype.kind == 'f'}
            header, place = {}, 0
            for name, a in numbers.items():
                header[name] = {'dtype': {'f4': 'F32', 'f8': 'F64'}[a.dtype.str[1:]], 'shape': a.shape,
                                'data_offsets': [place, place + a.nbytes]}
                place += a.nbytes
            text = json.dumps(header).encode()
            with open('same.safetensors', 'wb') as file:
                file.write(struct.pack('<Q', len(text)) + text + b''.join(a.tobytes() for a in numbers.values()))
            with h5py.File('same.weights.h5', 'w') as file:
                for name, a in numbers.items():
                    layer, part = name.rsplit('.', 1)
                    place = f'{layer}/{part}' if '.' in name and layer in ('normalization', 'calibration') else \\
                        f'layers/{layer}/vars/{int(part == "bias")}'
                    file[place] = a
                file['optimizer/vars/0'] = 7
            """, directory.path)
        #expect(written.code == 0, "\(written.errors)")
        for name in ["same.npz", "same.safetensors", "same.weights.h5"] {
            let result = try diff("a.h5", name)
            #expect(result.code == 0, "\(name): \(result.output)\(result.errors)")
        }
        let less = try diff("a.npz", "less.npz")
        #expect(less.code == 1)
        #expect(less.output.contains("normalization.shift (3) is in the first alone"))
        #expect(less.output.contains("more (3) is in the second alone"))
    }

    @Test func `what is cut off or no model is refused in words`() throws {
        for name in Self.names.filter({ $0 != "a.onnx" }) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: directory.file(name)))
            try bytes.prefix(bytes.count - 40).write(to: URL(fileURLWithPath: directory.file("cut-" + name)))
            let result = try diff("a.h5", "cut-" + name)
            #expect(result.code == 65, "\(name): \(result.errors)")
            #expect(result.errors.contains("cut-" + name))
        }
        try directory.write("not a model", to: "text.onnx")
        let text = try diff("a.h5", "text.onnx")
        #expect(text.code == 65 && text.errors.contains("neither a checkpoint of treadle nor an ONNX"))
        #expect(try diff("a.h5", "none.npz").code == 66)
    }
}
