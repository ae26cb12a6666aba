import Foundation
import TestSupport
import Testing
import TreadleData
import TreadleModel
import TreadleRun

/// Checkpoints that are whole and well-formed, and do not agree with themselves: no command that reads files of others
/// may come to harm.
@Suite struct SealedLieTests {
    /// A model of three inputs and two classes, trained for three epochs, with its data beside it.
    private static func trained() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let rows = (0..<120).map { "\($0 % 7),\($0 % 5),\($0 % 3),\($0 % 7 > 3 ? "yes" : "no")" }
        try directory.write((["a,b,c,y"] + rows).joined(separator: "\n") + "\n", to: "rows.csv")
        let imported = try Program.run("import", "rows.csv", "--target", "y", "-o", "rows.h5", directory: directory)
        #expect(imported.code == 0, "\(imported.errors)")
        try directory.write(
            """
            { name: "small", task: "classification", data: { train: { files: ["rows.h5"] }, valid: { fraction: 0.25 } },
              model: { hidden: [{ units: 4 }] }, stop: { epochs: 3, early: null }, checkpoint: { dir: "run" } }
            """, to: "job.json5")
        let run = try Program.run("train", "--quiet", "job.json5", directory: directory)
        #expect(run.code == 0, "\(run.errors)")
        return directory
    }

    private static let lies: [(name: String, code: Int32, lie: @Sendable (inout Checkpoint) -> Void)] = [
        ("nothing", 0, { _ in }),
        ("fewer classes", 65, { $0.classes = ["a"] }),
        ("no class", 65, { $0.classes = [] }),
        ("more classes", 65, { $0.classes = ["a", "b", "c"] }),
        ("fewer columns", 65, { $0.columns = ["a"] }),
        ("fewer weights", 65, { $0.classWeights = [1] }),
        ("an epoch beyond all", 65, { $0.history[0].epoch = .max }),
        ("an epoch before all", 65, { $0.history[0].epoch = .min }),
        ("a step beyond all", 65, { $0.cursor.step = .max }),
        ("another task", 65, { $0.task = .regression }),
        ("a task of labels", 65, { $0.task = .multilabel }),
        ("another loss", 65, { $0.loss = .mse }),
        (
            "a loss without end", 0,
            {
                $0.history[1].metrics["loss"] = 1e308; $0.history[2].metrics["loss"] = -1e308
            }
        ),
        (
            "a progress without end", 0,
            {
                $0.progress.best = .infinity; $0.progress.seconds = .infinity
            }
        ),
        ("a time without end", 0, { $0.created = 1e300 }),
        (
            "names that act on terminals", 0,
            {
                $0.classes = ["\u{1b}[31m", "\u{9b}31m"]; $0.columns = ["\u{1b}", "b", "c"]
            }
        ),
        ("a place that acts on terminals", 0, { $0.baseDirectory = "/\u{1b}[31m" }),
    ]

    @Test func `a checkpoint that does not agree with itself harms nobody`() throws {
        let directory = try Self.trained()
        let good = try CheckpointFile.read(directory.file("run/final.h5"))
        for (name, code, lie) in Self.lies {
            var checkpoint = good
            lie(&checkpoint)
            try CheckpointFile.write(checkpoint, to: directory.file("lie.h5"))
            for command in [
                ["inspect", "lie.h5"], ["inspect", "--json", "lie.h5"], ["inspect", "--html", "-", "lie.h5"],
                ["verify", "lie.h5"], ["diff", "lie.h5", "run/final.h5"], ["plot", "lie.h5", "-o", "-"],
                ["export", "lie.h5", "--force", "-o", "lie.onnx"], ["predict", "lie.h5", "rows.h5", "-o", "-"],
                ["eval", "lie.h5", "--data", "rows.h5"], ["eval", "lie.h5"],
            ] {
                let result = try Program.start(command, directory: directory).finish()
                #expect([0, 1, 65, 66].contains(result.code), "\(name): \(command): \(result.code) \(result.errors)")
                #expect(!(result.output + result.errors).unicodeScalars.contains("\u{1b}"), "\(name): \(command)")
                // Where the file itself is at fault, whatever uses the model says so.
                if command == ["eval", "lie.h5", "--data", "rows.h5"], !name.contains("names") {
                    #expect(result.code == code, "\(name): \(result.errors)")
                }
            }
        }
    }

    @Test func `a name on the command line does not act on the terminal either`() throws {
        let directory = try TemporaryDirectory()
        let name = "\u{1b}[31m.h5"
        for command in [["inspect", name], ["verify", name], ["train", name], ["plot", name, "-o", "-"]] {
            let result = try Program.start(command, directory: directory).finish()
            #expect(result.code == 66)
            #expect(result.errors.contains("\\u{1b}[31m.h5") && !result.errors.contains("\u{1b}"))
        }
    }
}
