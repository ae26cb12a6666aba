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
