import Foundation
import TestSupport
import Testing
@testable import TreadleConfiguration
@testable import TreadleModel

/// The configurations in Configs/ read without an error, and mean what their comments say.
@Suite struct ConfigsTests {
    static let directory = SourceTree.root + "/Configs"

    static var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).filter { $0.hasSuffix(".json5") }
            .sorted()
    }

    private func load(_ name: String) throws -> Configuration {
        try Configuration.load(path: "\(Self.directory)/\(name)")
    }

    @Test(arguments: names) func `each reads without an error and names its run after itself`(name: String) throws {
        let job = try load(name)
        #expect(name == "\(job.name).json5")
        #expect(job.checkpoint.dir == "../runs/\(job.name)")
    }

    @Test func `there is one of each kind`() throws {
        #expect(Self.names == ["fashion-mnist.json5", "linear.json5", "nightly.json5", "regression.json5"])
        #expect(try load("linear.json5").model.hidden.isEmpty)
        #expect(try load("regression.json5").task == .regression)
        #expect(try load("nightly.json5").retrain?.promote?.keep == 7)
        #expect(try load("fashion-mnist.json5").data.test?.dataSource?.files == ["../data/fashion-mnist/test.h5"])
    }
}
