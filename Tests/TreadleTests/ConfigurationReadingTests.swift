import Foundation
import Testing
import Treadle

/// Configurations of the tests: short, whole, and as errors see them.
enum Job {
    static let short = #"{ name: "churn", data: { train: "train.h5" }, model: { hidden: [] } }"#

    static func parse(
        _ text: String, set overrides: [String] = [], environment: [String: String] = [:]
    ) throws -> Configuration {
        try Configuration.parse(
            text: text, file: "job.json5", baseDirectory: "/base", overrides: overrides, environment: environment)
    }

    /// The short configuration with some settings.
    static func with(_ overrides: String...) throws -> Configuration {
        try parse(short, set: overrides)
    }

    /// What is wrong with a configuration, line by line; nothing if it is right.
    static func errors(
        _ text: String, set overrides: [String] = [], environment: [String: String] = [:]
    ) -> [String] {
        do {
            _ = try parse(text, set: overrides, environment: environment)
            return []
        } catch {
            guard let error = error as? TreadleError else { return ["unexpected: \(error)"] }
            return error.messages
        }
    }
}

@Suite struct ConfigurationReadingTests {
    @Test func `a short configuration takes every default`() throws {
        let job = try Job.parse(Job.short)
        #expect(job.name == "churn")
        #expect(job.task == .classification)
        #expect(job.seed == 0)
        #expect(job.data.train.files == ["train.h5"])
        #expect(job.data.train.x == "/x")
        #expect(job.data.valid == .fraction(0.1))
        #expect(job.data.test == nil)
        #expect(job.data.batchSize == 256)
        #expect(job.data.memoryLimit == .share(0.25))
        #expect(job.data.normalize == .standard)
        #expect(job.model.hidden.isEmpty)
        #expect(job.optimizer.lr == 1e-3)
        #expect(job.stop.early?.metric == "valid.loss")
        #expect(job.checkpoint.dir == "runs/churn")
        #expect(job.checkpoint.every.time == .seconds(600))
        #expect(job.retrain?.promote?.to == "models/churn.h5")
        #expect(job.metrics == [.accuracy])
        #expect(job.baseDirectory == "/base")
    }

    @Test func `the resolved text reads back`() throws {
        let job = try Job.parse(Job.short)
        #expect(try Job.parse(job.resolvedText) == job)
    }
}
