import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleTools

/// NPY, NPZ and IDX files become /x and /y with their shapes.
@Suite struct ArrayImportTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func imported(
        _ inputs: String..., change: (inout ImportRequest) -> Void = { _ in }
    ) throws -> (file: H5File, summary: ImportSummary) {
        var request = ImportRequest(
            inputs: inputs.map(directory.file), output: directory.file("out.h5"), replacing: true)
        change(&request)
        let summary = try Import(request, workers: Workers(count: 2)).run()
        return (try H5File.open(request.output), summary)
    }

    private func failure(_ inputs: String...) -> String {
        do {
            let request = ImportRequest(
                inputs: inputs.map(directory.file), output: directory.file("out.h5"), replacing: true)
            _ = try Import(request, workers: Workers(count: 1)).run()
            return "no error"
        } catch {
            return "\(error)".replacingOccurrences(of: directory.path + "/", with: "")
        }
    }

    /// An IDX file: type code, dimensions, and the elements' bytes.
    private func idx(_ name: String, _ type: UInt8, _ shape: [UInt32], _ elements: [UInt8]) throws {
        var data = Data([0, 0, type, UInt8(shape.count)])
        for size in shape { withUnsafeBytes(of: size.bigEndian) { data.append(contentsOf: $0) } }
        try directory.write(data + Data(elements), to: name)
    }

    private func npy(_ name: String, _ header: String, _ elements: [UInt8], version: UInt8 = 1) throws {
        var data = Data([0x93] + Array("NUMPY".utf8) + [version, 0])
        let text = header + String(repeating: " ", count: 63 - header.utf8.count % 64) + "\n"
        let length = UInt32(text.utf8.count)
        data.append(contentsOf: [UInt8(length & 255), UInt8(length >> 8)] + (version > 1 ? [0, 0] : []))
        try directory.write(data + Data(text.utf8) + Data(elements), to: name)
    }

    @Test func `images and labels are told apart by their dimensions, in parts and in any order`() throws {
        try idx("a-labels", 8, [2], [3, 4])
        try idx("a-images", 8, [2, 2, 3], Array(0..<12))
        try idx("b-labels", 8, [1], [5])
        try idx("b-images", 8, [1, 2, 3], Array(12..<18))
        let (file, summary) = try imported("a-labels", "a-images", "b-images", "b-labels")
        #expect(try file.dataset("/x").type == .uint(8))
        #expect(try file.dataset("/x").shape == [3, 2, 3])
        #expect(try file.dataset("/x").read(as: Int.self) == Array(0..<18))
        #expect(try file.dataset("/y").read(as: Int.self) == [3, 4, 5])
        #expect(summary.arrays.map(\.type) == ["uint8", "uint8"])
    }

    @Test func `big-endian elements of every IDX type are read`() throws {
        try idx("i16", 0x0b, [2, 1], [0xff, 0xfe, 0x01, 0x00])
        try idx("f64", 0x0e, [2, 1], [0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0x08, 0, 0, 0, 0, 0, 0])
        #expect(try imported("i16").file.dataset("/x").read(as: Float.self) == [-2, 256])
        let wide = try imported("f64", change: { $0.float64 = true }).file.dataset("/x")
        #expect(try wide.read(as: Double.self) == [1.5, -3])
        #expect(wide.type == .float64)
    }

    @Test func `column order is turned into row order`() throws {
        let header = "{'descr': '<u2', 'fortran_order': True, 'shape': (2, 3, 2), }"
        // Element (i, j, k) is i + 10 j + 100 k; in column order i moves fastest.
        var stored: [UInt8] = []
        for k in 0..<2 { for j in 0..<3 { for i in 0..<2 { stored += [UInt8(i + 10 * j + 100 * k), 0] } } }
        var expected: [Float] = []
        for i in 0..<2 { for j in 0..<3 { for k in 0..<2 { expected.append(Float(i + 10 * j + 100 * k)) } } }
        try npy("x.npy", header, stored)
        #expect(try imported("x.npy").file.dataset("/x").read(as: Float.self) == expected)
    }

    @Test func `one-dimensional x becomes one column, and targets are known by their name`() throws {
        try npy("train_x.npy", "{'descr': '|i1', 'fortran_order': False, 'shape': (3,), }", [1, 2, 255])
        try npy("train_y.npy", "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", [1, 0, 1], version: 2)
        let (file, _) = try imported("train_y.npy", "train_x.npy")
        #expect(try file.dataset("/x").shape == [3, 1])
        #expect(try file.dataset("/x").read(as: Float.self) == [1, 2, -1])
        #expect(try file.dataset("/y").read(as: Int.self) == [1, 0, 1])
    }

    @Test func `classes may be given names`() throws {
        try idx("labels", 8, [2], [1, 0])
        try idx("images", 8, [2, 1, 1], [7, 8])
        let (file, _) = try imported("images", "labels", change: { $0.table.classes = ["shoe", "shirt"] })
        #expect(try file.dataset("/classes").readStrings() == ["shoe", "shirt"])
    }

    @Test func `wrong arrays are refused with what is wrong`() throws {
        try idx("images", 8, [3, 2, 2], Array(0..<12))
        try idx("two", 8, [2], [1, 2])
        try idx("short", 8, [3, 2, 2], Array(0..<11))
        try idx("none", 8, [0, 2, 2], [])
        #expect(failure("images", "two").contains("images has 3 rows, but two has shape 2"))
        #expect(failure("short").contains("should hold 12 bytes of elements, but its file ends after 11"))
        #expect(failure("none").contains("has no rows"))
        #expect(failure("two", "two").contains("holds targets") == false)
        #expect(failure("gone").contains("no such file"))
        try npy("o.npy", "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", [1, 2, 255])
        #expect(failure("o.npy").contains("Python objects"))
        try npy("big.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 3), }", [])
        #expect(failure("big.npy").contains("more elements than any file"))
        try npy("s.npy", "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,), }", [])
        #expect(failure("s.npy").contains("structured"))
        try directory.write(Data([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a]), to: "h.h5")
        #expect(failure("h.h5").contains("HDF5 already"))
        #expect(try directory.contents().contains { $0.hasSuffix(".tmp") } == false)
    }
}

