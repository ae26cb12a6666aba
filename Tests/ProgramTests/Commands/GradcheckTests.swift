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
}
