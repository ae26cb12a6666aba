import Foundation
import RunTestSupport
import TestSupport
import Testing
import TreadleBase
import TreadleRun

/// A night that is stopped, wherever that is, never stands in the way of the next. `Scripts/faults` tries more of it.
@Suite(.enabled(if: Faults.isAvailable)) struct StoppedRetrainTests {
    @Test func `killed before any call that changes a file, the next call trains and promotes`() throws {
        let night = try StoppedNight()
        var stops = 0
        while true {
            try night.begin()
            let killed = try night.retrain(Faults.environment(.changes, .kill, at: stops + 1, reached: night.reached))
            guard night.isReached else {
                #expect(killed.code == 0, "\(killed.errors)")
                break
            }
            stops += 1
            #expect(killed.code == 128 + SIGKILL)
            let next = try night.retrain()
            #expect(next.code == 0, "after call \(stops): \(next.errors)")
            #expect(try night.promotedRows() == night.rows, "after call \(stops)")
        }
        // Several checkpoints, each of them created, written, synced and renamed, and the promotion.
        #expect(stops > 40)
    }

    @Test func `a training that was under way by other numerics starts over, and the model is of one kind`() throws {
        let night = try StoppedNight()
        try night.begin()
        let killed = try night.retrain(Faults.environment(.changes, .kill, at: 40, reached: night.reached))
        #expect(killed.code == 128 + SIGKILL)
        #expect(try night.promotedRows() == nil, "the training has begun and is not over")
        try night.pretend(numerics: Treadle.numerics + 1)
        let tried = try night.run("retrain", "night.json5", "--dry-run")
        #expect(tried.code == 0 && tried.output.contains("starting over"), "\(tried)")
        let next = try night.retrain()
        #expect(next.code == 0 && next.output.contains("starting over"), "\(next)")
        #expect(try night.promotedRows() == night.rows)
        #expect(try night.promoted().numerics == [Treadle.numerics])
    }

    @Test func `checkpoints of another training in the run's directory are replaced, not an error`() throws {
        let night = try StoppedNight()
        try night.begin()
        // Somebody used the directory for a run of other settings, after the night had begun.
        let killed = try night.retrain(Faults.environment(.changes, .kill, at: 40, reached: night.reached))
        #expect(killed.code == 128 + SIGKILL)
        #expect(try night.promotedRows() == nil, "the training has begun and is not over")
        let other = try night.run("train", "night.json5", "--fresh", "--set", "optimizer.lr=0.5")
        #expect(other.code == 0, "\(other.errors)")
        let next = try night.retrain()
        #expect(next.code == 0, "\(next.errors)")
        #expect(try night.promotedRows() == night.rows)
    }
}

/// A job whose first model is promoted, and whose data has grown since.
private struct StoppedNight {
    let rows = 260
    private let earlierRows = 200
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        for count in [earlierRows, rows] {
            let lines = (0..<count).map { row in
                let (a, b) = (Double(row * 37 % 101) / 101, Double(row * 53 % 97) / 97)
                return "\(a),\(b),\(a > b ? "yes" : "no")\n"
            }
            try directory.write("a,b,class\n" + lines.joined(), to: "\(count).csv")
            let done = try run("import", "\(count).csv", "--target", "class", "-o", "\(count).h5")
            #expect(done.code == 0, "\(done.errors)")
        }
        try directory.write(
            """
            { name: "night", task: "classification",
              data: { train: { files: ["data.h5"] }, valid: { fraction: 0.3 }, batch_size: 32 },
              model: { hidden: [ { units: 4 } ] },
              stop: { epochs: 2, early: null }, checkpoint: { dir: "runs/night" },
              retrain: { promote: { to: "models/night.h5", tolerance: 1e9, hook: "true" } } }
            """, to: "night.json5")
        try copy("\(earlierRows).h5", to: "data.h5")
        let first = try retrain()
        #expect(first.code == 0, "\(first.errors)")
        try copy("runs", to: "first-runs")
        try copy("models", to: "first-models")
    }

    var reached: String { directory.file("reached") }
    var isReached: Bool { FileManager.default.fileExists(atPath: reached) }

    /// Puts everything back as it was before the night, with the data of the night.
    func begin() throws {
        try copy("first-runs", to: "runs")
        try copy("first-models", to: "models")
        try copy("\(rows).h5", to: "data.h5")
        try? FileManager.default.removeItem(atPath: reached)
    }

    func retrain(_ environment: [String: String] = [:]) throws -> Finished {
        try Program.start(["retrain", "night.json5"], environment: environment, directory: directory).finish()
    }

    func run(_ arguments: String...) throws -> Finished { try Program.run(arguments, in: directory) }

    /// How many rows the served model was trained and judged on.
    func promotedRows() throws -> Int? {
        let state = try directory.read("runs/night/retrain.json")
        let object = try JSONSerialization.jsonObject(with: Data(state.utf8)) as? [String: Any]
        _ = try CheckpointFile.verify(directory.file("models/night.h5"))
        return object?["stage"] as? String == "judged" ? object?["rows"] as? Int : nil
    }

    func promoted() throws -> Checkpoint { try CheckpointFile.read(directory.file("models/night.h5")) }

    /// Lets the training under way be one of another release: its state, and its checkpoints.
    func pretend(numerics: Int) throws {
        let path = directory.file("runs/night/retrain.json")
        let state = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
        var members = try #require(state as? [String: Any])
        #expect(members["numerics"] as? Int == Treadle.numerics)
        members["numerics"] = numerics
        try JSONSerialization.data(withJSONObject: members).write(to: URL(fileURLWithPath: path))
        for step in directory.checkpoints(in: "runs/night") {
            var checkpoint = try CheckpointFile.read(step)
            checkpoint.numerics = [numerics]
            try CheckpointFile.write(checkpoint, to: step)
        }
    }

    private func copy(_ name: String, to target: String) throws {
        try? FileManager.default.removeItem(atPath: directory.file(target))
        try FileManager.default.copyItem(atPath: directory.file(name), toPath: directory.file(target))
    }
}
