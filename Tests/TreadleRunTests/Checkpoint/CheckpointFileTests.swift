import Foundation
import Synchronization
import TestSupport
import Testing
@testable import TreadleBase
import TreadleData
import TreadleModel
@testable import TreadleRun
import RunTestSupport

@Suite struct CheckpointFileTests {
    @Test(arguments: [Precision.float32, .float64], [true, false])
    func `what was written is read`(precision: Precision, bias: Bool) throws {
        let directory = try TemporaryDirectory()
        var checkpoint = sampleCheckpoint(precision: precision, bias: bias)
        let length = try CheckpointFile.write(checkpoint, to: directory.file("a.h5"))
        #expect(try CheckpointFile.read(directory.file("a.h5")) == checkpoint)
        #expect(try FileManager.default.attributesOfItem(atPath: directory.file("a.h5"))[.size] as? Int == length)

        checkpoint.created = 1_700_000_000.25
        checkpoint.classes = nil
        checkpoint.columns = nil
        checkpoint.normalization = .none
        checkpoint.optimizer = OptimizerState()
        checkpoint.history = []
        checkpoint.progress = TrainingProgress()
        try CheckpointFile.write(checkpoint, to: directory.file("a.h5"))
        #expect(try CheckpointFile.read(directory.file("a.h5")) == checkpoint)
    }

    @Test(arguments: [([0, 3], true), ([1], false), ([], true)])
    func `a stem is written and read, and one that does not fit is refused`(embedded: [Int], scales: Bool) throws {
        let directory = try TemporaryDirectory()
        let checkpoint = sampleCheckpoint(embedded: embedded, scales: scales)
        try CheckpointFile.write(checkpoint, to: directory.file("a.h5"))
        #expect(try CheckpointFile.read(directory.file("a.h5")) == checkpoint)

        var other = checkpoint
        other.network.embedded = embedded + [7]
        try CheckpointFile.write(other, to: directory.file("a.h5"))
        #expect(throws: TreadleError.self) { try CheckpointFile.read(directory.file("a.h5")) }
        other = checkpoint
        other.configuration = sampleCheckpoint(embedded: embedded, scales: !scales).configuration
        try CheckpointFile.write(other, to: directory.file("a.h5"))
        #expect(throws: TreadleError.self) { try CheckpointFile.read(directory.file("a.h5")) }
    }

    @Test func `a file that is open has lost its name once another has it, or none`() throws {
        let directory = try TemporaryDirectory()
        let (path, other) = (directory.file("a.h5"), directory.file("b.h5"))
        func write() throws -> SealedFile {
            for name in [path, other] { try CheckpointFile.write(sampleCheckpoint(), to: name) }
            return try SealedFile(path)
        }
        let renamed = try write()
        #expect(!renamed.hasLostItsName)
        try #require(rename(path, directory.file("c.h5")) == 0)
        #expect(!renamed.hasLostItsName, "another name will do")
        let replaced = try write()
        try #require(rename(other, path) == 0)
        #expect(replaced.hasLostItsName)
        let removed = try write()
        try #require(unlink(path) == 0)
        #expect(removed.hasLostItsName)
        #expect(try CheckpointFile.read(other) == sampleCheckpoint())
    }

