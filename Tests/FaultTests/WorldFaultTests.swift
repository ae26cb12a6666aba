import Foundation
import Glibc
import TestSupport
import Testing
import TreadleRun

/// Pipes in the place of files, limits, disks that cannot be read: each is a sentence and the code that scripts expect.
@Suite struct WorldFaultTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try writeThreeClasses(to: directory.file("data.h5"))
        #expect(mkfifo(directory.file("pipe.h5"), 0o600) == 0)
        try writeJob("job.json5", data: "data.h5")
        try writeJob("piped.json5", data: "pipe.h5")
    }

    private func writeJob(_ name: String, data: String) throws {
        try directory.write(
            """
            { name: "job", task: "classification", data: { train: { files: ["\(data)"] }, valid: null },
              model: { hidden: [] }, stop: { epochs: 1, early: null }, checkpoint: { dir: "run" } }
            """, to: name)
    }

    @Test(arguments: [
        ["check", "piped.json5"], ["train", "piped.json5"], ["predict", "run/final.h5", "pipe.h5", "-o", "-"],
        ["eval", "run/final.h5", "--data", "pipe.h5"], ["init", "pipe.h5", "-o", "-"], ["inspect", "pipe.h5"],
        ["verify", "pipe.h5"],
    ]) func `a pipe in the place of a file is refused at once`(command: [String]) throws {
        #expect(try Program.run("train", "job.json5", directory: directory).code == 0)
        let ended = try Program.start(command, directory: directory).finish()
        #expect([1, 65].contains(ended.code))
        let said = ended.errors + ended.output
        #expect(
            said.contains("pipe.h5") && (said.contains("not a regular file") || said.contains("is not an HDF5 file")),
            "\(said)")
    }

    @Test(arguments: [
        ["plot", "log.jsonl", "-o", "-"], ["plot", "piped", "-o", "-"], ["import", "pipe.h5", "-o", "out.h5"],
        ["predict", "run/final.h5", "log.jsonl", "-o", "-"], ["inspect", "--html", "-", "piped/final.h5"],
        ["diff", "run/final.h5", "pipe.h5"], ["export", "pipe.h5", "-o", "out.onnx"], ["reproduce", "pipe.h5"],
    ]) func `a pipe is refused by whatever reads it`(command: [String]) throws {
        #expect(try Program.run("train", "job.json5", directory: directory).code == 0)
        try FileManager.default.createDirectory(atPath: directory.file("piped"), withIntermediateDirectories: false)
        for name in ["log.jsonl", "piped/metrics.jsonl", "piped/final.h5"] {
            #expect(mkfifo(directory.file(name), 0o600) == 0)
        }
        let ended = try Program.run(command, in: directory)
        #expect(ended.code == 65, "\(ended.code) \(ended.errors)")
        #expect(ended.errors.contains("not a regular file"), "\(ended.errors)")
    }

    @Test(arguments: ["metrics.jsonl", "step-00000009.h5", "normalization.json", "retrain.json", "best.h5", "final.h5"])
    func `a pipe in a run's directory keeps nobody waiting`(name: String) throws {
        try FileManager.default.createDirectory(atPath: directory.file("run"), withIntermediateDirectories: false)
        #expect(mkfifo(directory.file("run/" + name), 0o600) == 0)
        for command in ["train", "retrain"] {
            let ended = try Program.run(
                [command, "job.json5", "--set", "data.valid={fraction:0.2}", "--set", "retrain.promote={to:\"m.h5\"}"],
                in: directory)
            #expect(
                ended.code == 0 || ended.errors.contains("not a regular file"), "\(name): \(ended.code) \(ended.errors)"
            )
        }
    }

    @Test(arguments: ["check", "train", "retrain"]) func `a wait for a configuration from a pipe ends with SIGTERM`(
        command: String
    ) throws {
        #expect(mkfifo(directory.file("job-pipe.json5"), 0o600) == 0)
        let job = try Program.start([command, "job-pipe.json5"], directory: directory)
        // The program waits in poll(2) for the pipe: then it has it open.
        #expect(eventually { hasOpen("job-pipe.json5") || !job.isRunning })
        kill(job.identifier, SIGTERM)
        let ended = try job.finish()
        #expect(ended.code == 75 && ended.errors == "error: stopped by SIGTERM\n", "\(ended)")
    }

    /// Whether some process has a file of this directory open.
    private func hasOpen(_ name: String) -> Bool {
        let manager = FileManager.default
        let path = URL(fileURLWithPath: directory.file(name)).resolvingSymlinksInPath().path
        return ((try? manager.contentsOfDirectory(atPath: "/proc")) ?? []).filter { Int($0) != nil }.contains {
            process in
            ((try? manager.contentsOfDirectory(atPath: "/proc/\(process)/fd")) ?? []).contains { descriptor in
                (try? manager.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\(descriptor)")) == path
            }
        }
    }

    @Test(arguments: [
        "inspect run/final.h5 --html out.html", "generate images --rows 100 -o out.h5",
        "export run/final.h5 -o out.npz", "import table.csv --target class -o out.h5",
    ]) func `a limit on the size of files is told, and leaves nothing behind`(command: String) throws {
        #expect(try Program.run("train", "job.json5", directory: directory).code == 0)
        let rows = (0..<200).map { "\($0),\($0 % 3)\n" }.joined()
        try directory.write("a,class\n" + rows, to: "table.csv")
        // In blocks of 1,024 bytes: less than any of these files.
        let ended = try Program.shell(
            "(ulimit -f 0; exec \"$treadle\" \(command)) 2>&1 | cat; exit ${PIPESTATUS[0]}", directory: directory)
        #expect(ended.code == 74, "\(ended.output)")
        #expect(ended.output.contains("raise the limit on file sizes (ulimit -f)"), "\(ended.output)")
        // The user's own name stands in it, and not the temporary's.
        #expect(ended.output.contains("out.") && !ended.output.contains(".tmp"), "\(ended.output)")
        #expect(try directory.contents().allSatisfy { !$0.contains("out.") })
    }

    @Test(.enabled(if: Faults.isAvailable))
    func `data on a disk that cannot be read is an error of the disk, in plain words`()
        throws
    {
        var told = 0
        for number in 1...400 {
            let environment = Faults.environment(
                .reads, .fails(EIO), at: number, file: "/data.h5", reached: directory.file("reached"))
            let ended = try Program.start(
                ["train", "job.json5", "--fresh", "--quiet"], environment: environment, directory: directory
            )
            .finish()
            guard FileManager.default.fileExists(atPath: directory.file("reached")) else { break }
            try FileManager.default.removeItem(atPath: directory.file("reached"))
            #expect(isPlain(ended.errors), "\(number): \(ended.errors)")
            if ended.errors.contains("/data.h5: "), ended.code != 0 {
                told += 1
                #expect(ended.code == 74, "\(number): \(ended.errors)")
                #expect(ended.errors.contains("Input/output error; check its disk and file system"))
            }
        }
        #expect(told > 3)
    }

    @Test func `the threads of a run leave no trace in its checkpoints`() throws {
        let texts = try [1, 3].map { threads in
            let ended = try Program.run(
                "train", "job.json5", "--fresh", "--threads", "\(threads)", directory: directory)
            #expect(ended.code == 0, "\(ended.errors)")
            var checkpoint = try CheckpointFile.read(directory.file("run/final.h5"))
            checkpoint.created = 0
            checkpoint.progress.seconds = 0
            for index in checkpoint.history.indices { checkpoint.history[index].seconds = 0 }
            return checkpoint
        }
        #expect(texts[0] == texts[1])
    }
}
