import Foundation
import TestSupport
import Testing

@Suite struct TrainingOutputTests {
    /// A directory with a small job and its data.
    private static func job(_ settings: String = "") throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let rows = (0..<256).map { row in
            let (a, b) = (row * 37 % 101, row * 53 % 103)
            return "\(a),\(b),\(2 * a - b)"
        }
        try directory.write((["a,b,y"] + rows).joined(separator: "\n") + "\n", to: "rows.csv")
        let imported = try Program.run("import", "rows.csv", "--target", "y", "-o", "rows.h5", directory: directory)
        #expect(imported.code == 0, "\(imported.errors)")
        try directory.write(
            """
            { schema: 1, name: "small", task: "regression", seed: 1,
              data: { train: { files: ["rows.h5"] }, batch_size: 16, normalize_target: "standard" },
              model: { hidden: [ { units: 4, activation: "tanh" } ] },
              optimizer: { lr: 0.01 },
              stop: { epochs: 3, early: null },
              metrics: ["rmse"],
              checkpoint: { dir: "run", every: { time: null, epochs: null } },
              \(settings) }
            """, to: "job.json5")
        return directory
    }

    /// The lines without what differs from run to run, and without the figures of what was learnt: those have tests that
    /// compute them.
    private static func steady(_ text: String, in directory: TemporaryDirectory) -> String {
        text.replacingOccurrences(of: directory.path, with: "DIR")
            .replacing(/time=[0-9-]+T[0-9:]+Z/, with: "time=T")
            .replacing(/seconds=[0-9.e-]+/, with: "seconds=S")
            .replacing(/digest=[0-9a-f]{64}/, with: "digest=D")
            .replacing(/(loss|rmse|best|_rows)=[0-9.e+-]+/) { "\($0.1)=N" }
    }

    @Test func `without a terminal a run is told in lines of key=value`() throws {
        let directory = try Self.job()
        let finished = try Program.run("train", "job.json5", "--threads", "2", directory: directory)
        #expect(finished.code == 0)
        #expect(finished.output == "")
        // Checkpoints are written beside training: when one is done differs from run to run.
        let lines = Self.steady(finished.errors, in: directory).split(separator: "\n").map(String.init)
        #expect(lines.contains("time=T event=checkpoint step=45 path=DIR/run/final.h5"))
        #expect(
            lines.filter { !$0.contains("event=checkpoint") } == [
                "time=T event=began name=small task=regression layers=2-4-1 parameters=17 train_rows=N "
                    + "valid_rows=N test_rows=N batch_size=16 batches=15 epochs=3 threads=2 step=0 dir=DIR/run",
                "time=T event=epoch epoch=1 step=15 loss=N valid.loss=N valid.rmse=N rate=0.01 "
                    + "seconds=S",
                "time=T event=epoch epoch=2 step=30 loss=N valid.loss=N valid.rmse=N rate=0.01 "
                    + "seconds=S",
                "time=T event=epoch epoch=3 step=45 loss=N valid.loss=N valid.rmse=N rate=0.01 "
                    + "seconds=S",
                "time=T event=completed epoch=3 step=45 seconds=S loss=N valid.loss=N "
                    + "valid.rmse=N best=N best_epoch=3 model=DIR/run/final.h5 digest=D",
            ])
    }

    @Test func `no state is written twice`() throws {
        let directory = try Self.job()
        let finished = try Program.run(
            "train", "job.json5", "--set", "checkpoint.every={steps:15, epochs:1}", directory: directory)
        let saved = finished.errors.split(separator: "\n").filter { $0.contains("event=checkpoint") }.map {
            $0.split(separator: "/").last.map(String.init) ?? ""
        }
        // A step at the end of an epoch is written with the epoch's metrics, in the place of the one before it.
        #expect(saved.count { $0 == "step-00000045.h5" } <= 2, "\(saved)")
        #expect(saved.count { $0 == "final.h5" } == 1)
        let byEpoch = try Program.run(
            "train", "job.json5", "--fresh", "--set", "checkpoint.every={epochs:1}", directory: directory)
        #expect(byEpoch.errors.components(separatedBy: "step-00000045.h5").count == 2, "\(byEpoch.errors)")
    }

    @Test(.enabled(if: Python.has("tensorboard"), "TensorBoard cannot be imported by TREADLE_PYTHON"))
    func `TensorBoard reads what a run writes, and Prometheus' file is whole`() throws {
        let directory = try Self.job(#"log: { tensorboard: true, prometheus: "prom/run.prom" }"#)
        try FileManager.default.createDirectory(atPath: directory.file("prom"), withIntermediateDirectories: true)
        let finished = try Program.run("train", "job.json5", "--quiet", directory: directory)
        #expect(finished.code == 0, "\(finished.errors)")
        let script = """
            import json, sys
            from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
            events = EventAccumulator(sys.argv[1])
            events.Reload()
            records = [json.loads(line) for line in open(sys.argv[1] + "/metrics.jsonl")]
            records = [record for record in records if "valid.loss" in record]
            assert [record["step"] for record in records] == [15, 30, 45], records
            for tag, key in (("train/loss", "loss"), ("valid/loss", "valid.loss"), ("valid/rmse", "valid.rmse")):
                found = [(event.step, event.value) for event in events.Scalars(tag)]
                assert [step for step, _ in found] == [15, 30, 45], (tag, found)
                for (_, value), record in zip(found, records):
                    assert abs(value - record[key]) <= 1e-6 * abs(record[key]), (tag, value, record)
            print("same")
            """
        let read = try Python.run(script, directory.file("run"))
        #expect(read.output == "same\n", "\(read.errors)")
        // By rename: nothing is left beside it.
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("prom")) == ["run.prom"])
        let metrics = try directory.read("prom/run.prom")
        #expect(metrics.contains("treadle_steps_total{run=\"small\"} 45.0\n"))
        #expect(metrics.contains("treadle_running{run=\"small\"} 0.0\n"))
    }

    @Test func `quiet training says nothing`() throws {
        let directory = try Self.job()
        let finished = try Program.run("train", "job.json5", "--quiet", directory: directory)
        #expect(finished.code == 0)
        #expect(finished.output + finished.errors == "")
    }

    @Test func `a summary for programs comes on stdout`() throws {
        struct Summary: Decodable {
            let ending: String
            let epoch: Int
            let step: Int
            let metrics: [String: Double]
            let checkpoint: String
            let digest: String
        }
        let directory = try Self.job()
        let finished = try Program.run("train", "job.json5", "--quiet", "--json", directory: directory)
        let summary = try JSONDecoder().decode(Summary.self, from: Data(finished.output.utf8))
        #expect(summary.ending == "completed")
        #expect(summary.epoch == 3)
        #expect(summary.metrics.keys.sorted() == ["loss", "valid.loss", "valid.rmse"])
        #expect(summary.checkpoint == directory.file("run/final.h5"))
        #expect(summary.digest.count == 64)
        let again = try Program.run("train", "job.json5", "--json", "--quiet", directory: directory)
        #expect(try JSONDecoder().decode(Summary.self, from: Data(again.output.utf8)).ending == "nothing_to_do")
        #expect(again.code == 0)
    }

    @Test func `a closed log does not stop a run`() throws {
        let directory = try Self.job()
        let finished = try Program.shell(
            "{ $treadle train job.json5 2>&1 >/dev/null; echo $? > code; } | true; cat code", directory: directory)
        #expect(finished.output == "0\n")
    }

    @Test func `on a terminal a run ends with a table and a curve`() throws {
        let directory = try Self.job()
        let (code, drawn) = try PseudoTerminal(columns: 90).run(["train", "job.json5"], directory: directory)
        #expect(code == 0)
        #expect(drawn.contains("small: regression, 2–4–1, 17 parameters\r\n"))
        #expect(
            drawn.contains("\u{1B}[1mepoch     step       loss  valid.loss  valid.rmse       rate      time\u{1B}[0m"))
        #expect(drawn.contains("│"))
        #expect(drawn.contains("done: 3 epochs in "))
        #expect(drawn.contains("model: \(directory.file("run/final.h5"))\r\n"))
    }

    @Test func `without color and Unicode the terminal gets plain ASCII`() throws {
        let directory = try Self.job()
        let (code, drawn) = try PseudoTerminal(columns: 90).run(
            ["train", "job.json5"], environment: ["TERM": "xterm", "NO_COLOR": "1", "LC_ALL": "C"],
            directory: directory)
        #expect(code == 0)
        #expect(drawn.unicodeScalars.filter { !$0.isASCII }.isEmpty)
        // What moves the cursor is no color.
        #expect(!drawn.replacingOccurrences(of: "\r\u{1B}[K", with: "").contains("\u{1B}"))
        #expect(drawn.contains("small: regression, 2-4-1, 17 parameters\r\n"))
    }

    @Test func `a run begun anew keeps its checkpoints until there is something to begin`() throws {
        let directory = try Self.job()
        #expect(try Program.run("train", "job.json5", "--quiet", directory: directory).code == 0)
        let kept = try FileManager.default.contentsOfDirectory(atPath: directory.file("run")).sorted()
        #expect(kept.contains("final.h5"))
        let failed = try Program.run(
            "train", "job.json5", "--fresh", "--set", "data.train.x=/nowhere", directory: directory)
        #expect(failed.code == 65)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.file("run")).sorted() == kept)
    }

    @Test func `a call that is over its time leaves the rest to the next, which has as long again`() throws {
        let directory = try Self.job()
        let arguments = [
            "train", "job.json5", "--quiet", "--set", "stop.epochs=1000000", "--set", "stop.wall_time=0.3", "--set",
            "data.valid=null",
        ]
        var steps = [0]
        for _ in 0..<2 {
            let run = try Program.start(arguments, directory: directory).finish()
            #expect(run.code == 75)
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.file("run"))
            steps.append(names.compactMap { Int($0.dropFirst("step-".count).dropLast(".h5".count)) }.max() ?? 0)
        }
        // A batch takes a small part of a millisecond.
        #expect(steps[1] > 10 && steps[2] > steps[1] + 10)
    }

    @Test func `a dumb terminal gets lines that are not drawn over`() throws {
        let directory = try Self.job()
        let (_, drawn) = try PseudoTerminal(columns: 90).run(
            ["train", "job.json5"], environment: ["TERM": "dumb"], directory: directory)
        #expect(!drawn.contains("\u{1B}"))
        #expect(drawn.contains("event=completed"))
    }

    @Test func `the live line is as wide as the terminal is at that moment`() throws {
        let directory = try Self.job("compute: { threads: 1 }")
        let terminal = try PseudoTerminal(columns: 100)
        var resizedAt: Int?
        let (_, drawn) = try terminal.run(
            [
                "train", "job.json5", "--set", "stop.epochs=1000000", "--set", "stop.wall_time=2s", "--set",
                "data.batch_size=1", "--set", "data.valid=null",
            ], directory: directory
        ) { drawn in
            guard resizedAt == nil, Self.liveLines(drawn).count >= 3 else { return }
            terminal.resize(columns: 40)
            resizedAt = Self.liveLines(drawn).count
        }
        let widths = Self.liveLines(drawn).map(\.count)
        let resized = try #require(resizedAt)
        #expect(widths.prefix(resized).allSatisfy { $0 > 40 && $0 < 100 })
        // One more line may have been on its way.
        #expect(widths.dropFirst(resized + 1).count > 0)
        #expect(widths.dropFirst(resized + 1).allSatisfy { $0 < 40 })
    }

    /// What was drawn as a live line: after the cursor went to the line's beginning, and without an end of line.
    private static func liveLines(_ drawn: String) -> [String] {
        drawn.components(separatedBy: "\r\u{1B}[K").flatMap { $0.components(separatedBy: "\r\n") }
            .filter { $0.hasPrefix("epoch ") && !$0.hasPrefix("epoch  ") }
    }
}
