import Foundation
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleModel
@testable import TreadleRun
@testable import TreadleTools
import RunTestSupport

@Suite struct HTMLReportTests {
    private func page(_ checkpoint: Checkpoint, _ evaluation: Evaluation? = nil, note: String? = nil) throws -> String {
        HTMLReport(
            try Inspection(checkpoint, path: "runs/a/final.h5", workers: Workers(count: 2)),
            of: checkpoint.model, evaluated: evaluation.map { .init(set: "test", evaluation: $0) }, note: note
        ).text
    }

    @Test func `a report is one well-formed page that fetches nothing`() throws {
        var checkpoint = sampleCheckpoint(hidden: [6], inputs: 12, outputs: 2)
        checkpoint.imageShape = [3, 4]
        let evaluation = Evaluation(
            rows: 40, loss: 0.25, metrics: ["accuracy": 0.9], confusion: [[18, 2], [2, 18]])
        let text = try page(checkpoint, evaluation)
        #expect(problemOfXML(text) == nil)
        #expect(!text.contains("http") && !text.contains("<script") && !text.contains("<link"))
        #expect(!text.contains("url(") && !text.contains("@import"))
        #expect(
            text.components(separatedBy: "src=\"").dropFirst().allSatisfy { $0.hasPrefix("data:image/png;base64,") })
        #expect(text.components(separatedBy: "<img").count == 1 + 6)
        for words in [
            "<h1>Wärme</h1>", "test.accuracy", "0.9", "Confusion matrix", "<svg class=\"chart\"", "dense_1/weight",
            "cat for Hündin (2)", "optimizer/v/dense/bias", "sha256:\(checkpoint.parameterDigest)",
            "&quot;hidden&quot;",
            "prefers-color-scheme: dark", "@media print",
        ] { #expect(text.contains(words), "\(words)") }
    }

    @Test func `who listens to the page hears what each table, row and drawing is`() throws {
        let text = try page(
            sampleCheckpoint(), Evaluation(rows: 40, loss: 0.25, metrics: [:], confusion: [[18, 2], [2, 18]]))
        let tables = text.components(separatedBy: "<table").dropFirst().map {
            $0.components(separatedBy: "</table>")[0]
        }
        #expect(tables.count >= 4)
        for table in tables {
            #expect(table.contains("<caption class=\"unseen\">"), "\(table)")
            let rows = try #require(table.components(separatedBy: "<tbody>").last).components(separatedBy: "<tr>")
            #expect(rows.count > 1 && rows.dropFirst().allSatisfy { $0.hasPrefix("<th scope=\"row\">") }, "\(table)")
        }
        #expect(!text.contains("\"></th>") && !text.contains("<th></th>"), "every column has a name")
        let regions = text.components(separatedBy: "<div class=\"scroll\"").dropFirst()
        #expect(regions.count == tables.count)
        #expect(regions.allSatisfy { $0.hasPrefix(" role=\"region\" tabindex=\"0\" aria-label=\"") })
        let drawings = text.components(separatedBy: "<svg class=\"chart\" role=\"img\"").dropFirst()
        #expect(!drawings.isEmpty)
        for drawing in drawings { #expect(drawing.contains("<title>") && drawing.contains("</title><desc>")) }
        #expect(
            text.contains("<desc>loss: last 0.3 at epoch 3, best 0.3 at epoch 3. valid.loss: last 0.4 at epoch 3, "))
    }

    @Test func `layers of the stem are called what they are`() throws {
        let text = try page(sampleCheckpoint(embedded: [0, 1], scales: true))
        let rest = try #require(text.components(separatedBy: "<h2>Network</h2>").last)
        let network = rest.components(separatedBy: "</table>")[0]
        for (layer, function) in [("embedding", "waves"), ("embedding_1", "combination"), ("input_scale", "factors")] {
            let head = "<th scope=\"row\">\(layer)</th>"
            let row = try #require(network.components(separatedBy: head).dropFirst().first)
            #expect(row.components(separatedBy: "</tr>")[0].contains("<td>\(function)</td>"), "\(layer)")
        }
    }

