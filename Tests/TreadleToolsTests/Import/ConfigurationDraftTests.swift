import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel
@testable import TreadleTools

/// What a file holds decides the configuration that is written for it.
@Suite struct ConfigurationDraftTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Drafts for a file that `write` fills, and reads the draft back.
    private func drafted(
        x: String? = nil, y: String? = nil, _ write: (H5File) throws -> Void
    ) throws -> Configuration {
        let path = directory.file("data.h5")
        try write(H5File.create(path))
        let draft = try ConfigurationDraft(data: path, for: directory.file("job.json5"), x: x, y: y)
        return try Configuration.parse(text: draft.text, file: "job.json5", baseDirectory: directory.path)
    }

    private func numbers(_ count: Int) -> [Float] { (0..<count).map { Float($0 % 97) / 7 - 3 } }

    @Test func `few whole numbers are classes`() throws {
        let job = try drafted { file in
            try file.write(numbers(400), to: "/x", shape: [100, 4])
            try file.write((0..<100).map { Int32($0 % 3) }, to: "/y")
        }
        #expect(job.task == .classification)
        #expect(job.data.train == DataSource(files: ["data.h5"], x: "/x", y: "/y", weight: nil, rows: nil))
        #expect(job.data.valid == .fraction(0.2))
        #expect(job.data.normalize == .standard)
        #expect(job.name == "job" && job.checkpoint.dir == "runs/job")
    }

    /// The message of the error that drafting for such a file ends with.
    private func refusal(y: String? = nil, _ write: (H5File) throws -> Void) -> String {
        var text = "a draft was made"
        #expect(throws: (any Error).self) {
            do { _ = try drafted(y: y, write) } catch {
                text = "\(error)"
                throw error
            }
        }
        return text
    }

    @Test(arguments: [[10, 0], [10, 0, 1]]) func `targets without columns are no targets`(shape: [Int]) {
        func write(_ file: H5File) throws {
            try file.write(numbers(40), to: "/x", shape: [10, 4])
            try file.write([Double](), to: "/y", shape: shape)
        }
        let extents = shape.map(String.init).joined(separator: "×")
        #expect(refusal(write).hasSuffix("name one with --y; it holds /x 10×4 float32, /y \(extents) float64"))
        #expect(refusal(y: "/y", write).hasSuffix("data.h5:/y has no rows to learn from (\(extents))"))
    }

    @Test(arguments: [1, 3]) func `rows without a target are left out, as nothing can stand in for one`(width: Int)
        throws
    {
        let job = try drafted { file in
            try file.write(numbers(200), to: "/x", shape: [50, 4])
            var values = numbers(50 * width)
            values[7 * width] = .nan
            values[9 * width] = .infinity
            try file.write(values, to: "/y", shape: [50, width])
        }
        #expect(job.task == .regression && job.data.nonFinite == .dropRow)
        let data = try TrainingData(job, workers: Workers(count: 1), cacheDirectory: nil)
        #expect(data.train.count + (data.valid?.count ?? 0) == 48)
    }

    @Test func `what training would refuse gets no configuration`() {
        let first = "no configuration trains on this data as it is, so none is written\n"
        let one = refusal { file in
            try file.write(numbers(200), to: "/x", shape: [50, 4])
            try file.write([Int32](repeating: 0, count: 50), to: "/y")
        }
        #expect(one.hasPrefix(first) && one.contains("all rows are of one class"), "\(one)")
        let threeAxes = refusal { file in
            try file.write(numbers(200), to: "/x", shape: [50, 4])
            try file.write(numbers(300), to: "/y", shape: [50, 2, 3])
        }
        #expect(
            threeAxes.hasPrefix(first) && threeAxes.contains("its rows have the shape [2, 3]"), "\(threeAxes)")
    }

    @Test func `weights of a network are no data, unless somebody says so, and targets without a number teach nothing`()
        throws
    {
        for (x, y) in [
            ("layers/dense/vars/0", "layers/dense/vars/1"), ("fc.weight", "fc.bias"), ("d/kernel:0", "d/bias:0"),
            ("layers/dense/vars/0", "treadle/normalization/factor"),
        ] {
            let write = { (file: H5File) in
                try file.write(self.numbers(400), to: x, shape: [100, 4])
                try file.write(self.numbers(100), to: y)
            }
            #expect(refusal(write).contains("look like the weights of a network and not like data"), "\(x)")
        }
        let noNumber = refusal { file in
            try file.write(numbers(400), to: "/x", shape: [100, 4])
            try file.write([Float](repeating: .nan, count: 100), to: "/y")
        }
        #expect(noNumber.contains("/y: none of its 100 rows has a number to be learnt"), "\(noNumber)")
    }

    @Test func `where there are more objects than are looked at, that is said, and a name finds them all the same`()
        throws
    {
        func write(_ file: H5File) throws {
            for index in 0..<2100 { _ = try file.createGroup("g\(index)") }
            let group = try file.createGroup("zz")
            try group.write(numbers(400), to: "x", shape: [100, 4])
            try group.write((0..<100).map { Int32($0 % 3) }, to: "y")
        }
        #expect(refusal(write).hasSuffix("it holds more objects than are looked at, and no dataset among the first"))
        #expect(try drafted(x: "/zz/x", y: "zz/y", write).data.train.y == "/zz/y")
    }

    @Test func `fractions are a quantity, in standard units`() throws {
        let job = try drafted { file in
            try file.write(numbers(400), to: "/features", shape: [100, 4])
            try file.write((0..<100).map { Double($0) * 0.3 }, to: "/target")
        }
        #expect(job.task == .regression)
        #expect(job.data.normalizeTarget == .standard)
        #expect(job.data.train.x == "/features" && job.data.train.y == "/target")
        #expect(job.metrics == [.rmse, .r2])
    }

    @Test func `a single 1 in each row is a class, several are labels`() throws {
        func task(_ y: [UInt8]) throws -> LearningTask {
            try drafted { file in
                try file.write(numbers(40), to: "/x", shape: [10, 4])
                try file.write(y, to: "/y", shape: [10, 3])
            }.task
        }
        #expect(try task((0..<10).flatMap { row in (0..<3).map { $0 == row % 3 ? 1 : 0 } }) == .classification)
        #expect(try task((0..<10).flatMap { row in (0..<3).map { $0 <= row % 3 ? 1 : 0 } }) == .multilabel)
        #expect(try task((0..<10).flatMap { row in (0..<3).map { UInt8($0 + row) } }) == .regression)
    }

    @Test func `images of bytes are scaled, train and test pairs are used, weights are found`() throws {
        let job = try drafted { file in
            try file.write([UInt8](repeating: 7, count: 50 * 16), to: "/x_train", shape: [50, 4, 4])
            try file.write((0..<50).map { UInt8($0 % 2) }, to: "/y_train")
            try file.write((0..<50).map { Float($0) }, to: "/sample_weight_train")
            try file.write([UInt8](repeating: 7, count: 20 * 16), to: "/x_test", shape: [20, 4, 4])
            try file.write((0..<20).map { UInt8($0 % 2) }, to: "/y_test")
        }
        #expect(job.data.train.x == "/x_train" && job.data.train.y == "/y_train")
        #expect(job.data.train.weight == "/sample_weight_train")
        #expect(job.data.test?.dataSource?.x == "/x_test" && job.data.test?.dataSource?.y == "/y_test")
        #expect(job.data.test?.dataSource?.weight == nil)
        #expect(job.data.normalize == .scale(0.00392156862745098))
    }

    @Test func `groups named train and test are a pair as well`() throws {
        let job = try drafted { file in
            for (group, rows) in [("train", 40), ("test", 10)] {
                try file.write(numbers(rows * 2), to: "/\(group)/images", shape: [rows, 2])
                try file.write((0..<rows).map { UInt8($0 % 2) }, to: "/\(group)/labels")
            }
        }
        #expect(job.data.train.x == "/train/images" && job.data.test?.dataSource?.y == "/test/labels")
    }

    @Test func `missing inputs are filled with means`() throws {
        let job = try drafted { file in
            try file.write([1, .nan, 3, 4] as [Float], to: "/x", shape: [2, 2])
            try file.write([0.5, 1.5], to: "/y")
        }
        #expect(job.data.nonFinite == .imputeMean)
        #expect(job.data.valid == nil)
    }

    @Test func `texts are classes`() throws {
        let job = try drafted { file in
            try file.write(numbers(60), to: "/data", shape: [30, 2])
            try file.write(strings: (0..<30).map { ["yes", "no"][$0 % 2] }, to: "/labels")
        }
        #expect(job.task == .classification)
    }

    @Test func `people may name the arrays, and learn what there is when nothing fits`() throws {
        let job = try drafted(x: "/a/b", y: "/c") { file in
            try file.write(numbers(60), to: "/a/b", shape: [30, 2])
            try file.write(numbers(60), to: "/x", shape: [30, 2])
            try file.write((0..<30).map { Int32($0 % 2) }, to: "/c")
        }
        #expect(job.data.train.x == "/a/b" && job.data.train.y == "/c")
        do {
            _ = try drafted { try $0.write(numbers(60), to: "/x", shape: [30, 2]) }
            Issue.record("no error")
        } catch let error as TreadleError {
            #expect(
                error.description.contains("no dataset looks like the targets of /x, with 30 rows; name one with --y"))
            #expect(error.description.contains("/x 30×2 float32"))
        }
    }

    @Test func `a name that needs escapes survives`() throws {
        let path = directory.file("odd \"name\" \\ ü.h5")
        let file = try H5File.create(path)
        try file.write(numbers(400), to: "/x", shape: [100, 4])
        try file.write((0..<100).map { Int32($0 % 3) }, to: "/y")
        try file.close()
        try FileManager.default.createDirectory(atPath: directory.file("jobs"), withIntermediateDirectories: true)
        let draft = try ConfigurationDraft(data: path, for: directory.file("jobs/j.json5"))
        let job = try Configuration.parse(text: draft.text, file: "j.json5", baseDirectory: directory.file("jobs"))
        #expect(job.data.train.files == ["../odd \"name\" \\ ü.h5"])
    }
}
