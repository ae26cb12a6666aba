import Foundation
import RunTestSupport
import TestSupport
import Testing
import TreadleRun

/// Several ranks on this machine against one process, which is the ordinary program, built without MPI.
@Suite(.serialized, .enabled(if: MPIJob.isPossible, "mpirun and a program built with the trait MPI are needed"))
struct RanksTests {
    /// Every optimizer, with clipping, accumulation, dropout, short last batches and both precisions among them.
    static let jobs: [(name: String, kind: String, settings: String)] = [
        (
            "sgd", "churn",
            """
            optimizer: { type: "sgd", lr: 0.05, momentum: 0.9, nesterov: true },
            schedule: { type: "cosine", warmup_steps: 5 }, compute: { shards: 8 },
            """
        ),
        ("adam", "regression", #"optimizer: { type: "adam", lr: 0.01 }, compute: { accumulate: 2, shards: 8 },"#),
        (
            "adamw", "churn",
            #"optimizer: { type: "adamw", lr: 0.01, weight_decay: 0.01, clip_norm: 0.5 }, compute: { shards: 16 },"#
        ),
        (
            "rmsprop", "regression",
            #"optimizer: { type: "rmsprop", lr: 0.003, clip_norm: 1.0 }, compute: { accumulate: 3, shards: 8 },"#
        ),
        ("adagrad", "churn", #"optimizer: { type: "adagrad", lr: 0.05, l1: 0.0001 }, compute: { shards: 8 },"#),
        (
            "recipe", "churn",
            #"optimizer: { type: "adam", lr: 0.01, scale_rate: 6, clip_norm: 0.5 }, compute: { shards: 8, accumulate: 2 },"#
        ),
    ]

    @Test(arguments: jobs.indices)
    func `any number of ranks gives one process's weights, bit for bit`(index: Int) throws {
        let directory = try TemporaryDirectory()
        try prepare(index, epochs: 2, in: directory)
        let alone = try Program.start(arguments("alone"), directory: directory).finish()
        #expect(alone.code == 0, "\(alone.errors)")
        let expected = try CheckpointFile.read(directory.file("alone/final.h5"))
        for (ranks, threads) in [(1, 2), (2, 2), (4, 1), (8, 1)] where ranks < 8 || index == 2 {
            let run = "ranks\(ranks)"
            let job = try MPIJob.start(ranks: ranks, arguments(run, threads: threads), directory: directory).finish()
            #expect(job.code == 0, "\(job.errors)")
            let found = try CheckpointFile.read(directory.file(run + "/final.h5"))
            #expect(found.parameterDigest == expected.parameterDigest, "\(ranks) ranks")
            #expect(found.optimizer == expected.optimizer, "\(ranks) ranks")
            #expect(found.history.map(\.metrics) == expected.history.map(\.metrics), "\(ranks) ranks")
        }
    }

    @Test func `members are dealt out to any number of ranks, with folds and interruptions`() throws {
        let directory = try TemporaryDirectory()
        try prepare(5, epochs: 3, in: directory)
        let more = [
            "model.members=6", "data.valid={ folds: 3 }", "stop.early={ patience: 9 }", "stop.epochs=3",
            "model.vary={ lr: [0.001, 0.02], units: [16, 48] }", "retrain=null",
        ].flatMap { ["--set", $0] }
        let alone = try Program.start(arguments("alone", threads: 2) + more, directory: directory).finish()
        #expect(alone.code == 0, "\(alone.errors)")
        for (ranks, threads) in [(2, 1), (3, 2), (4, 1)] {
            let run = "ranks\(ranks)"
            let job = try MPIJob.start(ranks: ranks, arguments(run, threads: threads) + more, directory: directory)
            let ended = try job.finish()
            #expect(ended.code == 0, "\(ended.errors)")
            try expectSame(run, "alone", in: directory)
            let found = try CheckpointFile.read(directory.file(run + "/final.h5"))
            #expect(found.progress.members.count == 6)
        }
        // In the middle of an epoch, with another number of ranks each time.
        for (steps, ranks) in [(2, 3), (3, 1), (5, 2)] {
            let line = arguments("moved") + more + ["--set", "stop.steps=\(steps)"]
            let part = try MPIJob.start(ranks: ranks, line, directory: directory).finish()
            #expect(part.code == 0, "\(part.errors)")
        }
        let last = try MPIJob.start(ranks: 4, arguments("moved") + more, directory: directory).finish()
        #expect(last.code == 0, "\(last.errors)")
        // The history also has the parts of epochs at which stop.steps ended a job.
        let moved = try CheckpointFile.read(directory.file("moved/final.h5"))
        let expected = try CheckpointFile.read(directory.file("alone/final.h5"))
        #expect(moved.parameterDigest == expected.parameterDigest && moved.optimizer == expected.optimizer)
        #expect(moved.progress.members == expected.progress.members)
        let many = try MPIJob.start(ranks: 8, arguments("many") + more, directory: directory).finish()
        #expect(many.code == 78)
        #expect(many.errors.contains("start 6 ranks at most"), "\(many.errors)")
    }

    @Test(arguments: [(6, [2, 3, 6]), (12, [4]), (21, [3])])
    func `any multiple of the ranks can be the number of shards`(shards: Int, ranks: [Int]) throws {
        let directory = try TemporaryDirectory()
        try prepare(shards == 12 ? 3 : 0, epochs: 2, in: directory)
        let more = ["--set", "compute.shards=\(shards)"]
        let alone = try Program.start(arguments("alone") + more, directory: directory).finish()
        #expect(alone.code == 0, "\(alone.errors)")
        for count in ranks {
            let job = try MPIJob.start(ranks: count, arguments("r\(count)") + more, directory: directory).finish()
            #expect(job.code == 0, "\(job.errors)")
            try expectSame("r\(count)", "alone", in: directory)
        }
    }

    /// Several blocks of statistics and batches of evaluation, whose borders the ranks' parts do not all meet.
    static let measured: [(task: String, settings: String, metrics: String)] = [
        (
            "classification", #"normalize: "standard", non_finite: "drop_row", access: "library","#,
            #""accuracy", "macro_f1", "log_loss", "auc", "confusion""#
        ),
        (
            "regression",
            #"normalize: "minmax", normalize_target: "standard", non_finite: "impute_mean","#, #""rmse", "mae", "r2""#
        ),
    ]

    @Test(arguments: measured.indices)
    func `ranks share statistics and evaluation, each reads its part, and no bit is another`(index: Int) throws {
        let directory = try TemporaryDirectory()
        let (task, settings, metrics) = RanksTests.measured[index]
        for (name, rows) in [("data", 9000), ("valid", 3500), ("test", 1100)] {
            try writeHoles(to: name, rows: rows, task: task, in: directory)
        }
        try directory.write(
            """
            { schema: 1, name: "measured", task: "\(task)", seed: 3,
              data: { train: { files: ["data.h5"] }, valid: { files: ["valid.h5"] }, test: { files: ["test.h5"] },
                      \(settings) batch_size: 512 },
              model: { hidden: [ { units: 20, activation: "relu" } ] }, metrics: [\(metrics)],
              stop: { epochs: 1, early: null } }
            """, to: "job.json5")
        let alone = try Program.start(arguments("alone"), directory: directory).finish()
        #expect(alone.code == 0, "\(alone.errors)")
        let expected = try CheckpointFile.read(directory.file("alone/final.h5"))
        // One row in 700 has a hole, and is dropped by the first of the two.
        let validRows = index == 0 ? 3495 : 3500
        for (ranks, measuredRows, evaluatedRows) in [
            (2, "4096 + 4904", "\(validRows) rows, by rank: 2048 + \(validRows - 2048)"),
            (4, "0 + 4096 + 4096 + 808", "\(validRows) rows, by rank: 1024 + 1024 + 1024 + \(validRows - 3072)"),
        ] {
            let run = "ranks\(ranks)"
            let line = ["train", "job.json5", "--threads", "1", "--set", "checkpoint.dir=\(run)"]
            let job = try MPIJob.start(
                ranks: ranks, line + ["--set", "log.level=debug"], directory: directory
            ).finish()
            #expect(job.code == 0, "\(job.errors)")
            #expect(job.errors.contains("measured 9000 rows, by rank: \(measuredRows)"), "\(job.errors)")
            #expect(job.errors.contains("evaluated \(evaluatedRows)"), "\(job.errors)")
            let found = try CheckpointFile.read(directory.file(run + "/final.h5"))
            #expect(found.normalization == expected.normalization)
            #expect(found.history.map(\.metrics) == expected.history.map(\.metrics))
            try expectSame(run, "alone", in: directory)
        }
    }

    @Test func `a run goes on with another number of ranks, or none, to the same bits`() throws {
        let directory = try TemporaryDirectory()
        try prepare(3, epochs: 6, in: directory)
        let calm = try Program.start(arguments("calm"), directory: directory).finish()
        #expect(calm.code == 0, "\(calm.errors)")
        for (epochs, ranks) in [(1, 4), (2, 1), (4, 2), (6, 8)] {
            let line = arguments("moved") + ["--set", "stop.epochs=\(epochs)"]
            let part = try MPIJob.start(ranks: ranks, line, directory: directory).finish()
            #expect(part.code == 0, "\(part.errors)")
        }
        try expectSame("moved", "calm", in: directory)
    }

    @Test func `killed ranks are named, and the job goes on to the same bits with another number of them`() throws {
        let directory = try TemporaryDirectory()
        try prepare(2, epochs: 60, in: directory)
        let calm = try Program.start(arguments("calm"), directory: directory).finish()
        #expect(calm.code == 0, "\(calm.errors)")
        for (kill, ranks) in [4, 2, 4].enumerated() {
            let job = try MPIJob.start(ranks: ranks, arguments("storm"), directory: directory)
            let victim = (kill + 1) % ranks
            let process = try waitForProcess(victim, of: job, past: 40 * (kill + 1), of: "storm", in: directory)
            Glibc.kill(process, SIGKILL)
            let ended = try job.finish()
            #expect(ended.code == 75)
            #expect(ended.errors.contains("rank \(victim) on "), "\(ended.errors)")
            for path in directory.checkpoints(in: "storm") {
                #expect(throws: Never.self) { try CheckpointFile.verify(path) }
            }
        }
        let last = try MPIJob.start(ranks: 2, arguments("storm"), directory: directory).finish()
        #expect(last.code == 0, "\(last.errors)")
        try expectSame("storm", "calm", in: directory)
    }

    @Test func `a rank that hangs is named after compute.rank_timeout`() throws {
        let directory = try TemporaryDirectory()
        try prepare(0, epochs: 10_000, in: directory)
        let line = arguments("hung") + ["--set", "compute.rank_timeout=2s"]
        let job = try MPIJob.start(ranks: 4, line, directory: directory)
        let process = try waitForProcess(2, of: job, past: 6, of: "hung", in: directory)
        Glibc.kill(process, SIGSTOP)
        let ended = try job.finish()
        #expect(ended.code == 75)
        #expect(ended.errors.contains("silent for 2 s (compute.rank_timeout)"), "\(ended.errors)")
        #expect(ended.errors.contains("error: rank 2 on "), "\(ended.errors)")
    }

    @Test func `what mpirun passes on stops all ranks with a checkpoint, and the job ends with 75`() throws {
        let directory = try TemporaryDirectory()
        try prepare(4, epochs: 10_000, in: directory)
        let job = try MPIJob.start(ranks: 2, arguments("stopped"), directory: directory)
        _ = try waitForProcess(1, of: job, past: 6, of: "stopped", in: directory)
        Glibc.kill(job.identifier, MPIJob.passedOn)
        let ended = try job.finish()
        #expect(ended.code == 75, "\(ended.errors)")
        #expect(!directory.steps(in: "stopped").isEmpty)
    }

    @Test func `a signal to any rank stops all of them with a checkpoint`() throws {
        let directory = try TemporaryDirectory()
        try prepare(4, epochs: 10_000, in: directory)
        let job = try MPIJob.start(ranks: 2, arguments("stopped"), directory: directory)
        Glibc.kill(try waitForProcess(1, of: job, past: 6, of: "stopped", in: directory), SIGTERM)
        let ended = try job.finish()
        #expect(ended.code == 75, "\(ended.errors)")
        #expect(!directory.steps(in: "stopped").isEmpty)
    }

    @Test func `ranks that cannot share the shards are refused once, before training`() throws {
        let directory = try TemporaryDirectory()
        try prepare(0, epochs: 1, in: directory)
        let job = try MPIJob.start(ranks: 3, arguments("three"), directory: directory).finish()
        #expect(job.code == 78)
        let errors = job.errorLines.filter { $0.hasPrefix("error:") }
        #expect(errors.count == 1)
        #expect(errors.first?.contains("compute.shards is 8, which 3 ranks cannot share") == true)
    }

    @Test func `a rank with other data is named`() throws {
        let directory = try TemporaryDirectory()
        try prepare(0, epochs: 1, in: directory)
        _ = try Program.run(
            "generate", "churn", "--rows", "400", "--skip", "9", "-o", directory.file("other.h5"))
        let line = "[ \(MPIJob.rankInShell) = 1 ] && set -- \"$@\" --set 'data.train.files=[\"other.h5\"]'; exec "
        let program = try #require(MPIJob.program)
        try directory.write(line + "'\(program)' \"$@\"\n", to: "rank.sh")
        let job = try MPIJob.start(
            ranks: 2, [directory.file("rank.sh")] + arguments("mixed"), program: "/bin/bash", directory: directory
        ).finish()
        #expect(job.code == 75)
        #expect(job.errors.contains("error: rank 1 on "), "\(job.errors)")
        #expect(job.errors.contains("has other data than rank 0 on "), "\(job.errors)")
    }

    // MARK: jobs

    private func prepare(_ index: Int, epochs: Int, in directory: TemporaryDirectory) throws {
        let job = RanksTests.jobs[index]
        let made = try Program.run("generate", job.kind, "--rows", "403", "-o", directory.file("data.h5"))
        #expect(made.code == 0, "\(made.errors)")
        try directory.write(
            """
            { schema: 1, name: "\(job.name)", task: "\(job.kind == "churn" ? "classification" : "regression")", seed: 3,
              data: { train: { files: ["data.h5"] }, valid: { fraction: 0.2 }, batch_size: 128,
                      \(index == 4 ? "shuffle: \"block\", shuffle_block: 32, shuffle_window: 4," : "")
                      access: "\(index == 1 ? "library" : "auto")" },
              model: { hidden: [ { units: 40, activation: "relu", dropout: 0.2 }, { units: 70, activation: "tanh" } ],
                       \(index == 5 ? "scale_inputs: true, parameterization: \"ntk\", embedding: { frequencies: 3 }," : "")
                       precision: "\(index == 3 ? "float64" : "float32")" },
              \(job.settings)
              stop: { epochs: \(epochs), early: null },
              checkpoint: { every: { steps: 3, epochs: 1 }, keep_last: 2 } }
            """, to: "job.json5")
    }

    /// A dataset in which one row of 700 has a value that is no number.
    private func writeHoles(to name: String, rows: Int, task: String, in directory: TemporaryDirectory) throws {
        var lines = ["a,b,c,d,y"]
        var random = SplitMix(seed: UInt64(rows))
        for row in 0..<rows {
            let x = (0..<4).map { _ in Double(random.next() >> 40) / 16_777_216 }
            var cells = x.map { "\($0)" }
            if row % 700 == 350 { cells[2] = "nan" }
            cells.append(task == "regression" ? "\(x[0] + x[1] * x[2])" : x[0] + x[1] * x[2] > 0.7 ? "yes" : "no")
            lines.append(cells.joined(separator: ","))
        }
        try directory.write(lines.joined(separator: "\n") + "\n", to: name + ".csv")
        let made = try Program.run(
            "import", directory.file(name + ".csv"), "--target", "y", "-o", directory.file(name + ".h5"))
        #expect(made.code == 0, "\(made.errors)")
    }

    private func arguments(_ run: String, threads: Int = 1) -> [String] {
        ["train", "job.json5", "--quiet", "--threads", "\(threads)", "--set", "checkpoint.dir=\(run)"]
    }

    /// Waits until the job has a checkpoint of a step beyond `step`: a rank of it is then in the middle of training.
    private func waitForProcess(
        _ rank: Int, of job: Spawned, past step: Int, of run: String, in directory: TemporaryDirectory
    ) throws -> Int32 {
        var found: Int32?
        _ = eventually {
            if let last = directory.steps(in: run).last, last > step {
                found = MPIJob.process(rank: rank, in: directory)
            }
            return found != nil || !job.isRunning
        }
        guard let found, job.isRunning else { throw EndedEarly(errors: job.errorsSoFar) }
        return found
    }

    private struct EndedEarly: Error {
        let errors: String
    }

    private func expectSame(_ run: String, _ other: String, in directory: TemporaryDirectory) throws {
        let found = try CheckpointFile.read(directory.file(run + "/final.h5"))
        let expected = try CheckpointFile.read(directory.file(other + "/final.h5"))
        #expect(found.parameterDigest == expected.parameterDigest)
        #expect(found.optimizer == expected.optimizer)
        #expect(found.cursor == expected.cursor)
        #expect(found.history.map(\.metrics) == expected.history.map(\.metrics))
    }
}
