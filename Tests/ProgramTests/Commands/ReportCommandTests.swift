import Foundation
import TestSupport
import Testing
import TreadleBase
import TreadleRun

/// What a reader sees in reports and cards: their text is read as a browser, or a model hub, would read it.
@Suite struct ReportCommandTests {
    let directory: TemporaryDirectory

    /// A table with a number that matters, a category that matters and a number that does not; `test.csv` is drifted.
    init() throws {
        directory = try TemporaryDirectory()
        let random = Philox(seed: 8, purpose: .generation)
        for (name, rows, offset) in [("train", 0..<300, 0.0), ("test", 300..<400, 100)] {
            var text = "age,city,noise,left\n"
            for row in rows {
                let drawn = random.words(at: UInt64(row))
                let words = (0..<4).map { Double(drawn[$0]) / 0x1p32 }
                let city = ["Bonn", "Kiel", "Ulm"][Int(words[1] * 3)]
                let sum = 4 * words[0] - 2 + (city == "Ulm" ? 1.5 : 0)
                text += "\(20 + 50 * words[0] + (row.isMultiple(of: 7) ? offset : 0)),\(city),\(words[2]),"
                text += words[3] < 1 / (1 + exp(-3 * sum)) ? "yes\n" : "no\n"
            }
            try directory.write(text, to: "\(name).csv")
        }
        for (run, hidden) in [("net", "[ { units: 6, activation: \"tanh\" } ]"), ("line", "[]")] {
            try directory.write(
                """
                { name: "left & <right>", task: "classification", seed: 3,
                  data: { train: { files: ["train.csv"], y: "left" }, valid: { fraction: 0.3 }, batch_size: 32 },
                  model: { hidden: \(hidden) }, optimizer: { lr: 0.03 }, stop: { epochs: 6, early: null },
                  checkpoint: { dir: "runs/\(run)" } }
                """, to: "\(run).json5")
            let trained = try Program.run("train", "\(run).json5", "--quiet", directory: directory)
            #expect(trained.code == 0, "\(trained.errors)")
        }
    }

    /// The sections of a page by their headings: text, tables as rows of cells with their captions, the names of pictures,
    /// and what drawings say in words.
    private struct Section: Decodable {
        var text: String
        var tables: [[[String]]]
        var pictures: [String]
        var captions: [String]
        var descriptions: [String]
    }

    private func sections(_ page: String) throws -> [String: Section] {
        let read = try Python.run(
            """
            import sys, json
            from html.parser import HTMLParser
            class Reader(HTMLParser):
                def __init__(self):
                    super().__init__()
                    self.sections, self.name, self.hidden, self.cell, self.head = {}, '', 0, None, None
                    self.drawing, self.kept = False, None
                def part(self):
                    kinds = ('tables', 'pictures', 'captions', 'descriptions')
                    return self.sections.setdefault(self.name, {'text': '', **{kind: [] for kind in kinds}})
                def keep(self, kind):
                    self.kept = kind
                    self.part()[kind].append('')
                def handle_starttag(self, tag, attributes):
                    attributes = dict(attributes)
                    if tag in ('style', 'title'): self.hidden += 1
                    if tag == 'h2': self.head = ''
                    if tag == 'table': self.part()['tables'].append([])
                    if tag == 'tr' and self.part()['tables']: self.part()['tables'][-1].append([])
                    if tag in ('td', 'th'): self.cell = ''
                    if tag == 'svg': self.drawing = attributes.get('role') == 'img'
                    if tag == 'title' and self.drawing: self.keep('pictures')
                    if tag == 'desc': self.keep('descriptions')
                    if tag == 'caption': self.keep('captions')
                    if tag == 'img': self.part()['pictures'].append(attributes['alt'])
                def handle_endtag(self, tag):
                    if tag in ('style', 'title'): self.hidden -= 1
                    if tag in ('title', 'desc', 'caption'): self.kept = None
                    if tag == 'svg': self.drawing = False
                    if tag == 'h2': self.name, self.head = self.head, None
                    if tag in ('td', 'th'): self.part()['tables'][-1][-1].append(self.cell.strip()); self.cell = None
                def handle_data(self, text):
                    if self.kept: self.part()[self.kept][-1] += text; return
                    if self.hidden: return
                    if self.head is not None: self.head += text; return
                    if self.cell is not None: self.cell += text
                    self.part()['text'] += text
            reader = Reader(); reader.feed(open(sys.argv[1]).read()); print(json.dumps(reader.sections))
            """, directory.file(page))
        #expect(read.code == 0, "\(read.errors)")
        return try JSONDecoder().decode([String: Section].self, from: Data(read.output.utf8))
    }

