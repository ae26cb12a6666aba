import Foundation
import TestSupport
import Testing
import TreadleBase
import TreadleData
@testable import TreadleModel
@testable import TreadleRun

/// What a trained model is said to be worth: eval with all its questions, runs, and a stretch computed twice.
@Suite struct JudgementCommandTests {
    let directory: TemporaryDirectory

    /// A table of three columns, the colour as 0 and 1 each; `churn` follows age and colour with noise.
    init() throws {
        directory = try TemporaryDirectory()
        let random = Philox(seed: 9, purpose: .generation)
        func number(_ row: Int, _ lane: Int) -> Double { Double(random.words(at: UInt64(row))[lane]) / 0x1p32 }
        for (name, rows) in [("train", 0..<300), ("test", 300..<500)] {
            var lines = ["age,rent,colour=red,colour=blue,churn"]
            for row in rows {
                let (age, rent, isRed) = (number(row, 0) * 4 - 2, number(row, 1), number(row, 2) < 0.5)
                let chance = ElementaryFunction.sigmoid(3 * age + (isRed ? 1.5 : -1.5))
                lines.append(
                    "\(age),\(rent),\(isRed ? 1 : 0),\(isRed ? 0 : 1),\(number(row, 3) < chance ? "yes" : "no")")
            }
            try directory.write(lines.joined(separator: "\n") + "\n", to: "\(name).csv")
            let imported = try Program.run(
                "import", "\(name).csv", "-o", "\(name).h5", "--target", "churn", directory: directory)
            #expect(imported.code == 0, "\(imported.errors)")
        }
        try directory.write(
            """
            { name: "churn", task: "classification",
              data: { train: "train.h5", valid: { fraction: 0.3 }, test: "test.h5", batch_size: 32 },
              model: { hidden: [] }, optimizer: { lr: 0.05 }, stop: { epochs: 6, early: null },
              calibrate: true, checkpoint: { dir: "runs/a" } }
            """, to: "job.json5")
        try train()
    }

    private func train(_ settings: String...) throws {
        let options = settings.flatMap { ["--set", $0] }
        let result = try Program.start(["train", "job.json5", "--quiet"] + options, directory: directory).finish()
        #expect(result.code == 0, "\(result.errors)")
    }

    private func json(_ arguments: String...) throws -> JSONValue {
        try Program.json(arguments, directory: directory)
    }

