import Foundation
import RunTestSupport
import TestSupport
import Testing
import TreadleBase
import TreadleRun

/// Runs that are killed again and again, each time continued on another number of threads, against one that is left in
/// peace. `Scripts/storm` does the same with more kills.
@Suite(.serialized) struct KillStormTests {
    /// Every optimizer once, with all that a run has to remember spread over them.
    static let scenarios: [(name: String, settings: String)] = [
        (
            "sgd",
            """
            optimizer: { type: "sgd", lr: 0.05, momentum: 0.9, nesterov: true },
            schedule: { type: "cosine", warmup_steps: 20 }, stop: { epochs: 6 },
            """
        ),
        (
            "adam",
            """
            optimizer: { type: "adam", lr: 0.01 },
            stop: { epochs: 8, early: { metric: "valid.loss", patience: 2, restore_best: true } },
            """
        ),
        (
            "adamw",
            """
            optimizer: { type: "adamw", lr: 0.01, weight_decay: 0.01, clip_norm: 0.5 },
            schedule: { type: "plateau", patience: 1, gamma: 0.5 }, stop: { epochs: 6 },
            """
        ),
        (
            "rmsprop",
            """
            optimizer: { type: "rmsprop", lr: 0.003 }, compute: { accumulate: 3 },
            schedule: { type: "exponential", gamma: 0.8 }, stop: { epochs: 6 },
            """
        ),
        (
            "adagrad",
            """
            optimizer: { type: "adagrad", lr: 0.05, l1: 0.0001 },
            schedule: { type: "step", step_epochs: 2, gamma: 0.5 }, stop: { steps: 400, epochs: 20 },
            """
        ),
    ]

    @Test(arguments: scenarios.indices)
    func `ten kills change no bit of the weights, and no file is ever bad`(index: Int) throws {
        let scenario = KillStormTests.scenarios[index]
        let directory = try TemporaryDirectory()
        try writeThreeClasses(to: directory.file("data.h5"))
        try directory.write(job(scenario, index), to: "job.json5")

        let began = ContinuousClock.now
        let calm = try Program.run(arguments(run: "calm", threads: 1), in: directory)
        #expect(calm.code == 0, "\(calm.errors)")
        let seconds = (ContinuousClock.now - began) / .seconds(1)

        let random = Philox(seed: UInt64(index), purpose: .sampling)
        var kills = 0
        var starts: UInt64 = 0
        while kills < 10 {
            let words = random.words(at: starts)
            starts += 1
            let job = try Program.start(arguments(run: "storm", threads: 1 + Int(words[0] % 4)), directory: directory)
            usleep(UInt32(Double(words[1]) / Double(UInt32.max) * seconds * 1e6))
            let wasRunning = job.isRunning
            if wasRunning { job.send(SIGKILL) }
            let ended = try job.finish()
            if ended.code == 128 + SIGKILL { kills += 1 } else { #expect(ended.code == 0, "\(ended.errors)") }
            verify("storm", in: directory)
            // It got through: the rest of the kills fall on a run from the start.
            if ended.code == 0 {
                let fresh = try Program.start(arguments(run: "storm", threads: 2) + ["--fresh"], directory: directory)
                usleep(UInt32(seconds * 3e5))
                fresh.send(SIGKILL)
                if try fresh.finish().code == 128 + SIGKILL { kills += 1 }
            }
        }
        let last = try Program.run(arguments(run: "storm", threads: 3), in: directory)
        #expect(last.code == 0, "\(last.errors)")
        verify("storm", in: directory)

        for name in ["final.h5", "best.h5"] {
            let expected = try CheckpointFile.read(directory.file("calm/" + name))
            let found = try CheckpointFile.read(directory.file("storm/" + name))
            #expect(found.parameterDigest == expected.parameterDigest, "\(name)")
            #expect(found.optimizer == expected.optimizer, "\(name)")
            #expect(found.cursor == expected.cursor, "\(name)")
            #expect(timeless(found.history) == timeless(expected.history), "\(name)")
        }
        #expect(try metrics(directory.read("storm/metrics.jsonl")) == metrics(directory.read("calm/metrics.jsonl")))
    }

    /// Every file with a checkpoint's name is good.
    private func verify(_ run: String, in directory: TemporaryDirectory) {
        for path in directory.checkpoints(in: run) {
            #expect(throws: Never.self) { try CheckpointFile.verify(path) }
        }
    }

    private func arguments(run: String, threads: Int) -> [String] {
        ["train", "job.json5", "--quiet", "--threads", "\(threads)", "--set", "checkpoint.dir=\(run)"]
    }

    private func job(_ scenario: (name: String, settings: String), _ index: Int) -> String {
        """
        { schema: 1, name: "\(scenario.name)", task: "classification", seed: \(index),
          data: { train: { files: ["data.h5"] }, valid: { fraction: 0.2 }, batch_size: 24,
                  \(index % 2 == 0 ? "" : "shuffle: \"block\", shuffle_block: 32, shuffle_window: 4") },
          model: { hidden: [ { units: 24, activation: "relu", dropout: 0.2 }, { units: 12, activation: "tanh" } ],
                   precision: "\(index == 3 ? "float64" : "float32")" },
          \(scenario.settings)
          checkpoint: { every: { steps: 5, epochs: 1 }, keep_last: 2 } }
        """
    }

    private func timeless(_ history: [EpochRecord]) -> [EpochRecord] {
        history.map { record in
            var record = record
            record.seconds = 0
            return record
        }
    }

    /// What each line says of steps, epochs and losses.
    private func metrics(_ text: String) throws -> [[String: Double]] {
        try text.split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            let measured = ["time", "seconds", "samples_per_second", "input_wait"]
            return object.filter { !measured.contains($0.key) }.compactMapValues { $0 as? Double }
        }
    }
}