    private func json(_ arguments: String...) throws -> JSONValue {
        try Program.json(arguments, directory: directory)
    }

    @Test(.enabled(if: Python.available, "TREADLE_PYTHON names no Python"))
    func `a report on other rows says what eval says, which columns matter, and how the rows drifted`() throws {
        let made = try Program.run(
            "inspect", "runs/net/final.h5", "--html", "r.html", "--data", "test.csv", directory: directory)
        #expect(made.code == 0, "\(made.errors)")
        let found = try sections("r.html")
        let said = try json("eval", "runs/net/final.h5", "--data", "test.csv", "--importance")
        #expect(found[""]?.text.contains("left & <right>") == true)

        let worth = try #require(found["What it is worth"])
        for name in ["loss", "accuracy", "brier"] {
            let row = try #require(worth.tables[0].first { $0[0] == name })
            #expect(abs((Double(row[1]) ?? .nan) - number(said[name])) < 1e-3 * abs(number(said[name])), "\(name)")
            if name != "loss" {
                let baseline = number(said["baseline"]?[name])
                #expect(abs((Double(row[2]) ?? .nan) - baseline) < 1e-3 * abs(baseline), "\(name)")
            }
        }
        #expect(worth.pictures.contains { $0.hasPrefix("found, by false alarms") })

        let important = try #require(found["Which columns matter"])
        #expect(important.text.contains("By how much the loss of 100 rows rises"), "\(important.text)")
        #expect(important.text.contains("3 times over") && important.captions == ["Which columns matter"])
        #expect(important.tables[0][0][3] == "spread over the repeats")
        let matter = important.tables[0].dropFirst()
        #expect(matter.map { $0[0] }.sorted() == ["age", "city", "noise"] && matter.last?[0] == "noise", "\(matter)")
        let dependence = try #require(found["What it says by column"])
        #expect(dependence.pictures.contains("age"))
        #expect(dependence.descriptions.contains { $0.hasPrefix("yes: from ") && $0.contains(" at age ") })
        #expect(dependence.captions == ["What it says by city"])
        let cities = try #require(dependence.tables.first)
        #expect(cities.map { $0[0] } == ["city", "Bonn", "Kiel", "Ulm"] && cities[0][1] == "yes")
        let chances = cities.dropFirst().compactMap { Double($0[1]) }
        #expect(chances.count == 3 && chances[2] > chances[0] && chances[2] > chances[1], "Ulm makes it likelier")

        let rows = try #require(found["The data"]).tables[0]
        let age = try #require(rows.first { $0[0] == "age" })
        #expect(age[1] == "number" && age[2] == "–" && (Double(age[6]) ?? 0) > 0.5, "\(age)")
        let noise = try #require(rows.first { $0[0] == "noise" })
        #expect((Double(noise[6]) ?? 9) < 0.5, "\(noise)")
        #expect(rows.first { $0[0] == "city" }?[1] == "category of 3")
        let lonely = try Program.run("inspect", "runs/net/final.h5", "--data", "test.csv", directory: directory)
        #expect(lonely.code == 64)
    }

    @Test(.enabled(if: Python.available, "TREADLE_PYTHON names no Python"))
    func `a report on a linear model has its coefficients by name, on the rows that it was validated by`() throws {
        let made = try Program.run("inspect", "runs/line/final.h5", "--html", "r.html", directory: directory)
        #expect(made.code == 0, "\(made.errors)")
        let coefficients = try #require(try sections("r.html")["Which columns matter"]).tables[1]
        #expect(coefficients[0] == ["column", "a unit", "a spread"])
        let said = try json("eval", "runs/line/final.h5", "--importance")
        guard case .array(let columns) = said["coefficients"] else { return #expect(Bool(false), "\(said)") }
        #expect(coefficients.dropFirst().map { $0[0] } == columns.map { $0["column"]?.string })
        #expect(coefficients.contains { $0[0] == "city=Ulm" })
    }

    @Test func `of several members the first one's tables are open, and the optimizer's memory is folded`() throws {
        let trained = try Program.run(
            "train", "net.json5", "--quiet", "--set", "model.members=3", "--set", "checkpoint.dir=runs/three",
            directory: directory)
        #expect(trained.code == 0, "\(trained.errors)")
        #expect(
            try Program.run("inspect", "runs/three/final.h5", "--html", "three.html", directory: directory).code == 0)
        let page = try directory.read("three.html")
        let members = ["m1/dense", "m2/dense", "m3/dense"]
        for (title, names, isOpen) in [
            ("Network", members, true), ("Weights", members, true),
            ("The optimizer's memory", ["optimizer/m/m1/dense"], false),
        ] {
            let section = try #require(page.components(separatedBy: "<h2>\(title)</h2>").dropFirst().first)
            let folds = try #require(section.components(separatedBy: "</section>").first)
                .components(separatedBy: "<details").dropFirst()
            #expect(folds.count == names.count, "\(title)")
            #expect(folds.map { $0.hasPrefix(" open") } == names.indices.map { $0 == 0 && isOpen }, "\(title)")
            for (fold, name) in zip(folds, names) {
                #expect(fold.contains("<th scope=\"row\">\(name)"), "\(title), \(name)")
            }
        }
    }

