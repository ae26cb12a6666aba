import Foundation
import TestSupport
import Testing

/// The configurations in Configs/ train, each for a moment, on made-up data of the same form as their own.
@Suite struct ConfigsTrainingTests {
    let directory: TemporaryDirectory
    private let configs = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../Configs").standardizedFileURL.path

    init() throws { directory = try TemporaryDirectory() }

    private func generate(_ kind: String, rows: Int, skip: Int = 0, to name: String) throws -> String {
        let path = directory.file(name)
        let made = try Program.run("generate", kind, "--rows", "\(rows)", "--skip", "\(skip)", "-o", path)
        #expect(made.code == 0, "\(made.errors)")
        return "[\"\(path)\"]"
    }

    private func run(_ command: String, _ name: String, _ settings: [String]) throws -> Finished {
        let all = settings + ["stop.epochs=2", "checkpoint.dir=\(directory.file("run"))"]
        let arguments = all.flatMap { ["--set", $0] }
        return try Program.start([command, "\(configs)/\(name).json5"] + arguments, directory: directory).finish()
    }

    @Test func `fashion-mnist learns pictures`() throws {
        let train = try generate("images", rows: 2000, to: "train.h5")
        let test = try generate("images", rows: 300, skip: 2000, to: "test.h5")
        let trained = try run("train", "fashion-mnist", ["data.train.files=\(train)", "data.test.files=\(test)"])
        #expect(trained.code == 0, "\(trained.errors)")
        let measured = try Program.run("eval", directory.file("run/final.h5"), "--json")
        #expect(measured.code == 0)
        // Ten classes: chance is a tenth.
        #expect((try #require(accuracy(measured.output))) > 0.5)
    }

    @Test(arguments: ["regression", "linear"]) func `a quantity is learned`(name: String) throws {
        let train = try generate(name, rows: 2000, to: "train.h5")
        let trained = try run("train", name, ["data.train.files=\(train)"])
        #expect(trained.code == 0, "\(trained.errors)")
        #expect(try Program.run("verify", directory.file("run/final.h5")).code == 0)
    }

    @Test func `nightly promotes a first model, and has nothing to do without new rows`() throws {
        let train = try generate("churn", rows: 1000, to: "january.h5")
        let settings = ["data.train.files=\(train)", "retrain.promote.to=\(directory.file("model.h5"))"]
        let first = try run("retrain", "nightly", settings)
        #expect(first.code == 0, "\(first.errors)")
        #expect(FileManager.default.fileExists(atPath: directory.file("model.h5")))
        #expect(try run("retrain", "nightly", settings).code == 0)
    }

    private func accuracy(_ json: String) -> Double? {
        let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        let metrics = object?["metrics"] as? [String: Any] ?? object
        return metrics?["accuracy"] as? Double
    }
}