    @Test func `a regression's errors are there by their shares`() throws {
        var rows = ScoredRows(task: .regression, outputs: 1, margin: 0)
        rows.predictions = [1, 2, 3, 4]
        rows.targets = [0, 2, 4, 4]
        rows.weights = [1, 1, 1, 1]
        let checkpoint = sampleCheckpoint()
        let text = HTMLReport(
            try Inspection(checkpoint, path: "a.h5", workers: Workers(count: 2)), of: checkpoint.model,
            evaluated: EvaluatedSet(
                set: "test", evaluation: Evaluation(rows: 4, loss: 0.5, metrics: [:]),
                judgement: Judgement(rows, workers: Workers(count: 2)))
        ).text
        #expect(problemOfXML(text) == nil)
        // The errors are −1, 0, 0 and 1, and quantiles lie between neighbours.
        let cells = ["0", "-0.85", "-0.25", "0", "0.25", "0.85"].map { "<td class=\"n\">\($0)</td>" }
        #expect(text.contains("<th scope=\"row\">the prediction</th>" + cells.joined()))
        for share in ["5 %", "95 %"] { #expect(text.contains("<th scope=\"col\" class=\"n\">\(share)</th>")) }
    }

    @Test func `a card has the Brier score beside that of the shares`() throws {
        var rows = ScoredRows(task: .classification, outputs: 2, margin: 1e-9)
        rows.predictions = [0.75, 0.25, 0.25, 0.75]
        rows.classes = [0, 1]
        rows.weights = [1, 1]
        let checkpoint = sampleCheckpoint()
        let card = ModelCard(
            try Inspection(checkpoint, path: "a.h5", workers: Workers(count: 2)),
            evaluated: EvaluatedSet(
                set: "test", evaluation: Evaluation(rows: 2, loss: 0.5, metrics: [:]),
                judgement: Judgement(rows, workers: Workers(count: 2)))
        ).text
        #expect(card.contains("| brier | 0.0625 | 0.25 |\n"))
    }

    @Test func `what most rows have in a category may be none of its values`() {
        func most(_ hasOther: Bool, _ hasMissing: Bool, _ shares: [Double]) -> String? {
            HTMLReport.mostCommon(of: ["a", "b"], hasOther: hasOther, hasMissing: hasMissing, shares: shares)?.word
        }
        #expect(most(true, true, [0.5, 0.25, 0.125, 0.125]) == "a")
        #expect(most(true, true, [0, 0.25, 0.625, 0.125]) == "(other)")
        #expect(most(true, true, [0, 0.25, 0.125, 0.625]) == "(missing)")
        #expect(most(false, true, [0.25, 0.125, 0.625]) == "(missing)")
        #expect(most(false, false, [0.25, 0.125]) == "(other)", "no input stands for the rest")
        #expect(most(false, false, [.nan, .nan]) == nil)
    }

    @Test func `a column without curve and table has a reason, and a part of the rows is named as one`() {
        let schema = TableSchema(columns: [
            .init(name: "tail", kind: .category(values: ["a", "b"], hasOther: true, hasMissing: false)),
            .init(name: "day", kind: .date(parts: [.days, .year], origin: "2020-01-01", format: nil)),
        ])
        for (name, words) in [
            ("tail", "a category of 2 values, too many for a table"), ("day", "a date, which is several inputs"),
            ("other", "3 inputs together"),
        ] { #expect(HTMLReport.obstacle(.init(name: name, columns: [0, 1, 2]), in: schema) == words) }
        #expect(
            HTMLReport.obstacle(.init(name: "x", columns: [0]), in: nil) == "the same value in all rows looked at")
        #expect(Figure.part(3900, of: 15_600, "row") == "3,900 of 15,600 rows")
        #expect(Figure.part(100, of: 100, "row") == "100 rows")
    }

    @Test func `without rows to measure on, the report says so`() throws {
        let text = try page(sampleCheckpoint(), note: "data/test.h5: no such file")
        #expect(text.contains("Left out: data/test.h5: no such file"))
        #expect(problemOfXML(text) == nil)
    }

    @Test func `a checkpoint without a history, with broken numbers and many classes has a report`() throws {
        var checkpoint = sampleCheckpoint(hidden: [], inputs: 3, outputs: 100, bias: false)
        checkpoint.history = []
        checkpoint.classes = nil
        checkpoint.configuration = "no JSON"
        checkpoint.parameters[0].weight.storage = .float32([Float](repeating: .nan, count: 300))
        let matrix = (0..<100).map { row in (0..<100).map { $0 == row ? 5 : $0 == 0 ? 1.0 : 0 } }
        let text = try page(checkpoint, Evaluation(rows: 600, loss: .nan, metrics: [:], confusion: matrix))
        #expect(problemOfXML(text) == nil)
        #expect(text.contains("class=\"matrix\"") && text.contains("300 of 300 numbers are NaN"))
    }

    @Test func `nothing out of a file acts on the page`() throws {
        let evil = "</style></pre><script>alert(1)</script>&\u{0}\u{1b}\u{202e}\" onload='x'"
        var checkpoint = sampleCheckpoint()
        checkpoint.classes = [evil, evil]
        checkpoint.columns = checkpoint.columns?.map { _ in evil }
        checkpoint.fingerprint = evil
        checkpoint.programVersion = evil
        checkpoint.configuration = "{\"name\": \(JSONValue.string(evil).text()), \"model\": {}}"
        checkpoint.history[2].metrics[evil] = 1
        let text = try page(
            checkpoint, Evaluation(rows: 2, loss: 1, metrics: [evil: 1], confusion: [[1, 1], [0, 0]]), note: evil)
        #expect(problemOfXML(text) == nil)
        #expect(!text.contains("<script") && !text.contains("\u{1b}") && !text.contains("\u{202e}"))
    }

    @Test(.enabled(if: Python.available, "TREADLE_PYTHON names no Python"))
    func `a picture is a PNG with the numbers in its colours and opacities`() throws {
        let image = PaletteImage(width: 3, height: 2, values: [-1, 0, 1, 0.5, -0.5, .nan])
        let script = """
            import sys, zlib, struct
            data = bytes.fromhex(sys.argv[1])
            assert data[:8] == b'\\x89PNG\\r\\n\\x1a\\n'
            place, chunks = 8, {}
            while place < len(data):
                size, name = struct.unpack('>I4s', data[place:place + 8])
                body = data[place + 8:place + 8 + size]
                assert struct.unpack('>I', data[place + 8 + size:place + 12 + size])[0] == zlib.crc32(name + body)
                chunks[name] = body
                place += 12 + size
            assert struct.unpack('>IIBBBBB', chunks[b'IHDR']) == (3, 2, 8, 3, 0, 0, 0)
            rows = zlib.decompress(chunks[b'IDAT'])
            assert rows[0] == 0 and rows[4] == 0
            for pixel in rows[1:4] + rows[5:8]:
                print(*chunks[b'PLTE'][3 * pixel:3 * pixel + 3], chunks[b'tRNS'][pixel])
            """
        let hex = image.png.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
        let result = try Python.run(script, hex)
        #expect(result.errors == "")
        #expect(
            result.output == """
                31 111 208 254
                214 96 16 0
                214 96 16 254
                214 96 16 128
                31 111 208 128
                128 128 128 255

                """)
    }
}
