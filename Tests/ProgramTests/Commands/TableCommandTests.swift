import Foundation
import HDF5
import TestSupport
import Testing
import TreadleBase
import TreadleRun

/// A table with words, gaps and dates, from text to answers: by HDF5 or directly, whatever the order of its columns.
@Suite struct TableCommandTests {
    private let directory: TemporaryDirectory
    private static let cities = ["Rome", "Oslo", "Lima"]

    init() throws {
        directory = try TemporaryDirectory()
        try write("t.csv", rows: 0..<240)
        try write("swapped.csv", rows: 0..<240, order: ["city", "size", "price", "sold"])
        try configure("csv", train: "t.csv", y: ", y: \"price\"")
    }

    private func write(
        _ name: String, rows: Range<Int>, order: [String] = ["size", "city", "sold", "price"], city: String? = nil,
        extra: String? = nil
    ) throws {
        var text = (order + (extra.map { [$0] } ?? [])).joined(separator: ",") + "\n"
        for row in rows {
            let size = row % 10 == 7 ? "" : "\(40 + row * 7 % 60)"
            let place = row % 3
            let day = 1 + row % 28
            let fields = [
                "size": size, "city": city ?? Self.cities[place],
                "sold": "2026-0\(1 + row % 6)-\(day < 10 ? "0" : "")\(day)",
                "price": "\(100 + 3 * (row * 7 % 60) + 50 * place).5",
            ]
            text +=
                (order.map { fields[$0] ?? "" } + (extra.map { _ in ["x\(row)"] } ?? [])).joined(separator: ",") + "\n"
        }
        try directory.write(text, to: name)
    }

    private func configure(_ name: String, train: String, y: String = "", more: String = "") throws {
        try directory.write(
            """
            { name: "\(name)", task: "regression", seed: 3,
              data: { train: { files: ["\(train)"]\(y) }, valid: { fraction: 0.2 }, batch_size: 32,
                      normalize_target: "standard", non_finite: "impute_mean"\(more) },
              model: { hidden: [ { units: 8 } ] }, optimizer: { type: "adam", lr: 0.01 },
              stop: { epochs: 3, early: null }, checkpoint: { dir: "runs/\(name)" } }
            """, to: name + ".json5")
    }

    @discardableResult
    private func run(_ arguments: String..., code: Int32 = 0) throws -> Finished {
        let finished = try Program.start(arguments, directory: directory).finish()
        #expect(finished.code == code, "\(arguments): \(finished.errors)")
        return finished
    }

    private func digest(_ path: String) throws -> String {
        try CheckpointFile.read(directory.file(path)).parameterDigest
    }

    @Test func `text, HDF5 in one piece and in packed chunks train the same weights`() throws {
        try run("train", "csv.json5", "--quiet")
        try run("import", "t.csv", "--target", "price", "--kind", "price=number", "-o", "t.h5")
        try run("import", "t.csv", "--target", "price", "--kind", "price=number", "-o", "packed.h5", "--compress")
        for name in ["t", "packed"] {
            try configure(name, train: name + ".h5")
            try run("train", name + ".json5", "--quiet")
            #expect(try digest("runs/\(name)/final.h5") == digest("runs/csv/final.h5"), "\(name)")
        }
        let model = try CheckpointFile.read(directory.file("runs/csv/final.h5"))
        #expect(model.schema?.columns.map(\.name) == ["size", "city", "sold"])
        #expect(model.columns?.count == model.network.inputs)
        // The configuration of one form fits the other: y names the column in both.
        try run("eval", "runs/csv/final.h5", "--data", "packed.h5")
        let shown = try run("inspect", "runs/csv/final.h5").output
        #expect(shown.contains("city (category of 3)"), "\(shown)")
    }

    @Test func `columns in another order give the same predictions and metrics, and others are refused by name`() throws
    {
        try run("train", "csv.json5", "--quiet")
        let model = "runs/csv/final.h5"
        let straight = try run("predict", model, "t.csv", "-o", "-").output
        #expect(straight.split(separator: "\n").count == 241)
        #expect(try run("predict", model, "swapped.csv", "-o", "-").output == straight)
        try write("wide.csv", rows: 0..<240, extra: "note")
        let wide = try run("predict", model, "wide.csv", "-o", "-")
        #expect(wide.output == straight && wide.errors.contains("\"note\""), "\(wide.errors)")
        let expected = try run("eval", model, "--data", "t.csv").output
        #expect(try run("eval", model, "--data", "swapped.csv").output == expected)
        // The same rows as an HDF5 file of their own, with columns in that order.
        try run("import", "swapped.csv", "--target", "price", "--kind", "price=number", "-o", "swapped.h5")
        #expect(try run("predict", model, "swapped.h5", "-o", "-").output == straight)
        #expect(try run("eval", model, "--data", "swapped.h5").output == expected)

        try write("few.csv", rows: 0..<9, order: ["size", "sold", "price"])
        let few = try run("predict", model, "few.csv", "-o", "-", code: 65)
        #expect(few.errors.contains("few.csv") && few.errors.contains("\"city\""), "\(few.errors)")
        try write("new.csv", rows: 0..<9, city: "Cairo")
        let unseen = try run("predict", model, "new.csv", "-o", "-")
        #expect(unseen.errors.contains("city") && unseen.errors.contains("9"), "\(unseen.errors)")
        // A model that has nothing to put in the place of a gap names it by file, row and column.
        try run(
            "train", "csv.json5", "--quiet", "--set", "data.non_finite=drop_row", "--set", "checkpoint.dir=runs/strict")
        let gap = try run("predict", "runs/strict/final.h5", "t.csv", "-o", "-", code: 65)
        #expect(gap.errors.contains("t.csv: row 8, column \"size\" is NaN"), "\(gap.errors)")
    }

