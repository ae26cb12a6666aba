import Foundation
import TestSupport
import Testing

/// Signals that come while a process starts.
@Suite struct EarlySignalTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try threeClassJob(
            data: "valid: { fraction: 0.2 }",
            """
            model: { hidden: [ { units: 4 } ] }, stop: { epochs: 3, early: null },
            checkpoint: { dir: "run" }, retrain: { promote: { to: "models/job.h5" } }
            """)
    }

    /// Whether SIGTERM waits in the process. Before that comes the system's loader, which no program has a hand in.
    private func holdsSignals(_ job: Spawned) -> Bool {
        // In the set of blocked signals, which is hexadecimal, SIGTERM is bit 14.
        guard let blocked = status(job, "SigBlk:").flatMap({ UInt64($0, radix: 16) }) else { return false }
        return blocked & 1 << 14 != 0
    }

    private func status(_ job: Spawned, _ field: String) -> String? {
        let status = (try? String(contentsOfFile: "/proc/\(job.identifier)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix(field) }
        return line?.split(separator: "\t").dropFirst().first.map(String.init)
    }

    @Test(arguments: ["train", "retrain", "check"])
    func `a stop in any of the first milliseconds is answered as a later one`(command: String) throws {
        var codes: [Int32: Int] = [:]
        for number in 0..<21 {
            try? FileManager.default.removeItem(atPath: directory.file("run"))
            try? FileManager.default.removeItem(atPath: directory.file("models"))
            let job = try Spawned(
                Program.path, [command, "job.json5"], environment: Program.plainEnvironment, directory: directory.path,
                unblocksSignals: true)
            while job.isRunning, !holdsSignals(job) {}
            usleep(UInt32(number * 1000))
            if job.isRunning { job.send(SIGTERM) }
            let ended = try job.finish()
            codes[ended.code, default: 0] += 1
            #expect(ended.code == 75 || ended.code == 0, "\(number): \(ended.code) \(ended.errors)")
            // retrain says it where a person of the night's mail reads it.
            let said = ended.errors + ended.output
            #expect(
                ended.code == 0 || said.contains("stopped by SIGTERM") || said.contains("interrupted"),
                "\(number): \(said)")
        }
        #expect(codes[75] ?? 0 > 0, "\(codes)")
    }

    @Test func `a command that has nothing to save ends as any program`() throws {
        // It waits for a reader of its output, which is a pipe that is full.
        let path = directory.file("pipe")
        #expect(mkfifo(path, 0o600) == 0)
        let pipe = open(path, O_RDWR | O_NONBLOCK)
        defer { close(pipe) }
        while write(pipe, "x", 1) == 1 {}
        let job = try Spawned("/bin/bash", ["-c", "exec '\(Program.path)' help > '\(path)'"], unblocksSignals: true)
        let isWaiting = eventually {
            status(job, "Name:") == "treadle" && status(job, "State:")?.hasPrefix("S") == true && !holdsSignals(job)
                || !job.isRunning
        }
        try #require(isWaiting && job.isRunning)
        job.send(SIGTERM)
        #expect(try job.finish().code == 128 + SIGTERM)
    }
}