    @Test func `a card has what model hubs read, and the numbers of the validation rows`() throws {
        let made = try Program.run("inspect", "runs/net/final.h5", "--card", "model.md", directory: directory)
        #expect(made.code == 0, "\(made.errors)")
        let card = try directory.read("model.md")
        let parts = card.components(separatedBy: "---\n")
        #expect(parts.count == 3 && parts[0] == "", "front matter, and then Markdown")
        for line in [
            "library_name: treadle", "pipeline_tag: tabular-classification", "- name: \"left & <right>\"",
            "      type: tabular-classification", "    - type: accuracy",
        ] { #expect(parts[1].contains(line + "\n"), "\(line)") }
        let accuracy = number(try json("eval", "runs/net/final.h5")["accuracy"])
        #expect(parts[1].contains("    - type: accuracy\n      value: \(String(format: "%.6g", accuracy))\n"))
        for words in [
            "# left & \\<right\\>\n", "says which it is of: no, yes", "- city=Ulm\n", "## Evaluation\n", "| always ",
            "## Which columns matter\n", "| age | ", "## Where it comes from\n", "| brier | ",
        ] { #expect(card.contains(words), "\(words)") }
    }

    @Test(.enabled(if: Python.available, "TREADLE_PYTHON names no Python"))
    func `runs are compared on one page`() throws {
        let made = try Program.run(
            "runs", "runs", "--sort", "valid.loss", "--html", "runs.html", directory: directory)
        #expect(made.code == 0 && made.errors == "runs.html: 2 runs\n", "\(made.errors)")
        let found = try sections("runs.html")
        let table = try #require(found["Settings and metrics"]).tables[0]
        #expect(table.count == 3 && table[0][0] == "run" && table[0].contains("valid.loss"))
        let hidden = try #require(table[0].firstIndex(of: "model.hidden"))
        #expect(Set(table.dropFirst().map { $0[hidden] }) == ["6 tanh", "none"])
        #expect(table[0][..<hidden].contains("valid.loss"), "what came of it is behind the name")
        let losses = table.dropFirst().compactMap { row in
            table[0].firstIndex(of: "valid.loss").flatMap { Double(row[$0]) }
        }
        #expect(losses.count == 2 && losses[0] <= losses[1])
        #expect(found["Curves"]?.text.contains("runs/net valid.loss") == true)
        #expect(found["Curves"]?.text.contains("runs/line valid.loss") == true)
        #expect(found["Curves"]?.descriptions.first?.contains("runs/net valid.loss: last ") == true)
    }

    @Test func `models whose tables have their columns in another order are compared on the same rows`() throws {
        let lines = try directory.read("train.csv").split(separator: "\n").map { line in
            line.split(separator: ",", omittingEmptySubsequences: false)
        }
        let turned = lines.map { [$0[2], $0[3], $0[1], $0[0]].joined(separator: ",") }
        try directory.write(turned.joined(separator: "\n") + "\n", to: "turned.csv")
        let trained = try Program.run(
            "train", "net.json5", "--quiet", "--set", "data.train.files=[\"turned.csv\"]", "--set",
            "checkpoint.dir=runs/turned", directory: directory)
        #expect(trained.code == 0, "\(trained.errors)")
        for data in [["--data", "test.csv"], []] {
            let said = try Program.start(
                ["eval", "runs/net/final.h5", "--against", "runs/turned/final.h5"] + data, directory: directory
            ).finish()
            #expect(said.code == 0 && said.output.contains("By loss"), "\(said.errors)")
        }
    }
}