    @Test func `files beside the training data may have their columns in another order`() throws {
        for (name, files) in [
            ("straight", "t.csv"), ("crossed", "swapped.csv"),
        ] {
            try configure(
                name, train: "t.csv", y: ", y: \"price\"", more: ", test: { files: [\"\(files)\"] }")
            try run("check", name + ".json5")
            try run("train", name + ".json5", "--quiet")
        }
        #expect(try digest("runs/straight/final.h5") == digest("runs/crossed/final.h5"))
        #expect(
            try run("eval", "runs/straight/final.h5").output == run("eval", "runs/crossed/final.h5").output)
    }

    @Test func `a table is imported again when it changes, and only then`() throws {
        try run("check", "csv.json5")
        let cache = directory.file(".treadle-cache")
        func kept() throws -> Set<String> { Set(try FileManager.default.contentsOfDirectory(atPath: cache)) }
        // The rows, and what the columns are.
        let first = try kept()
        #expect(first.count == 2 && first.filter { $0.hasSuffix(".h5") }.count == 1, "\(first)")
        try run("train", "csv.json5", "--quiet")
        #expect(try kept() == first)
        try write("t.csv", rows: 0..<300)
        try run("check", "csv.json5")
        let second = try kept()
        #expect(second.count == 2 && second.isDisjoint(with: first), "\(second)")
        try configure("nameless", train: "t.csv")
        let nameless = try run("check", "nameless.json5", code: 78)
        #expect(nameless.errors.contains("say in data.train.y which of its columns"), "\(nameless.errors)")
    }

    @Test func `a nightly job takes a table whose columns have moved and whose words are new`() throws {
        func night(_ options: String...) throws -> Finished {
            try Program.start(
                ["retrain", "csv.json5", "--set", "retrain.promote.tolerance=1000"] + options, directory: directory
            ).finish()
        }
        #expect(try night().code == 0)
        try write("t.csv", rows: 0..<300, order: ["price", "sold", "city", "size"])
        let text =
            try directory.read("t.csv") + (0..<30).map { "120.5,2026-03-0\(1 + $0 % 9),Cairo,\(50 + $0)\n" }.joined()
        try directory.write(text, to: "t.csv")
        let second = try night()
        #expect(second.code == 0, "\(second.errors)")
        #expect(second.output.contains("promoted"), "\(second.output)")
        let model = try CheckpointFile.read(directory.file("models/csv.h5"))
        #expect(model.columns?.contains("city=Cairo") == false)
        #expect(second.output.contains("taken as other: 30 of \"city\""), "\(second.output)")
        try write("t.csv", rows: 0..<300, order: ["price", "sold", "size"])
        let refused = try night()
        #expect(refused.code == 65 && refused.errors.contains("lacks the column \"city\""), "\(refused.errors)")
    }

    @Test func `three commands lead from words, dates and gaps to predictions`() throws {
        try write("homes.csv", rows: 0..<80)
        try write("new.csv", rows: 80..<140, order: ["sold", "city", "size"])
        try run("init", "homes.csv", "--target", "price")
        try run("train", "homes.json5", "--quiet")
        try run("predict", "runs/homes/final.h5", "new.csv", "-o", "p.csv")
        let answers = try directory.read("p.csv").split(separator: "\n")
        #expect(answers.first == "value" && answers.count == 61)
        var (squares, spread) = (0.0, 0.0)
        for (row, answer) in zip(80..<140, answers.dropFirst()) where row % 10 != 7 {
            let price = Double(100 + 3 * (row * 7 % 60) + 50 * (row % 3)) + 0.5
            let value = try #require(Double(answer))
            squares += (value - price) * (value - price)
            spread += (price - 239) * (price - 239)
        }
        // Better than the mean, whose error is the spread, by a factor of two at least.
        #expect(squares < spread / 4, "\(squares) \(spread)")
    }

    @Test func `columns of other names are refused wherever files meet, with both names`() throws {
        try run("train", "csv.json5", "--quiet")
        let text = try directory.read("t.csv")
        try directory.write("area" + text.dropFirst(4), to: "other.csv")
        let model = "runs/csv/final.h5"
        func refused(_ arguments: String...) throws {
            let ended = try Program.start(arguments, directory: directory).finish()
            #expect(ended.code == 65, "\(arguments): \(ended.errors)")
            for part in ["other.csv", "\"size\"", "\"area\""] {
                #expect(ended.errors.contains(part), "\(arguments): \(ended.errors)")
            }
        }
        try refused("eval", model, "--data", "other.csv")
        try refused("predict", model, "other.csv", "-o", "-")
        try refused("import", "t.csv", "other.csv", "--target", "price", "-o", "both.h5")
        try refused("import", "other.csv", "--like", model, "-o", "like.h5")
        for setting in [
            #"data.train.files=["t.csv", "other.csv"]"#, #"data.test={ files: ["other.csv"] }"#,
            #"data.valid={ files: ["other.csv"] }"#,
        ] {
            for command in ["check", "train", "retrain"] {
                try refused(command, "csv.json5", "--set", setting, "--set", "checkpoint.dir=runs/\(command)")
            }
        }
    }

    @Test func `parts of one table may have their columns in another order`() throws {
        for (name, second) in [("one", "t.csv"), ("two", "swapped.csv")] {
            try run(
                "train", "csv.json5", "--quiet", "--set", "data.train.files=[\"t.csv\", \"\(second)\"]", "--set",
                "checkpoint.dir=runs/\(name)")
        }
        #expect(try digest("runs/one/final.h5") == digest("runs/two/final.h5"))
    }

    @Test(.enabled(if: Python.available, "needs TREADLE_PYTHON with numpy and h5py"))
    func `a file says what its columns are, to h5py and to a model`() throws {
        try run("import", "t.csv", "--target", "price", "--kind", "price=number", "-o", "t.h5")
        try configure("schema", train: "t.h5")
        try run("train", "schema.json5", "--quiet")
        let done = try Python.run(
            """
            import h5py, json, sys
            import numpy as np
            f = h5py.File(sys.argv[1] + '/t.h5'); s = json.loads(f['schema'][()])
            assert [c['name'] for c in s['columns']] == ['size', 'city', 'sold'], s
            size, city, sold = [c['kind'] for c in s['columns']]
            assert size['number']['indicator'] is True
            assert city['category']['values'] == ['Lima', 'Oslo', 'Rome']
            assert sold['date']['origin'] == '2026-01-01' and sold['date']['parts'][0] == 'days'
            assert s['targets'][0]['name'] == 'price'
            # One code for a city, and one number for each part of a date.
            x = f['x'][:]; assert x.shape == (240, 2 + len(sold['date']['parts'])), x.shape
            words = np.array(['Rome', 'Oslo', 'Lima'])[np.arange(240) % 3]
            assert (np.array(city['category']['values'])[x[:, 1].astype(int) - 2] == words).all()
            assert np.isnan(x[:, 0]).sum() == 24
            m = h5py.File(sys.argv[1] + '/runs/schema/final.h5')
            assert json.loads(m['treadle/schema'][()])['columns'] == s['columns']
            """, directory.path)
        #expect(done.code == 0, "\(done.errors)")
    }

    @Test func `init asks what a column is, and writes the answer down for training`() throws {
        let text = (0..<90).map { "0\(1 + $0 % 9)/0\(1 + $0 % 5)/2026,\($0 % 4),\(Double($0 * $0 % 31))" }
        try directory.write("when,zone,cost\n" + text.joined(separator: "\n") + "\n", to: "days.csv")
        let asked = try run("init", "days.csv", "--target", "cost", code: 65).errors
        #expect(asked.contains("say --kind when=date:d/m/Y or --kind when=date:m/d/Y"), "\(asked)")
        let shown = try run(
            "init", "days.csv", "--target", "cost", "--kind", "when=date:m/d/Y", "--kind", "zone=category"
        ).errors
        #expect(shown.contains("read as m/d/Y") && shown.contains("zone"), "\(shown)")
        #expect(try directory.read("days.json5").contains(#"kinds: ["when=date:m/d/Y", "zone=category"]"#))
        let small = ["--set", "model.hidden=[]", "--set", "stop.epochs=1", "--quiet"]
        #expect(try Program.start(["train", "days.json5"] + small, directory: directory).finish().code == 0)
        let model = try CheckpointFile.read(directory.file("runs/days/final.h5"))
        #expect(model.columns?.contains("zone=3") == true)
        // Without the answer a configuration asks in its own words, and other data have no use for it.
        let again = try run("check", "days.json5", "--set", "data.kinds=[]", code: 65).errors
        #expect(again.contains(#"data.kinds: ["when=date:d/m/Y"]"#), "\(again)")
        let wrong = try run("check", "days.json5", "--set", #"data.kinds=["when=day"]"#, code: 78).errors
        #expect(wrong.contains("takes \"COLUMN=KIND\""), "\(wrong)")
        try run("import", "t.csv", "--target", "price", "--kind", "price=number", "-o", "t.h5")
        try configure("packed", train: "t.h5", more: #", kinds: ["city=drop"]"#)
        let useless = try run("check", "packed.json5", code: 78).errors
        #expect(useless.contains("data.kinds is for tables of text"), "\(useless)")
    }
}
