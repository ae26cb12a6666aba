import Foundation
import TestSupport
import Testing
import TreadleBase
import TreadleRun

/// The night from tables: `retrain` reads CSV files as they are, with the columns that the served model knows.
@Suite struct NightlyTableTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try write("day1.csv", rows: 0..<200)
        try directory.write(
            """
            { name: "night", task: "classification", seed: 3,
              data: { train: { files: ["day*.csv"], y: "left" }, valid: { fraction: 0.3 }, batch_size: 32,
                      non_finite: "impute_mean" },
              model: { hidden: [ { units: 6, activation: "tanh" } ] }, optimizer: { lr: 0.02 },
              stop: { epochs: 4, early: null }, retrain: { promote: { tolerance: 10 } } }
            """, to: "night.json5")
    }

    /// Rows with a gap now and then; `city` is one of three unless a row is given another one.
    private func write(
        _ name: String, rows: Range<Int>, cities: [Int: String] = [:],
        columns: [String] = ["age", "city", "rent", "left"],
        labels: [String] = ["no", "yes"], offset: Double = 0
    ) throws {
        let random = Philox(seed: 5, purpose: .generation)
        var text = columns.joined(separator: ",") + "\n"
        for row in rows {
            let drawn = random.words(at: UInt64(row))
            let words = (0..<4).map { Double(drawn[$0]) / 0x1p32 }
            let values = [
                "age": row % 17 == 3 ? "" : "\(20 + 50 * words[0] + offset)", "rent": "\(words[1] * 1000)",
                "city": cities[row] ?? ["Bonn", "Kiel", "Ulm"][Int(words[2] * 3)], "pets": "\(row % 3)",
                "left": labels[labels.count == 3 && row % 5 == 0 ? 2 : words[0] + words[3] / 2 > 0.8 ? 1 : 0],
            ]
            text += columns.map { values[$0] ?? "" }.joined(separator: ",") + "\n"
        }
        try directory.write(text, to: name)
    }

    private func retrain(_ options: String...) throws -> Finished {
        try Program.start(["retrain", "night.json5"] + options, directory: directory).finish()
    }

    private var kept: Set<String> {
        Set((try? FileManager.default.contentsOfDirectory(atPath: directory.file(".treadle-cache"))) ?? [])
    }

    @Test func `a night without news is silent, and one with a new file imports that file alone`() throws {
        let first = try retrain()
        #expect(first.code == 0 && first.output.contains("the first model"), "\(first.output)\(first.errors)")
        #expect(try Program.run("reproduce", "runs/night/final.h5", directory: directory).code == 0)
        let before = kept
        let quiet = try retrain("--quiet")
        #expect(quiet.code == 0 && quiet.output == "" && quiet.errors == "", "\(quiet.errors)")
        #expect(kept == before)

        // Values that the model does not know do not stop the night, and are counted.
        try write("day2.csv", rows: 200..<300, cities: [210: "Gent", 220: "Gent", 230: ""])
        let second = try retrain()
        #expect(second.code == 0, "\(second.errors)")
        #expect(second.output.contains("(100 rows were appended to the 200 of before)"), "\(second.output)")
        #expect(second.output.contains("; values that nothing was learnt about, taken as other: 2 of \"city\""))
        #expect(kept.isSuperset(of: before) && kept.filter { $0.hasSuffix(".h5") }.count == 2, "\(kept)")
        #expect(try retrain("--quiet", "--strict").code == 10)

        // Rows that are appended to a file, and another silent night that promotes: the second file is imported again.
        let files = kept
        try write("day2.csv", rows: 200..<350, cities: [210: "Gent", 220: "Gent", 230: ""])
        let third = try retrain("--quiet")
        #expect(third.code == 0 && third.output == "" && third.errors == "", "\(third.errors)")
        #expect(kept.intersection(files).filter { $0.hasSuffix(".h5") }.count == 1, "\(kept), \(files)")
        #expect(try retrain("--json").output.contains("\"unchanged\""))
        // The tables can still be read as that night read them; but it started warm, from weights that are not random.
        let again = try Program.run("reproduce", "runs/night/final.h5", directory: directory)
        #expect(again.code == 1 && again.output.hasPrefix("differs"), "\(again.errors)")
    }

    @Test(arguments: [
        (["age", "city", "left"], "lacks the column \"rent\"; all others are there"),
        (["age", "city", "rent", "pets", "left"], "has the column \"pets\", which the model does not know"),
    ])
    func `new and missing columns are refused every night, until the advice is followed`(
        _ columns: [String], _ words: String
    ) throws {
        #expect(try retrain().code == 0)
        try write("day1.csv", rows: 0..<250, columns: columns)
        for _ in 0..<2 {
            let refused = try retrain("--quiet")
            #expect(refused.code == 65 && refused.output == "")
            #expect(refused.errors.contains(words) && refused.errors.contains("--promote-anyway"), "\(refused.errors)")
        }
        let anyway = try retrain("--promote-anyway")
        #expect(anyway.code == 0, "\(anyway.errors)")
        #expect(anyway.output.contains("promoted without comparison, as asked"), "\(anyway.output)")
        #expect(try CheckpointFile.read(directory.file("models/night.h5")).schema?.columns.count == columns.count - 1)
        let quiet = try retrain("--quiet", "--strict")
        #expect(quiet.code == 10 && quiet.errors == "", "\(quiet.errors)")
    }

    @Test func `where one file alone has other columns, the advice is to make all alike`() throws {
        #expect(try retrain().code == 0)
        try write("day2.csv", rows: 200..<300, columns: ["age", "city", "rent", "pets", "left"])
        let refused = try retrain()
        #expect(refused.code == 65)
        let advice = "give this one the same, or change all alike and run retrain once with --promote-anyway"
        #expect(refused.errors.contains("\"pets\", which the model does not know; the other files of the table have"))
        #expect(refused.errors.contains(advice), "\(refused.errors)")
        // Both ways that it names.
        try write("day1.csv", rows: 0..<200, columns: ["age", "city", "rent", "pets", "left"])
        #expect(try retrain("--promote-anyway").code == 0)
        try write("day1.csv", rows: 0..<200)
        #expect(try retrain().errors.contains("lacks the column \"pets\""))
        try write("day1.csv", rows: 0..<200, columns: ["pets", "age", "city", "rent", "left"])
        #expect(try retrain().code == 0)
    }

    @Test func `another number of classes is refused, and the advice works with either start`() throws {
        #expect(try retrain().code == 0)
        try write("day1.csv", rows: 0..<250, labels: ["no", "yes", "maybe"])
        let refused = try retrain()
        #expect(refused.code == 65)
        #expect(
            refused.errors.contains(
                "is \"maybe\", which is none of the classes; run retrain once with --promote-anyway"))
        let anyway = try retrain("--promote-anyway", "--set", "retrain.start=cold")
        #expect(anyway.code == 0, "\(anyway.errors)")
        try write("day1.csv", rows: 0..<260)
        let back = try retrain("--promote-anyway")
        #expect(back.code == 0, "\(back.errors)")
        #expect(try CheckpointFile.read(directory.file("models/night.h5")).classes == ["no", "yes"])
    }

    @Test func `drift is told by name and size where nothing else is said`() throws {
        #expect(try retrain().code == 0)
        try write("day1.csv", rows: 0..<220, offset: 60)
        let told = try retrain("--quiet")
        #expect(told.code == 0 && told.output == "")
        #expect(told.errors.contains("warning: night: the data drifted, age by 4"), "\(told.errors)")
        try write("day1.csv", rows: 0..<220)
        let off = try retrain("--quiet", "--set", "retrain.promote.warn_drift=null")
        #expect(off.code == 0 && off.errors == "", "\(off.errors)")
    }

    @Test func `members with folds are compared out of their folds`() throws {
        let folds = ["--set", "data.valid={ folds: 3 }", "--set", "model.members=3"]
        func night(_ options: String...) throws -> Finished {
            try Program.start(["retrain", "night.json5"] + folds + options, directory: directory).finish()
        }
        #expect(try night().code == 0)
        try write("day2.csv", rows: 200..<300)
        let next = try night()
        #expect(next.code == 0 && next.output.contains("valid.loss "), "\(next.output)\(next.errors)")
        let other = try night("--set", "seed=4")
        #expect(other.code == 78 && other.errors.contains("has learnt from rows that the new model is to be judged by"))
        #expect(try night("--set", "seed=4", "--promote-anyway").code == 0)
    }
}
