import Foundation
import RunTestSupport
import TestSupport
import Testing
import TreadleData
import TreadleRun

@Suite struct ServiceTests {
    static let canVerify = FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze")

    @Test(.enabled(if: canVerify, "systemd-analyze is not installed"))
    func `systemd finds nothing wrong with the units`() throws {
        let directory = try TemporaryDirectory()
        for unit in ["treadle-train@.service", "treadle-retrain@.service", "treadle-retrain@.timer"] {
            // The units name an installed program and man page: here it is the one just built, without a page.
            let text = try String(contentsOfFile: "\(SourceTree.root)/Scripts/systemd/\(unit)", encoding: .utf8)
                .replacingOccurrences(of: "ExecStart=treadle", with: "ExecStart=\(Program.path)")
                .replacingOccurrences(of: "Documentation=man:treadle(1)\n", with: "")
            try directory.write(text, to: unit.replacingOccurrences(of: "@.", with: "@job."))
        }
        let checked = try Program.shell("systemd-analyze verify ./*", directory: directory)
        // It also says what it finds wrong with the machine's own units.
        let complaints = checked.errors.split(separator: "\n").filter { $0.contains("treadle") }
        #expect(complaints == [])
    }

    /// A job whose data are beside it, with absolute paths, as a service or cron has it.
    private func job(epochs: Int, in directory: TemporaryDirectory) throws -> String {
        let made = try Program.run("generate", "churn", "--rows", "2000", "-o", directory.file("data.h5"))
        #expect(made.code == 0, "\(made.errors)")
        return try directory.write(
            """
            { name: "churn", task: "classification", data: { train: { files: ["data.h5"] }, valid: { fraction: 0.2 } },
              model: { hidden: [{ units: 8 }] }, stop: { epochs: \(epochs), early: null },
              checkpoint: { dir: "run", every: { time: null } }, retrain: { promote: { to: "served/churn.h5" } } }
            """, to: "churn.json5")
    }

    @Test func `the crontab's line runs as cron runs it, and says nothing`() throws {
        let directory = try TemporaryDirectory()
        let job = try job(epochs: 3, in: directory)
        let crontab = try String(contentsOfFile: "\(SourceTree.root)/Scripts/crontab", encoding: .utf8)
        let entry = try #require(crontab.split(separator: "\n").last { !$0.hasPrefix("#") })
        let line = entry.split(separator: " ", omittingEmptySubsequences: true).dropFirst(5).joined(separator: " ")
            .replacingOccurrences(of: "/usr/local/bin/treadle", with: Program.path)
            .replacingOccurrences(of: "/srv/models/churn.json5", with: job)
        #expect(line.hasSuffix(job))
        // Of what cron sets nothing matters: not HOME, no TERM, no locale; stdin is closed.
        var environment = ["SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"]
        environment["LD_LIBRARY_PATH"] = Program.plainEnvironment["LD_LIBRARY_PATH"]
        for _ in 0..<2 {
            let night = try Spawned(
                "/bin/sh", ["-c", line], environment: environment, directory: "/", input: .closed
            ).finish()
            #expect(night.code == 0 && night.output + night.errors == "", "\(night)")
        }
        let verified = try Program.run("verify", directory.file("served/churn.h5"))
        #expect(verified.code == 0)
        // Something that needs a person is said.
        try directory.write("no data", to: "data.h5")
        let bad = try Spawned(
            "/bin/sh", ["-c", line], environment: environment, directory: "/", input: .closed
        ).finish()
        #expect(bad.code == 65 && bad.output == "" && bad.errors.hasPrefix("error: "))
    }

    @Test func `the service's line stops with 75 as systemd stops it, and goes on as systemd restarts it`() throws {
        let directory = try TemporaryDirectory()
        let job = try job(epochs: 100_000, in: directory)
        let unit = try String(
            contentsOfFile: "\(SourceTree.root)/Scripts/systemd/treadle-train@.service", encoding: .utf8)
        #expect(unit.contains("\nRestartForceExitStatus=75\n"))
        let start = try #require(unit.split(separator: "\n").first { $0.hasPrefix("ExecStart=") })
        let line = start.dropFirst("ExecStart=".count).replacingOccurrences(of: "/etc/treadle/%i.json5", with: job)
        let arguments = line.split(separator: " ").dropFirst().map(String.init)
        // What the manager of the system gives a service; the journal is a file here.
        let log = directory.file("journal")
        func serve(_ more: [String] = []) throws -> Spawned {
            try Spawned(
                "/bin/sh",
                [
                    "-c",
                    #"exec 2>>"$1"; JOURNAL_STREAM=$(stat -L -c %d:%i "$1"); export JOURNAL_STREAM; shift; exec "$@""#,
                ]
                    + ["sh", log, Program.path] + arguments + more,
                environment: [
                    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8",
                    "INVOCATION_ID": "0123456789abcdef0123456789abcdef", "SYSTEMD_EXEC_PID": "1", "USER": "treadle",
                    "STATE_DIRECTORY": directory.path,
                    "LD_LIBRARY_PATH": Program.plainEnvironment["LD_LIBRARY_PATH"] ?? "",
                ], directory: directory.path)
        }
        for round in 0..<2 {
            let service = try serve()
            // Until it has come further than the one before.
            let hasBegun = eventually {
                let runs = ((try? directory.read("journal")) ?? "").components(separatedBy: "event=began")
                return runs.count == round + 2 && runs.last?.contains("event=epoch") == true || !service.isRunning
            }
            #expect(hasBegun && service.isRunning)
            service.send(SIGTERM)
            #expect(try service.finish().code == 75)
            let journal = try directory.read("journal")
            #expect(journal.split(separator: "\n").allSatisfy { $0.wholeMatch(of: /<[3-7]>.*/) != nil }, "\(journal)")
            #expect(journal.contains("stopped by SIGTERM"))
            if round > 0 { #expect(journal.components(separatedBy: "event=began").last?.contains("step=0 ") == false) }
        }
        let epochs = try CheckpointFile.read(try #require(directory.newestStep())).cursor.epoch
        let last = try serve(["--set", "stop.epochs=\(epochs + 1)"]).finish()
        #expect(last.code == 0)
    }
}
