import Foundation
import TestSupport
import Testing

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
}