/// What an array says of itself costs nothing before the file can hold it.
extension ArrayImportTests {
    @Test(arguments: [
        "(9223372036854775807,)", "(4611686018427387904, 2)", "(0, 4611686018427387904, 4611686018427387904)",
        "(9223372036854775000, 1)", "(1099511627776,)", "()", "(0,)", "(3, 0)",
    ])
    func `claims that the file cannot keep are refused, packed or not`(shape: String) throws {
        try npy("x.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': \(shape), }", [1, 2, 3])
        let packed = Process()
        packed.executableURL = URL(fileURLWithPath: "/usr/bin/gzip")
        packed.arguments = ["--keep", directory.file("x.npy")]
        try packed.run()
        packed.waitUntilExit()
        for name in ["x.npy", "x.npy.gz"] {
            let said = failure(name)
            #expect(said != "no error" && said.contains(name) && !said.contains("bug"), "\(said)")
        }
        // Several parts, whose rows are added up.
        #expect(failure("x.npy.gz", "x.npy.gz") != "no error")
        #expect(try directory.contents().allSatisfy { !$0.hasPrefix("out") && !$0.hasSuffix(".tmp") })
    }
}

/// What NumPy wrote is read, and h5py reads what is written.
@Suite(.enabled(if: Python.available, "needs TREADLE_PYTHON with numpy and h5py")) struct NumPyImportTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func python(_ script: String) throws {
        let finished = try Python.run(
            "import numpy as np, h5py, os, sys, gzip; os.chdir(sys.argv[1])\n" + script, directory.path)
        #expect(finished.code == 0, "\(finished.errors)")
    }

    private func run(_ inputs: [String], change: (inout ImportRequest) -> Void = { _ in }) throws {
        var request = ImportRequest(
            inputs: inputs.map(directory.file), output: directory.file("out.h5"), replacing: true)
        change(&request)
        _ = try Import(request, workers: Workers(count: 2)).run()
    }

    @Test func `every type and order of NPY comes out as NumPy has it`() throws {
        let types = ["u1", "<i2", ">i4", "<i8", ">u2", "<u4", "<f2", ">f4", "<f8", "?"]
        // In the order of rows and in that of columns.
        let names = types.flatMap { type in ["C", "F"].map { "\(type)-\($0)" } }
        let list = names.joined(separator: " ")
        try python(
            """
            for name in '\(list)'.split():
                x = (np.random.default_rng(1).random((1000, 7, 3)) * 200).astype(name[:-2])
                np.save(name + '.npy', np.asarray(x, order=name[-1]))
            np.save('labels.npy', np.arange(1000).astype('>i2'))
            """)
        for name in names {
            try run(["\(name).npy", "labels.npy"]) { $0.output = directory.file("\(name).h5") }
        }
        try python(
            """
            for name in '\(list)'.split():
                f = h5py.File(name + '.h5'); x = np.load(name + '.npy')
                kind = 'u1' if x.dtype.kind == 'b' or x.dtype == 'u1' else 'f4'
                assert f['x'].dtype == kind, (name, f['x'].dtype)
                assert (f['x'][:] == x.astype(kind)).all(), name
                assert (f['y'][:] == np.arange(1000)).all() and f['y'].dtype == 'i4', name
                assert f['x'].chunks is None, name
            """)
    }

    @Test(arguments: ["savez", "savez_compressed"])
    func `train and test pairs of an NPZ stay apart, texts become classes`(save: String) throws {
        try python(
            """
            r = np.random.default_rng(2)
            np.\(save)('d.npz', x_train=r.random((5000, 4)), y_train=np.array(['b', 'ä', 'c'])[r.integers(0, 3, 5000)],
                       x_test=r.random((50, 4)), y_test=np.array(['b', 'ä', 'c'])[r.integers(0, 3, 50)])
            """)
        try run(["d.npz"])
        try python(
            """
            f = h5py.File('out.h5'); d = np.load('d.npz')
            names = f['classes'].asstr()[:]
            assert list(names) == ['b', 'c', 'ä'], names
            for part in ['train', 'test']:
                assert (f['x_' + part][:] == d['x_' + part].astype('f4')).all()
                assert (names[f['y_' + part][:]] == d['y_' + part]).all()
            """)
    }

    @Test func `a ZIP of the 64-bit form is read, a damaged one is refused`() throws {
        try python(
            """
            import zipfile
            x = np.arange(12.0).reshape(4, 3)
            with zipfile.ZipFile('z.npz', 'w') as z:
                with z.open('x.npy', 'w', force_zip64=True) as f: np.save(f, x)
                with z.open('y.npy', 'w', force_zip64=True) as f: np.save(f, np.arange(4))
            """)
        try run(["z.npz"])
        try python("f = h5py.File('out.h5'); assert (f['x'][:] == np.arange(12.0).reshape(4, 3)).all()")
        try python(
            """
            b = bytearray(open('z.npz', 'rb').read()); i = b.index(np.float64(5).tobytes()); b[i + 6] ^= 1
            open('z.npz', 'wb').write(b)
            """)
        #expect(throws: TreadleError.self) { try run(["z.npz"]) }
    }

    @Test func `tables come out as NumPy reads them, packed by gzip or not`() throws {
        try python(
            """
            r = np.random.default_rng(3)
            x = r.standard_normal((20000, 9)) * 10.0 ** r.integers(-12, 12, (20000, 9))
            np.savetxt('x.csv', x, delimiter=',', fmt='%.17g', header='a,b,c,d,e,f,g,h,t', comments='')
            gzip.open('x.csv.gz', 'wb').write(open('x.csv', 'rb').read())
            """)
        for name in ["x.csv", "x.csv.gz"] {
            try run([name]) { request in
                request.float64 = true
                request.table.targets = ["t"]
            }
            try python(
                """
                f = h5py.File('out.h5'); x = np.loadtxt('x.csv', delimiter=',', skiprows=1)
                assert (f['x'][:] == x[:, :8]).all() and (f['y'][:] == x[:, 8]).all()
                import json; s = json.loads(f['schema'][()])
                assert [c['name'] for c in s['columns']] == list('abcdefgh') and s['targets'][0]['name'] == 't'
                """)
        }
    }
}
