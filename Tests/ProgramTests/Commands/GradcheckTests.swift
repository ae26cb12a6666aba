import Foundation
import TestSupport
import Testing

/// `treadle gradcheck` on small tables.
@Suite struct GradcheckTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        let lines = (0..<60).map { "\($0 % 7),\(Double($0 * $0 % 23) / 10),\(["no", "yes"][$0 % 3 / 2])" }
        try directory.write("visits,spent,churned\n" + lines.joined(separator: "\n") + "\n", to: "churn.csv")
        for arguments in [["import", "churn.csv", "--target", "churned", "-o", "churn.h5"], ["init", "churn.h5"]] {
            #expect(try Program.start(arguments, directory: directory).finish().code == 0)
        }
    }

    @Test func `right gradients give a table and 0`() throws {
        let checked = try Program.run("gradcheck", "churn.json5", directory: directory)
        #expect(checked.code == 0)
        let lines = checked.output.split(separator: "\n")
        #expect(lines.first?.hasPrefix("layer") == true)
        #expect(lines.count > 2 && lines.dropFirst().allSatisfy { $0.hasSuffix("ok") })
    }

    @Test func `the same is there for programs`() throws {
        let checked = try Program.run("gradcheck", "churn.json5", "--json", "--samples", "3", directory: directory)
        #expect(checked.code == 0)
        let report = try JSONSerialization.jsonObject(with: Data(checked.output.utf8)) as? [String: Any]
        #expect(report?["right"] as? Bool == true)
        let layers = try #require(report?["layers"] as? [[String: Any]])
        #expect(layers.first?["layer"] as? String == "input_scale")
        #expect(layers.allSatisfy { ($0["error"] as? Double ?? 1) <= 1e-6 })
        #expect(layers.allSatisfy { ($0["checked"] as? Int ?? 9) + ($0["kinks"] as? Int ?? 9) <= 3 })
    }

    /// All that `init` writes for a table, and what else there is for tables.
    @Test(arguments: [
        [], [#"model.embedding={ type: "periodic", sigma: 0.3 }"#], [#"model.embedding={ type: "piecewise" }"#],
        ["model.hidden=[{ units: 9, activation: \"selu\" }, { units: 7, activation: \"mish\", dropout: 0.2 }]"],
    ])
    func `every gradient of the recipe for tables is right`(settings: [String]) throws {
        var lines = ["size,city,sold,hour,garden,price"]
        for row in 0..<240 {
            let size = row % 10 == 7 ? "" : "\(40 + row * 7 % 61)"
            let day = "2026-0\(1 + row % 6)-\(10 + row % 19)"
            let hour = "\(row * 5 % 24):\(10 + row % 50)"
            let garden = row % 5 == 0 ? "" : row % 3 == 0 ? "yes" : "no"
            lines.append(
                "\(size),\(["Rome", "Oslo", "Lima"][row % 3]),\(day),\(hour),\(garden),\(100 + row * row % 97).5")
        }
        try directory.write(lines.joined(separator: "\n") + "\n", to: "homes.csv")
        #expect(
            try Program.start(["init", "homes.csv", "--target", "price"], directory: directory).finish().code == 0)
        let written = try directory.read("homes.json5")
        for part in ["folds: 5", "members: 5", "ntk", "scale_inputs", "robust", "smooth_clip", "impute_mean"] {
            #expect(written.contains(part), "\(written)")
        }
        let small = "model.hidden=[{ units: 12, activation: \"relu\" }, { units: 9, activation: \"relu\" }]"
        let options = ([small] + settings).flatMap { ["--set", $0] }
        let checked = try Program.start(
            ["gradcheck", "homes.json5", "--samples", "12"] + options, directory: directory
        ).finish()
        #expect(checked.code == 0, "\(checked.output)\(checked.errors)")
        let rows = checked.output.split(separator: "\n").dropFirst()
        #expect(rows.count >= 7 && rows.allSatisfy { $0.hasSuffix("ok") }, "\(checked.output)")
    }
}
