import Foundation
import RunTestSupport
import TestSupport
import Testing
import TreadleData
import TreadleRun

/// What signals do to a run, and how it continues.
@Suite struct SignalTests {
    let directory: TemporaryDirectory

    init() throws {
        // Years of training, and no checkpoint unless one is asked for.
        directory = try threeClassJob(
            name: "long", data: "valid: null, batch_size: 24",
            """
            model: { hidden: [ { units: 16 } ] }, stop: { epochs: 100000000, early: null },
            checkpoint: { dir: "run", every: { time: null, epochs: null, steps: null }, keep_best: 0 }
            """)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a stop leaves a checkpoint and 75, and the same command continues from it`(signal: Int32) throws {
        let job = try start()
        #expect(try waitForTraining(job))
        job.send(signal)
        let ended = try job.finish()
        #expect(ended.code == 75, "\(ended.errors)")
        #expect(ended.errors.contains("stopped by \(signal == SIGTERM ? "SIGTERM" : "SIGINT")"))
        let step = try #require(directory.steps().last)
        let stopped = try CheckpointFile.verify(try #require(directory.newestStep()))
        #expect(stopped.cursor.step == step)

        let next = try Program.run(
            ["train", "job.json5", "--set", "stop.epochs=\(stopped.cursor.epoch + 1)"], in: directory)
        #expect(next.code == 0, "\(next.errors)")
        #expect(next.errors.contains(CheckpointName.step(step).fileName))
        #expect(try CheckpointFile.verify(directory.file("run/final.h5")).cursor.epoch == stopped.cursor.epoch + 1)
    }

    @Test func `a limit on processor time is a stop`() throws {
        let ended = try Program.shell("ulimit -t 3; exec \"$treadle\" train job.json5", directory: directory)
        #expect(ended.code == 75 && ended.errors.contains("stopped by SIGXCPU"), "\(ended)")
        let newest = try #require(directory.newestStep())
        #expect(try CheckpointFile.verify(newest).cursor.step == directory.steps().last)
    }

    @Test func `a stop ends a hook, which the next call runs again`() throws {
        let hook = "echo begun >> hooks; test -e calm || exec sleep 1000"
        let settings = [
            "stop.epochs=1", "data.valid={ fraction: 0.2 }", "retrain={ promote: { hook: \"\(hook)\" } }",
        ].flatMap { ["--set", $0] }
        let job = try Program.start(["retrain", "job.json5"] + settings, directory: directory)
        #expect(eventually { !job.isRunning || FileManager.default.fileExists(atPath: directory.file("hooks")) })
        job.send(SIGTERM)
        let ended = try job.finish()
        #expect(ended.code == 75 && ended.errors.contains("stopped by SIGTERM"), "\(ended)")
        #expect(FileManager.default.fileExists(atPath: directory.file("models/long.h5")))
        try directory.write("", to: "calm")
        let next = try Program.run(["retrain", "job.json5"] + settings, in: directory)
        #expect(next.code == 0 && next.output.contains("unchanged"), "\(next)")
        #expect(try String(contentsOfFile: directory.file("hooks"), encoding: .utf8) == "begun\nbegun\n")
    }

    @Test(arguments: ["predict run/final.h5 data.h5 -o -", "train job.json5"])
    func `a stop ends the wait for somebody who reads what is written`(command: String) throws {
        #expect(try Program.run(["train", "job.json5", "--set", "stop.epochs=1"], in: directory).code == 0)
        // The pipe is open at its other end and full, and nobody reads it.
        let stream = command.hasPrefix("predict") ? 1 : 2
        let line =
            "mkfifo pipe; exec 3<>pipe; dd if=/dev/zero of=pipe oflag=nonblock bs=4096 count=1000 2>dd.txt; "
            + "exec \"$treadle\" \(command) \(stream)>&3"
        let job = try Spawned(
            "/bin/bash", ["-c", line],
            environment: Program.plainEnvironment.merging(["treadle": Program.path]) { $1 }, directory: directory.path,
            unblocksSignals: true)
        // It waits for the pipe, or for its child that does.
        #expect(
            eventually {
                let place = (try? String(contentsOfFile: "/proc/\(job.identifier)/wchan", encoding: .utf8)) ?? ""
                return place.contains("poll") || place.contains("sigtimedwait") || !job.isRunning
            })
        job.send(SIGTERM)
        #expect(eventually { !job.isRunning })
        let ended = try job.finish()
        #expect(ended.code == 75, "\(ended)")
    }

    @Test(arguments: [SIGHUP, SIGUSR1]) func `a checkpoint is written on request, and training goes on`(
        signal: Int32
    ) throws {
        let job = try start()
        #expect(try waitForTraining(job))
        for count in 1...2 {
            job.send(signal)
            #expect(eventually { directory.steps().count == count })
        }
        #expect(job.isRunning)
        for path in directory.checkpoints() { _ = try CheckpointFile.verify(path) }
        job.send(SIGTERM)
        #expect(try job.finish().code == 75)
        #expect(directory.steps().count == 3)
    }

    @Test func `the second SIGINT ends the run at once, and what is on disk is good`() throws {
        // At once, and again and again: what comes a while after the first ends the run, unless that was enough already.
        for isRepeated in [false, true] {
            let job = try start()
            #expect(try waitForTraining(job))
            job.send(SIGINT)
            job.send(SIGINT)
            if isRepeated {
                let hasEnded = eventually {
                    guard job.isRunning else { return true }
                    job.send(SIGINT)
                    return false
                }
                #expect(hasEnded)
            }
            #expect([75, 128 + SIGINT].contains(try job.finish().code))
            for path in directory.checkpoints() { _ = try CheckpointFile.verify(path) }
        }
    }

    @Test func `a second run on one directory is refused with the first one's process number`() throws {
        let job = try start()
        #expect(try waitForTraining(job))
        let second = try Program.run(["train", "job.json5"], in: directory)
        #expect(second.code == 75)
        #expect(second.errors.contains("in use by another run (process \(job.identifier) on "))
        job.send(SIGTERM)
        #expect(try job.finish().code == 75)
    }

    @Test func `a changed meaning is refused with the key and both values`() throws {
        let job = try start()
        #expect(try waitForTraining(job))
        job.send(SIGTERM)
        #expect(try job.finish().code == 75)
        let changed = try Program.run(
            ["train", "job.json5", "--set", "optimizer.lr=0.5", "--set", "data.batch_size=32"], in: directory)
        #expect(changed.code == 78)
        #expect(changed.errors.contains("optimizer.lr is 0.5 now, but was 0.001"))
        #expect(changed.errors.contains("data.batch_size is 32 now, but was 24"))
    }

    // MARK: Parts

    private func start() throws -> Spawned {
        try Program.start(["train", "job.json5", "--set", "log.every=0.05"], directory: directory)
    }

    /// Whether the run has begun to take steps: its first lines are about them.
    private func waitForTraining(_ job: Spawned) throws -> Bool {
        eventually { job.errorsSoFar.contains("loss=") || !job.isRunning } && job.isRunning
    }
}
