import HDF5
import TestSupport
import Testing

/// What h5py writes is read, and what is written here h5py reads.
@Suite(.enabled(if: Python.available, "needs TREADLE_PYTHON with h5py")) struct InterchangeTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test(arguments: ["<", ">"])
    func `every number of h5py is recognized and read`(order: String) throws {
        let path = directory.file("a.h5")
        try H5Py.run(
            """
            with h5py.File(sys.argv[1], 'w') as f:
                for t in 'i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8'.split():
                    f[t] = np.array([[0, 1, 2], [100, 7, 3]]).astype(sys.argv[2] + t)
                f['b'] = np.array([True, False, True])
            """, path, order)
        let file = try H5File.open(path)
        let expected: ByteOrder = order == "<" ? .little : .big
        let types: [(String, ElementType)] = [
            ("i1", .int(8)), ("i2", .int(16, expected)), ("i4", .int(32, expected)), ("i8", .int(64, expected)),
            ("u1", .uint(8)), ("u2", .uint(16, expected)), ("u4", .uint(32, expected)), ("u8", .uint(64, expected)),
            ("f2", .float(.half(expected))), ("f4", .float(.single(expected))), ("f8", .float(.double(expected))),
        ]
        for (name, type) in types {
            let dataset = try file.dataset(name)
            // One byte has no order; libhdf5 reports what was asked for.
            if dataset.type.size != 1 { #expect(dataset.type == type) }
            #expect(dataset.shape == [2, 3])
            #expect(try dataset.read(as: Int32.self) == [0, 1, 2, 100, 7, 3])
            #expect(try dataset.read(as: Double.self, rows: 1..<2) == [100, 7, 3])
            #expect(
                try dataset.read(as: Float.self, box: Hyperslab(start: [0, 1], count: [2, 2])) == [1, 2, 7, 3])
        }
        let flags = try file.dataset("b")
        #expect(flags.type == .boolean)
        #expect(try flags.read(as: UInt8.self) == [1, 0, 1])
        #expect(try flags.read(as: Float.self) == [1, 0, 1])
    }

    @Test func `h5py reads every number in either byte order`() throws {
        let path = directory.file("a.h5")
        do {
            let file = try H5File.create(path)
            let numbers = [0, 1, 2, 100, 7, 3]
            for order in [ByteOrder.little, .big] {
                for bits in [8, 16, 32, 64] {
                    try file.write(numbers, to: "\(order)/i\(bits / 8)", shape: [2, 3], as: .int(bits, order))
                    try file.write(numbers, to: "\(order)/u\(bits / 8)", shape: [2, 3], as: .uint(bits, order))
                }
                for (name, format) in [
                    ("f2", FloatFormat.half(order)), ("f4", .single(order)), ("f8", .double(order)),
                ] {
                    try file.write(numbers, to: "\(order)/\(name)", shape: [2, 3], as: .float(format))
                }
            }
            try file.write([1, 0, 1] as [UInt8], to: "flags", as: .boolean)
            try file.write([Float(1), -2.5, 3e38], to: "bfloat16", as: .bfloat16)
        }
        let seen = try H5Py.run(
            """
            f = h5py.File(sys.argv[1])
            ok = all((f[o][t][()] == [[0, 1, 2], [100, 7, 3]]).all() and f[o][t].dtype == np.dtype(c + t)
                     for o, c in (('little', '<'), ('big', '>')) for t in f[o])
            print(ok, len(f['big']), f['flags'].dtype, f['flags'][()].tolist())
            """, path)
        #expect(seen == "True 11 bool [True, False, True]")
        let file = try H5File.open(path)
        #expect(try file.dataset("bfloat16").type == .bfloat16)
        // 3e38 is 0x7f61b1e6 as a single; the nearest with seven bits of mantissa is 0x7f620000.
        #expect(
            try file.dataset("bfloat16").read(as: Float.self)
                == [1, -2.5, Float(bitPattern: 0x7f62_0000)])
    }

    @Test func `strings pass both ways, fixed and variable`() throws {
        let (ours, theirs) = (directory.file("a.h5"), directory.file("b.h5"))
        let words = ["", "a", "Grüße", "0123456789"]
        do {
            let file = try H5File.create(ours)
            try file.write(strings: words, to: "variable")
            try file.write(strings: words, to: "fixed", size: 10)
            try file.write(text: words.joined(separator: "\n"), to: "text")
            try file.write(
                strings: words, to: "chunked", options: DatasetOptions(chunk: [3], deflate: 6))
        }
        try H5Py.run(
            """
            words = ['', 'a', 'Grüße', '0123456789']
            f = h5py.File(sys.argv[1])
            assert f['variable'].asstr()[()].tolist() == words
            assert f['chunked'].asstr()[()].tolist() == words
            assert f['fixed'].asstr()[()].tolist() == words and f['fixed'].dtype == 'S10'
            assert f['text'].asstr()[()] == chr(10).join(words)
            with h5py.File(sys.argv[2], 'w') as g:
                g['variable'] = words
                g['fixed'] = np.array([w.encode() for w in words])
                g.create_dataset('ascii', data=[b'x', b'yz'], dtype=h5py.string_dtype('ascii'))
                g.create_dataset('text', data=words[2])
                space = h5py.h5t.C_S1.copy(); space.set_size(4); space.set_strpad(h5py.h5t.STR_SPACEPAD)
                d = h5py.h5d.create(g.id, b'space', space, h5py.h5s.create_simple((2,)))
                d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([b'ab  ', b'a c '], 'S4'), mtype=space)
            """, ours, theirs)
        let file = try H5File.open(theirs)
        #expect(try file.dataset("variable").readStrings() == words)
        #expect(try file.dataset("fixed").readStrings() == words)
        #expect(try file.dataset("ascii").readStrings(rows: 1..<2) == ["yz"])
        #expect(try file.dataset("text").readStrings() == ["Grüße"])
        #expect(try file.dataset("space").readStrings() == ["ab", "a c"])
        #expect(try H5File.open(ours).dataset("chunked").readStrings(rows: 2..<4) == ["Grüße", "0123456789"])
    }

    @Test func `attributes pass both ways`() throws {
        let (ours, theirs) = (directory.file("a.h5"), directory.file("b.h5"))
        do {
            let file = try H5File.create(ours)
            try file.setAttribute("version", "old")
            try file.setAttribute("version", "1.0 – ü")
            try file.setAttribute("count", 42)
            try file.setAttribute("scale", Float(0.5))
            try file.setAttribute("ready", true)
            let group = try file.createGroup("layers/0")
            try group.setAttribute("shape", [3, 4] as [Int32])
            try group.setAttribute("matrix", [1, 2, 3, 4, 5, 6] as [Double], shape: [2, 3])
            try group.setAttribute("names", ["a", "", "ccc"])
        }
        try H5Py.run(
            """
            f = h5py.File(sys.argv[1])
            assert dict(f.attrs) == {'version': '1.0 – ü', 'count': 42, 'scale': 0.5, 'ready': True}, dict(f.attrs)
            g = f['layers/0'].attrs
            assert g['shape'].tolist() == [3, 4] and g['shape'].dtype == 'i4'
            assert g['matrix'].tolist() == [[1, 2, 3], [4, 5, 6]]
            assert g['names'].tolist() == ['a', '', 'ccc']
            with h5py.File(sys.argv[2], 'w') as h:
                d = h.create_dataset('x', data=1)
                d.attrs['text'] = 'Grüße'
                d.attrs['fixed'] = np.bytes_(b'abc')
                d.attrs['words'] = ['u', 'vw']
                d.attrs['big'] = np.array([[1, 2], [3, 4]], '>i2')
                d.attrs['flag'] = np.bool_(True)
                d.attrs['empty'] = h5py.Empty('f4')
            """, ours, theirs)
        let dataset = try H5File.open(theirs).dataset("x")
        #expect(try dataset.attributeNames() == ["big", "empty", "fixed", "flag", "text", "words"])
        #expect(try dataset.attributeNames(limit: 2).count == 2)
        #expect(try dataset.attribute("text").strings() == ["Grüße"])
        #expect(try dataset.attribute("fixed").strings() == ["abc"])
        #expect(try dataset.attribute("words").strings() == ["u", "vw"])
        #expect(try dataset.attribute("big").numbers(as: Int.self) == [1, 2, 3, 4])
        #expect(try dataset.attribute("big").shape == [2, 2])
        #expect(try dataset.attribute("flag").type.isBoolean)
        #expect(try dataset.attribute("empty").numbers(as: Float.self) == [])
        #expect(try !dataset.hasAttribute("nothing"))
    }

    @Test func `other types are described and refused`() throws {
        let path = directory.file("a.h5")
        try H5Py.run(
            """
            with h5py.File(sys.argv[1], 'w') as f:
                f['compound'] = np.zeros(3, [('a', '<f4'), ('b', 'S5'), ('c', '<i2', (2, 3))])
                f['opaque'] = np.zeros(2, 'V7')
                f.create_dataset('reference', (1,), h5py.ref_dtype)
                f.create_dataset('ragged', (2,), h5py.vlen_dtype(np.float32))
                f.create_dataset('colour', (2,), h5py.enum_dtype({'RED': 3, 'BLUE': -1}, basetype='>i2'))
                f['complex'] = np.zeros(2, 'c8')
                f['type'] = np.dtype('<f8')
            """, path)
        let file = try H5File.open(path)
        func type(_ name: String) throws -> String { try file.dataset(name).type.description }
        #expect(try type("compound") == "compound {a: float32, b: string[5], c: array 2×3 of int16}")
        #expect(try type("opaque").hasPrefix("opaque of 7 bytes"))
        #expect(try type("reference") == "reference")
        #expect(try type("ragged") == "variable-length array of float32")
        #expect(try type("complex") == "compound {r: float32, i: float32}")
        let colour = try file.dataset("colour")
        guard case .enumeration(base: .int(16, .big), members: let members) = colour.type else {
            Issue.record("\(colour.type)")
            return
        }
        #expect(Set(members) == [.init(name: "RED", value: 3), .init(name: "BLUE", value: -1)])
        let error = #expect(throws: H5Error.self) { try file.dataset("compound").read(as: Float.self) }
        #expect(error?.kind == .mismatch)
        guard case .type(let named) = try file.open("type") else {
            Issue.record("a named type opens as something else")
            return
        }
        #expect(named.type == .float64)
    }
}
