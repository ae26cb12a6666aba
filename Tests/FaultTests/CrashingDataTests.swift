import Foundation
import TestSupport
import Testing

/// Data on which libhdf5 crashes or runs in circles, wherever it looks: that is never the end of the program.
@Suite(.enabled(if: Faults.isAvailable)) struct CrashingDataTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try writeThreeClasses(to: directory.file("data.h5"))
        try writeThreeClasses(to: directory.file("more.h5"))
        try directory.write(
            """
            { name: "job", task: "classification",
              data: { train: { files: ["data.h5", "more.h5"] }, valid: { fraction: 0.2 } },
              model: { hidden: [ { units: 4 } ] }, stop: { epochs: 1, early: null },
              checkpoint: { dir: "run" }, retrain: { promote: { to: "models/job.h5" } } }
            """, to: "job.json5")
    }

    private func start(_ command: String, _ what: Faults.What, at number: Int) throws -> Spawned {
        let environment = Faults.environment(
            .reads, what, at: number, file: "/more.h5", caller: "libhdf5", reached: directory.file("reached"))
        // A backtrace takes seconds.
        return try Program.start(
            [command, "job.json5", "--quiet"],
            environment: environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 },
            directory: directory)
    }

    @Test(arguments: ["train", "retrain", "check"])
    func `a crash wherever libhdf5 looks at a file is an error that names it`(command: String) throws {
        var told = 0
        while true {
            let ended = try start(command, .crash, at: told + 1).finish()
            // After all that is looked at in the first opening, which is done where a crash does no harm, come those that
            // see the same again.
            guard ended.code == 65 else { break }
            told += 1
            let said: Comment = "\(told): \(ended.errors)"
            #expect(ended.errors.contains("damaged or hostile: reading it crashed libhdf5"), said)
            #expect(ended.errors.contains(command == "check" ? "the data of job.json5" : "/more.h5: damaged"), said)
        }
        #expect(told > 5)
        let calm = try Program.run([command, "job.json5", "--quiet"], in: directory)
        #expect(calm.code == 0, "\(calm.errors)")
    }

    @Test func `training again from a checkpoint opens its data in the same way`() throws {
        #expect(try Program.run("train", "job.json5", "--quiet", directory: directory).code == 0)
        for options in [[], ["--repeat", "--steps", "2"]] {
            let environment = Faults.environment(
                .reads, .crash, at: 4, file: "/more.h5", caller: "libhdf5", reached: directory.file("reached"))
            let ended = try Program.start(
                ["reproduce", "run/final.h5"] + options,
                environment: environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }, directory: directory
            ).finish()
            #expect(ended.code == 65, "\(ended.errors)")
            let words = "/more.h5: damaged or hostile: reading it crashed libhdf5"
            #expect(ended.errors.contains(words), "\(ended.errors)")
        }
    }

    @Test(arguments: ["train", "retrain"]) func `a call that does not end is ended, and the file named`(command: String)
        throws
    {
        let ended = try start(command, .hang, at: 4).finish()
        #expect(ended.code == 65, "\(ended.errors)")
        #expect(ended.errors.contains("/more.h5: damaged or hostile: a call of libhdf5 on it took more than 4 s"))
    }

    @Test(arguments: ["train", "retrain"]) func `a stop ends the wait for the data`(command: String) throws {
        let job = try start(command, .hang, at: 4)
        #expect(eventually { FileManager.default.fileExists(atPath: directory.file("reached")) || !job.isRunning })
        job.send(SIGTERM)
        let ended = try job.finish()
        #expect(ended.code == 75 && ended.errors == "error: stopped by SIGTERM\n", "\(ended)")
    }
}