    @Test func `eval says what a model is worth, and how sure that is`() throws {
        let said = try json("eval", "runs/a/final.h5", "--confidence", "0.9", "--cost", "1:4")
        #expect(number(said["accuracy"]) > number(said["baseline"]?["accuracy"]) + 0.1)
        #expect(number(said["brier"]) < number(said["baseline"]?["brier"]))
        guard case .array(let ends) = said["intervals"]?["accuracy"] else { return #expect(Bool(false), "\(said)") }
        #expect(number(ends[0]) < number(said["accuracy"]) && number(said["accuracy"]) < number(ends[1]))
        #expect(number(said["cheapest"]?["cost"]) <= number(said["cheapest"]?["cost_at_half"]))
        #expect(said == (try json("eval", "runs/a/final.h5", "--confidence", "0.9", "--cost", "1:4", "--threads", "1")))
        let text = try Program.run("eval", "runs/a/final.h5", "--confidence", "0.9", directory: directory).output
        for words in ["always no", "with 90 % confidence", "calibration error", "precision", "On other rows"] {
            #expect(text.contains(words), "\(words): \(text)")
        }
        // To miss a yes is to take it for a no by mistake: the same costs the other way round.
        let other = try json("eval", "runs/a/final.h5", "--cost", "4:1", "--alarm", "no")
        #expect(said["cheapest"]?["class"] == "yes" && other["cheapest"]?["class"] == "no")
        #expect(abs(number(other["cheapest"]?["cost"]) - number(said["cheapest"]?["cost"])) < 1e-12)
        for wrong in [
            ["--alarm", "yes"], ["--cost", "1:4", "--alarm", "perhaps"], ["--confidence", "95"], ["--cost", "7"],
            ["--cost", "0:0"], ["--cost", "-1:2"],
        ] {
            let result = try Program.start(["eval", "runs/a/final.h5"] + wrong, directory: directory).finish()
            #expect(result.code == 64, "\(wrong)")
        }
    }

    @Test func `the metrics of the file are those that eval measures`() throws {
        let said = try json("eval", "runs/a/final.h5")
        let inspected = try json("inspect", "runs/a/final.h5")
        for name in ["loss", "accuracy"] {
            let kept = number(inspected["weights"]?["test.\(name)"])
            #expect(abs(kept - number(said[name])) < 1e-6 * abs(kept), "\(name)")
        }
        #expect(number(inspected["temperature"]) > 0)
        let model = try CheckpointFile.read(directory.file("runs/a/final.h5"))
        #expect(model.temperature != nil && model.model.calibrated != model.parameters)
    }

    @Test func `a better model is told from an equal one, and luck is named`() throws {
        try train("checkpoint.dir=runs/b", "stop.epochs=1", "optimizer.lr=1e-6")
        let better = try Program.run("eval", "runs/a/final.h5", "--against", "runs/b/final.h5", directory: directory)
        #expect(better.output.contains("By loss, runs/a/final.h5 is better by"), "\(better.output)")
        #expect(better.output.contains("than runs/b/final.h5: more than luck."), "\(better.output)")
        let same = try Program.run("eval", "runs/a/final.h5", "--against", "runs/a/final.h5", directory: directory)
        #expect(same.output.contains("By loss the two are the same on these rows."), "\(same.output)")
        #expect(better.errors == "" && same.errors == "", "\(better.errors)\(same.errors)")
        let table = try Program.run("runs", "runs", "--sort", "valid.loss", directory: directory)
        let lines = table.output.split(separator: "\n")
        #expect(lines.count == 3 && lines[1].hasPrefix("runs/a") && lines[2].hasPrefix("runs/b"), "\(table.output)")
        #expect(lines[0].contains("optimizer.lr") && lines[0].contains("stop.epochs") && !lines[0].contains("seed"))
        let all = try json("runs", "runs")
        guard case .array(let runs) = all else { return #expect(Bool(false), "\(all)") }
        let digest = try Program.run("inspect", "--digest", "runs/a/final.h5", directory: directory).output
        #expect(runs[0]["digest"] == .string(String(digest.dropLast())))
        #expect(try Program.run("runs", "runs", "--sort", "colour", directory: directory).code == 64)
        #expect(try Program.run("runs", "nowhere", directory: directory).code == 66)
    }

    @Test func `a model that may have learnt from the other's validation rows is named`() throws {
        for (run, seed) in [("c", 0), ("d", 1)] {
            try train("data.test=null", "checkpoint.dir=runs/\(run)", "seed=\(seed)")
        }
        let told = try Program.run("eval", "runs/c/final.h5", "--against", "runs/d/final.h5", directory: directory)
        #expect(told.code == 0 && told.errors.contains("warning: runs/d/final.h5: its training put other rows aside"))
        let named = try Program.run(
            "eval", "runs/c/final.h5", "--against", "runs/d/final.h5", "--data", "test.h5", directory: directory)
        #expect(named.code == 0 && named.errors == "", "\(named.errors)")
    }

    @Test func `columns matter by what the loss loses without them, and coefficients have names`() throws {
        let said = try json("eval", "runs/a/final.h5", "--importance")
        guard case .array(let findings) = said["importance"], case .array(let columns) = said["coefficients"] else {
            return #expect(Bool(false), "\(said)")
        }
        #expect(findings.map { $0["column"]?.string } == ["age", "colour", "rent"])
        #expect(findings[1]["inputs"] == .array([.integer(2), .integer(3)]))
        #expect(number(findings[0]["rise"]) > 10 * abs(number(findings[2]["rise"])))
        #expect(columns.first?["column"]?.string == "age" && number(columns.first?["per_unit"]) > 0)
        #expect(said == (try json("eval", "runs/a/final.h5", "--importance", "--threads", "1")))
    }

    @Test func `a stretch of steps gives the same bits twice, and a planted bit is named`() throws {
        let result = try Program.run(
            "reproduce", "runs/a/final.h5", "--repeat", "--steps", "15", directory: directory)
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.hasPrefix("same  runs/a/final.h5: 15 steps gave the same bits with "), "\(result.output)")
        let file = try CheckpointFile(directory.file("runs/a/final.h5"))
        let first = file.head.cursor.step
        let found = try Repetition.run(file, steps: 9, threads: 2, stop: Stop(), observer: SilentObserver()) {
            time, step, parameters in
            guard time == 1, step == first + 4, case .float32(var numbers) = parameters[0].weight.storage else {
                return
            }
            numbers[3] = Float(bitPattern: numbers[3].bitPattern ^ 1)
            parameters[0].weight.storage = .float32(numbers)
        }
        #expect(found.steps == 9 && found.ways.count == 2)
        #expect(found.difference?.step == first + 4 && found.difference?.layer == "dense")
        #expect(try Program.run("reproduce", "runs/a/final.h5", "--steps", "5", directory: directory).code == 64)
    }
}

extension Program {
    /// What a command that must succeed says with `--json`.
    static func json(_ arguments: [String], directory: TemporaryDirectory) throws -> JSONValue {
        let result = try start(arguments + ["--json"], directory: directory).finish()
        #expect(result.code == 0, "\(result.errors)")
        return try #require(JSONValue(parsing: result.output))
    }
}

/// A number, whole or not; NaN, to which no comparison is true, where there is none.
func number(_ value: JSONValue?) -> Double {
    switch value {
    case .number(let number): number
    case .integer(let number): Double(number)
    default: .nan
    }
}
