import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleModel

/// What a first hour with a table stumbles over.
@Suite struct TableStumbleTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func converted(_ texts: String..., options: TableOptions = TableOptions()) throws -> TableConversion.Outcome
    {
        let paths = try texts.enumerated().map { try directory.write($0.element, to: "in\($0.offset).csv") }
        return try TableConversion(inputs: paths, output: directory.file("out.h5"), replacing: true, options: options)
            .write(workers: Workers(count: 2))
    }

    private func messages(_ texts: String..., options: TableOptions = TableOptions()) -> [String] {
        do {
            let paths = try texts.enumerated().map { try directory.write($0.element, to: "in\($0.offset).csv") }
            _ = try TableConversion(inputs: paths, output: directory.file("out.h5"), replacing: true, options: options)
                .write(workers: Workers(count: 2))
        } catch { return TreadleError(of: error).messages.map { $0.replacing(directory.path + "/", with: "") } }
        return []
    }

    private func hasHeader(_ text: String, _ options: TableOptions = TableOptions()) throws -> Bool {
        try TableFormat.detect(InputFile(directory.write(text, to: "h.csv")), options).hasHeader
    }

    @Test(arguments: [
        ("a,b\n1,2\n3,4\n", true), ("1,2\n3,4\n5,6\n", false), ("1,2,3,4,5\n6,7,8,9,10\n", false),
        ("2019,2020,2021\n5.5,7,9\n4,3.5,2\n", true), ("0,1,2,3\n5.5,7,9,1\n4,3.5,2,2\n", true),
        ("a,b,2020\nx,y,z\nu,v,w\n", true), ("city,country\nRome,Italy\nOslo,Norway\n", true),
        ("Rome,yes\nOslo,no\nRome,yes\n", false), ("5.1,setosa\n4.9,virginica\n", false), (",a\n0,5\n1,6\n", true),
        ("day,n\n2026-01-01,1\n2026-01-02,2\n", true), ("2026-01-01,x\n2026-01-02,y\n", false), ("a,b\n", true),
        ("a,2,b\nNA,x,NA\nNA,y,NA\n", true), ("id,2019,y\nr1,1.5,0\nr2,3.5,1\n", true),
    ])
    func `the first row is told from those below`(text: String, header: Bool) throws {
        #expect(try hasHeader(text) == header, "\(text)")
    }

    @Test func `names that look like numbers are said to be names, and the target from the end is none of the data`()
        throws
    {
        let text = "2019,2020,2021\n1.5,2.5,0\n3.5,4,1\n7,1,0\n2,2,1\n"
        let outcome = try converted(text, options: TableOptions(targets: ["-1"]))
        #expect(outcome.rows == 4 && outcome.schema.columns.map(\.name) == ["2019", "2020"])
        #expect(outcome.schema.targets[0].name == "2021")
        #expect(outcome.notes.contains { $0.contains("years, 2019 to 2021") && $0.contains("--header no") })
        var asData = TableOptions(targets: ["-1"])
        asData.header = false
        #expect(try converted(text, options: asData).rows == 5)
        // A name that is asked for is a name.
        #expect(try hasHeader("7,2020\n1,2\n3,4\n", TableOptions(targets: ["2020"])))
    }

    @Test func `a target of words in a table of words leaves the header alone`() throws {
        let outcome = try converted(
            "colour,taste\nred,good\ngreen,bad\nred,good\ngreen,good\n", options: TableOptions(targets: ["-1"]))
        #expect(outcome.rows == 4 && outcome.classes == ["bad", "good"])
    }

    @Test func `twenty thousand columns, whose header is longer than 64 KiB`() throws {
        let names = (0..<20_000).map { "a_rather_long_name_\($0)" }
        let lines = (0..<3).map { row in (0..<20_000).map { "\(($0 * 7 + row) % 10)" }.joined(separator: ",") }
        let outcome = try converted(([names.joined(separator: ",")] + lines).joined(separator: "\n"))
        #expect(outcome.arrays[0].shape == [3, 20_000])
        let schema = try #require(try TableSchema(ofDataFile: directory.file("out.h5")))
        #expect(schema.columns.map(\.name) == names)
        let x = try H5File.open(directory.file("out.h5")).dataset("/x").read(as: Float.self)
        #expect(x[19_999] == Float((19_999 * 7) % 10) && x[40_000] == 2)
    }

    @Test(arguments: ["sep=;\na;b;y\n", "sep=,\r\na,b,y\r\n", "sep=\t\na\tb\ty\n"])
    func `Excel's first line says what separates fields, and is no row`(head: String) throws {
        let mark = head.dropFirst(4).prefix(1)
        let rows = (0..<30).map { row in [row, row * row % 7, row % 3].map(String.init).joined(separator: mark) }
        let outcome = try converted(head + rows.joined(separator: "\n") + "\n", options: TableOptions(targets: ["y"]))
        #expect(outcome.rows == 30 && outcome.schema.columns.map(\.name) == ["a", "b"])
        let told = try converted(
            head + rows.joined(separator: "\n") + "\n",
            options: TableOptions(delimiter: mark.utf8.first, targets: ["y"]))
        #expect(told.schema == outcome.schema)
    }

    @Test func `columns of the same name are told apart, as pandas does`() throws {
        let outcome = try converted("a,b,a,a.1,\n1,2,3,4,5\n6,7,8,9,1\n")
        #expect(outcome.schema.columns.map(\.name) == ["a", "b", "a.2", "a.1", "column 5"])
        #expect(outcome.notes.contains { $0.contains("\"a.2\"") })
    }

    @Test func `files with other columns are refused with both lists, in another order they are joined by name`() throws
    {
        let found = messages("a,b,t\n1,2,0\n", "a,c,t\n1,2,0\n", "a,b\n1,2\n")
        #expect(
            found == [
                "in1.csv has other columns than in0.csv: it lacks \"b\"; only it has \"c\"; the parts of a table need the same names",
                "in2.csv has other columns than in0.csv: it lacks \"t\"; the parts of a table need the same names",
            ])
        _ = try converted("a,b\n1,2\n", "b,a\n4,3\n")
        #expect(try H5File.open(directory.file("out.h5")).dataset("/x").read(as: Float.self) == [1, 2, 3, 4])
    }

    @Test func `a wrong name is answered with the nearest one, and all wrong names at once`() {
        let options = TableOptions(
            targets: ["lable"], kinds: [RequestedKind("ctiy", .category), RequestedKind("9", .drop)])
        let found = messages("city,label\n1,2\n", options: options)
        #expect(found.count == 3)
        #expect(found[0].contains("no column \"lable\"; did you mean \"label\"?"))
        #expect(found[1].contains("did you mean \"city\"?"))
        #expect(found[2].contains("no column \"9\""))
    }

    @Test func `labels from 1 to 5 are five classes`() throws {
        let rows = (0..<100).map { "\($0 % 13),\(1 + $0 % 5)" }.joined(separator: "\n")
        let outcome = try converted("a,stars\n" + rows, options: TableOptions(targets: ["stars"]))
        #expect(outcome.classes == ["1", "2", "3", "4", "5"])
        let y = try H5File.open(directory.file("out.h5")).dataset("/y").read(as: Int.self)
        #expect(y == (0..<100).map { $0 % 5 })
        let kinds = [RequestedKind("stars", .number)]
        let quantity = try converted("a,stars\n" + rows, options: TableOptions(targets: ["stars"], kinds: kinds))
        #expect(quantity.classes == nil && quantity.schema.targets[0].classes == nil)
    }

    @Test func `rows without a target are left out and counted`() throws {
        let outcome = try converted("a,t\n1,0.5\n2,\n3,NA\n4,2.5\n", options: TableOptions(targets: ["t"]))
        #expect(outcome.rows == 2 && outcome.notes.contains("2 rows have no target and are left out"))
        #expect(try H5File.open(directory.file("out.h5")).dataset("/x").read(as: Float.self) == [1, 4])
    }

    @Test func `wrong targets and wrong columns are told together`() {
        let numbers = (0..<300).map { "\($0).5" } + (0..<100).map { _ in "n.v." }
        let rows = numbers.enumerated().map { "\($0.element),\($0.offset % 7 == 0 ? "" : "x")" }.joined(separator: "\n")
        let options = TableOptions(targets: ["t"], kinds: [RequestedKind("t", .number)])
        let found = messages("a,t\n" + rows, options: options)
        #expect(
            found.count == 2 && found[0].contains("\"t\" is to be a number") && found[1].contains("\"a\" holds numbers")
        )
    }

    @Test(arguments: ["x=1", "=number", "x", "x=date:Y/d/m"]) func `what is no kind is none`(text: String) {
        #expect(RequestedKind(text) == nil)
    }

    @Test func `a kind follows the last equals sign`() {
        #expect(RequestedKind("a=b=category") == RequestedKind("a=b", .category))
        #expect(RequestedKind("when=date:m/d/Y") == RequestedKind("when", .date(format: "m/d/Y")))
    }

    /// Bytes of every kind, quotes and ends of lines: an error or a table, and never a crash.
    @Test func `any bytes are a table or an error`() throws {
        var random = SplitMix(seed: 11)
        let alphabet = Array("a1,;\n\"\r.-% $€é\u{0}NAe/:T\t".utf8)
        for _ in 0..<300 {
            let count = Int(random.next() % 400)
            let bytes = (0..<count).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
            try directory.write(Data(bytes), to: "any.csv")
            do {
                let outcome = try TableConversion(
                    inputs: [directory.file("any.csv")], output: directory.file("any.h5"), replacing: true
                ).write(workers: Workers(count: 1))
                let again = try TableConversion(
                    inputs: [directory.file("any.csv")], output: directory.file("again.h5"), replacing: true,
                    like: outcome.schema
                ).write(workers: Workers(count: 1))
                #expect(again.rows == outcome.rows)
            } catch is TreadleError {
                continue
            }
        }
    }
}

