import Foundation
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleRun
import RunTestSupport

/// The served model and its predecessors as files.
@Suite struct PromotedModelTests {
    private let directory: TemporaryDirectory
    private let digests: [String]

    init() throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        digests = try (0..<5).map { number in
            let checkpoint = sampleCheckpoint(seed: UInt64(number))
            _ = try CheckpointFile.write(checkpoint, to: directory.file("new\(number).h5"))
            return checkpoint.parameterDigest
        }
    }

    private func promoted(keep: Int) -> PromotedModel { PromotedModel(directory.file("models/m.h5"), keep: keep) }

    /// Which of the candidates lie under the served name and its predecessors', in that order.
    private func served() throws -> [Int] {
        try ["m.h5", "m.1.h5", "m.2.h5", "m.3.h5", "m.4.h5"].map { directory.file("models/\($0)") }
            .filter { FileManager.default.fileExists(atPath: $0) }
            .map { try #require(digests.firstIndex(of: try CheckpointFile.verify($0).parameterDigest)) }
    }

    @Test func `each promotion makes the served model a predecessor, and the oldest goes`() throws {
        let model = promoted(keep: 2)
        #expect(try model.read() == nil)
        for (number, expected) in [[0], [1, 0], [2, 1, 0], [3, 2, 1], [4, 3, 2]].enumerated() {
            try model.replace(by: directory.file("new\(number).h5"))
            #expect(try served() == expected)
            #expect(try model.read()?.parameterDigest == digests[number])
        }
        // Fewer are kept from now on.
        try promoted(keep: 1).replace(by: directory.file("new0.h5"))
        #expect(try served() == [0, 4])
        try promoted(keep: 0).replace(by: directory.file("new1.h5"))
        #expect(try served() == [1])
    }

    @Test func `going back takes one step at a time, until there is nothing to go back to`() throws {
        let model = promoted(keep: 3)
        for number in 0..<4 { try model.replace(by: directory.file("new\(number).h5")) }
        #expect(try served() == [3, 2, 1, 0])
        for expected in [[2, 1, 0], [1, 0], [0]] {
            try model.rollBack()
            #expect(try served() == expected)
        }
        let error = #expect(throws: TreadleError.self) { try model.rollBack() }
        #expect(error?.kind == .noInput && error?.description.contains("has no predecessor") == true)
        #expect(try served() == [0])
    }

    @Test func `a promotion that was cut off is made again without a predecessor lost or doubled`() throws {
        let model = promoted(keep: 2)
        for number in 0..<2 { try model.replace(by: directory.file("new\(number).h5")) }
        // As a kill leaves it: the served file has its second name already, and the new one is not in place.
        try FileManager.default.removeItem(atPath: model.predecessor(1))
        try FileManager.default.linkItem(atPath: directory.file("new0.h5"), toPath: model.predecessor(2))
        try FileManager.default.linkItem(atPath: model.path, toPath: model.predecessor(1))
        #expect(try served() == [1, 1, 0])
        try model.replace(by: directory.file("new2.h5"))
        #expect(try served() == [2, 1, 0])
    }

    @Test func `what fails leaves the served model as it is`() throws {
        let model = promoted(keep: 2)
        try model.replace(by: directory.file("new0.h5"))
        #expect(throws: TreadleError.self) { try model.replace(by: directory.file("gone.h5")) }
        #expect(try model.read()?.parameterDigest == digests[0])
        try model.replace(by: directory.file("new1.h5"))
        // A damaged predecessor is not put in place of a good model.
        try Data("no model".utf8).write(to: URL(fileURLWithPath: model.predecessor(1)))
        #expect(throws: TreadleError.self) { try model.rollBack() }
        #expect(try model.read()?.parameterDigest == digests[1])
    }

    @Test func `a damaged served model says what can be done`() throws {
        let model = promoted(keep: 1)
        try model.replace(by: directory.file("new0.h5"))
        try Data("no model".utf8).write(to: URL(fileURLWithPath: model.path))
        var error = #expect(throws: TreadleError.self) { try model.read() }
        #expect(error?.description.hasSuffix("it is the promoted model: move it away to start from nothing") == true)
        try FileManager.default.copyItem(atPath: directory.file("new1.h5"), toPath: model.predecessor(1))
        error = #expect(throws: TreadleError.self) { try model.read() }
        #expect(error?.description.hasSuffix("put its predecessor back with \"treadle retrain --rollback\"") == true)
    }
}