    @Test func `a file that is replaced while it is opened is read as it was or as it became`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        let models = [1, 2].map { sampleCheckpoint(seed: $0) }
        for (number, model) in models.enumerated() {
            try CheckpointFile.write(model, to: directory.file("\(number).h5"))
        }
        try CheckpointFile.write(models[0], to: path)
        let isRead = Atomic<Bool>(false)
        // As a promotion does: a file beside it takes the name.
        _ = try Workers.together {
            defer { isRead.store(true, ordering: .relaxed) }
            for _ in 0..<50 {
                let model = try CheckpointFile.read(path)
                #expect(models.contains(model))
            }
        } and: {
            var count = 0
            repeat {
                try #require(link(directory.file("\(count % 2).h5"), directory.file("next")) == 0)
                try #require(rename(directory.file("next"), path) == 0)
                count += 1
                // Some reads meet a replacement, and some of those that begin anew do not.
                usleep(10_000)
            } while !isRead.load(ordering: .relaxed)
        }
        try FileManager.default.removeItem(atPath: path)
        let error = #expect(throws: TreadleError.self) { try CheckpointFile.read(path) }
        #expect(error?.kind == .noInput)
    }

    @Test(arguments: [[1], [2], [1, 2, 7]]) func `the numerics of all steps are kept`(numerics: [Int]) throws {
        let directory = try TemporaryDirectory()
        try CheckpointFile.write(sampleCheckpoint(numerics: numerics), to: directory.file("a.h5"))
        #expect(try CheckpointFile.read(directory.file("a.h5")).numerics == numerics)
    }

    @Test func `a file from before there was a number opens, as one of the first numerics`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("a.h5")
        try CheckpointFile.write(sampleCheckpoint(numerics: [7]), to: path)
        // Under another name the attribute is one that nobody looks for.
        var image = Array(try Data(contentsOf: URL(fileURLWithPath: path)).dropFirst(UserBlock.size))
        let place = try #require(
            image.indices.dropLast(9).first { image[$0..<$0 + 9].elementsEqual("numerics\0".utf8) })
        image.replaceSubrange(place..<place + 8, with: "elsewhat".utf8)
        var hash = SHA256()
        hash.add(image)
        let block = UserBlock(imageLength: image.count, imageDigest: hash.digest, programVersion: "0.1.0")
        try Data(block.bytes + image).write(to: URL(fileURLWithPath: path))
        #expect(try CheckpointFile.read(path) == sampleCheckpoint(numerics: [1]))
    }

    @Test func `numerics that are no numbers from one are refused`() throws {
        let directory = try TemporaryDirectory()
        for numerics in [[], [0], [-3, 2]] {
            try CheckpointFile.write(sampleCheckpoint(numerics: numerics), to: directory.file("a.h5"))
            let error = #expect(throws: TreadleError.self) { try CheckpointFile.read(directory.file("a.h5")) }
            #expect(error?.messages[0].contains("numerics") == true)
        }
    }

    @Test func `a file of another version opens where its configuration tells of the layers that it has`() throws {
        let directory = try TemporaryDirectory()
        let own = sampleCheckpoint()
        var other = own
        other.configuration = own.configuration.replacingOccurrences(
            of: "\"name\":", with: "\"warp\": 9, \"optimizer\": {\"type\": \"of next year\"}, \"name\":")
        try CheckpointFile.write(other, to: directory.file("a.h5"))
        #expect(try CheckpointFile.read(directory.file("a.h5")) == other)
        for (old, new, words) in [
            ("relu", "of next year", "is no resolved configuration"), ("relu", "tanh", "describes other layers"),
            ("true", "false", "describes other layers"),
        ] {
            other.configuration = own.configuration.replacingOccurrences(of: old, with: new)
            try CheckpointFile.write(other, to: directory.file("a.h5"))
            let error = #expect(throws: TreadleError.self) { try CheckpointFile.read(directory.file("a.h5")) }
            #expect(error?.kind == .badData && error?.messages[0].contains(words) == true)
        }
    }

    @Test func `a linear model and layers beyond the tenth keep their order`() throws {
        let directory = try TemporaryDirectory()
        for hidden in [[], [Int](repeating: 2, count: 12)] {
            let checkpoint = sampleCheckpoint(hidden: hidden)
            try CheckpointFile.write(checkpoint, to: directory.file("a.h5"))
            #expect(try CheckpointFile.read(directory.file("a.h5")) == checkpoint)
        }
    }

    @Test(arguments: [Precision.float32, .float64])
    func `arrays that go to the disk from where they are come back, between those that are copied`(
        precision: Precision
    ) throws {
        let directory = try TemporaryDirectory()
        // 150 × 120 and 120 × 140 numbers are large, 140 × 2 and all biases are not.
        let checkpoint = sampleCheckpoint(hidden: [120, 140], inputs: 150, precision: precision)
        try CheckpointFile.write(checkpoint, to: directory.file("a.h5"))
        #expect(try CheckpointFile.read(directory.file("a.h5")) == checkpoint)
    }

    @Test func `equal checkpoints give equal bytes`() throws {
        let directory = try TemporaryDirectory()
        for name in ["a", "b"] {
            try CheckpointFile.write(sampleCheckpoint(hidden: [300], inputs: 100), to: directory.file(name))
        }
        #expect(
            FileManager.default.contents(atPath: directory.file("a"))
                == FileManager.default.contents(atPath: directory.file("b")))
    }

    @Test func `the digest is of the parameters alone`() throws {
        var checkpoint = sampleCheckpoint(hidden: [], inputs: 1, outputs: 1)
        checkpoint.parameters = [
            LayerParameters(
                name: "dense", weight: Tensor(shape: [1, 1], storage: .float32([1])),
                bias: Tensor(shape: [1], storage: .float32([-2])))
        ]
        // sha256sum of 00 00 80 3f 00 00 00 c0.
        #expect(
            checkpoint.parameterDigest == "ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b")
        let digest = checkpoint.parameterDigest
        checkpoint.optimizer.step += 1
        checkpoint.normalization = .none
        #expect(checkpoint.parameterDigest == digest)
    }

    @Test func `what is not finite is never written, and its place is named`() throws {
        let directory = try TemporaryDirectory()
        var checkpoint = sampleCheckpoint()
        checkpoint.parameters[1].weight = Tensor(
            shape: [5, 3], storage: .float32((0..<15).map { $0 == 7 ? .nan : 0 }))
        let error = #expect(throws: TreadleError.self) {
            try CheckpointFile.write(checkpoint, to: directory.file("a.h5"))
        }
        #expect(error?.kind == .diverged)
        #expect(error?.description.contains("model/dense_1/weight [2, 1] is not finite") == true)
        #expect(try directory.contents() == [])
    }

    @Test(arguments: [0, 1, 1023, 1024, 2047, 2048, 2999])
    func `the first number that is not finite is found wherever it is`(place: Int) {
        for wrong in [Double.nan, .infinity, -.infinity] {
            // Numbers as large as there are, and as small: their sums are no reason to stop.
            var values = (0..<3000).map { $0 % 3 == 0 ? Double.greatestFiniteMagnitude : -.leastNonzeroMagnitude }
            #expect(values.firstNonFinite == nil)
            values[place] = wrong
            values[2999] = .nan
            #expect(values.firstNonFinite == place)
            var single = values.map { _ in -Float.greatestFiniteMagnitude }
            #expect(single.firstNonFinite == nil)
            single[place] = Float(wrong)
            #expect(single.firstNonFinite == place)
            #expect(Array(single[1...]).firstNonFinite == (place == 0 ? nil : place - 1))
        }
        #expect([Float]().firstNonFinite == nil)
    }
}