/// pandas writes tables, and h5py reads what becomes of them.
@Suite(.enabled(if: Python.has("pandas", "h5py"), "needs TREADLE_PYTHON with pandas and h5py")) struct PandasTableTests
{
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func python(_ script: String) throws {
        let finished = try Python.run(
            "import numpy as np, pandas as pd, h5py, json, os, sys; os.chdir(sys.argv[1])\n" + script, directory.path)
        #expect(finished.code == 0, "\(finished.errors)")
    }

    @Test(arguments: ["t.csv", "t.csv.zip", "t.csv.gz"])
    func `a frame of pandas comes out as pandas itself would encode it`(name: String) throws {
        try python(
            """
            r = np.random.default_rng(5); n = 3000
            f = pd.DataFrame({
                'city': r.choice(['Oslo', 'Rome', 'Bern', None], n), 'n': r.standard_normal(n).round(3),
                'when': pd.Timestamp('2024-03-01') + pd.to_timedelta(r.integers(0, 500 * 1440, n), 'min'),
                'ok': r.random(n) < 0.5, 'gap': np.where(r.random(n) < 0.1, np.nan, r.integers(0, 50, n)), 'y': r.random(n)})
            f.to_csv('\(name)')
            f.to_pickle('t.pkl')
            """)
        let outcome = try TableConversion(
            inputs: [directory.file(name)], output: directory.file("out.h5"), options: TableOptions(targets: ["y"])
        ).write(workers: Workers(count: 2))
        #expect(outcome.schema.unused == [.init(name: "column 1", reason: "only numbers the rows")])
        try python(
            """
            f = pd.read_pickle('t.pkl'); h = h5py.File('out.h5'); s = json.loads(h['schema'][()]); x = h['x'][:]
            assert [c['name'] for c in s['columns']] == ['city', 'n', 'when', 'ok', 'gap'], s
            values = s['columns'][0]['kind']['category']['values']; assert values == ['Bern', 'Oslo', 'Rome']
            codes = pd.Categorical(f['city'], categories=values).codes
            assert (x[:, 0] == np.where(codes < 0, 1, codes + 2)).all()
            assert (x[:, 1] == f['n'].astype('f4')).all()
            w = f['when']; date = s['columns'][2]['kind']['date']
            days = (w - pd.Timestamp(date['origin'])) / pd.Timedelta(days=1)
            part = (w.dt.month - 1 + (w.dt.day - 1) / w.dt.days_in_month) / 12
            hour = (w - w.dt.normalize()) / pd.Timedelta(days=1)
            angle = lambda p: 2 * np.pi * p
            expected = {'days': days, 'year': w.dt.year, 'monthSine': np.sin(angle(part)), 'monthCosine': np.cos(angle(part)),
                        'weekdaySine': np.sin(angle(w.dt.dayofweek / 7)), 'weekdayCosine': np.cos(angle(w.dt.dayofweek / 7)),
                        'hourSine': np.sin(angle(hour)), 'hourCosine': np.cos(angle(hour))}
            assert date['parts'] == list(expected), date
            for i, p in enumerate(date['parts']):
                assert np.allclose(x[:, 2 + i], expected[p], rtol=1e-6, atol=1e-6), p
            assert s['columns'][3]['kind'] == {'flag': {'no': 'False', 'yes': 'True'}}
            assert (x[:, 10] == f['ok']).all()
            assert np.array_equal(x[:, 11], f['gap'].astype('f4'), equal_nan=True)
            assert s['columns'][4]['kind']['number']['indicator']
            assert (h['y'][:] == f['y'].astype('f4')).all()
            """)
    }

    @Test func `an archive of several files is named with what it holds`() throws {
        try python(
            """
            import zipfile
            with zipfile.ZipFile('two.zip', 'w') as z:
                z.writestr('a.csv', 'a,b\\n1,2\\n'); z.writestr('b.csv', 'a,b\\n1,2\\n')
            """)
        do {
            _ = try TableConversion(inputs: [directory.file("two.zip")], output: directory.file("out.h5"))
                .write(workers: Workers(count: 1))
            Issue.record("two files are no table")
        } catch let error as TreadleError {
            #expect(
                error.messages[0].hasSuffix(
                    "two.zip holds 2 files (a.csv, b.csv); unpack it with unzip, and import those that belong together")
            )
        }
    }
}
