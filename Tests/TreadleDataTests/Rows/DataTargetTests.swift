import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel

@Suite struct DataTargetTests {
    private let directory: TemporaryDirectory
    private let x: [Float] = (0..<8).map { Float($0) }

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// A file of four rows of two columns, and targets that `fill` writes.
    private func file(_ name: String = "a.h5", _ fill: (H5File) throws -> Void) throws -> DataSource {
        let file = try H5File.create(directory.file(name))
        try file.write(x, to: "/x", shape: [4, 2])
        try fill(file)
        return DataFixture.source(name)
    }

    private func open(_ source: DataSource, _ task: LearningTask = .classification) throws -> Dataset {
        try Dataset.open(source, DataFixture.settings(directory), targets: .learn(task))
    }

    private func message(_ source: DataSource, _ task: LearningTask = .classification) -> String {
        do {
            _ = try open(source, task)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    private func labels(_ dataset: Dataset) -> [Int] {
        guard case .classes(let labels) = dataset.targets else { return [] }
        return labels.rows.map { labels[$0] }
    }

    @Test func `class numbers come from integers, whole floats, booleans and one-hot rows`() throws {
        let expected = [1, 0, 1, 1]
        let forms: [(String, (H5File) throws -> Void)] = [
            ("int", { try $0.write([1, 0, 1, 1] as [Int16], to: "/y") }),
            ("float", { try $0.write([1, 0, 1, 1] as [Double], to: "/y") }),
            ("column", { try $0.write([1, 0, 1, 1] as [UInt8], to: "/y", shape: [4, 1]) }),
            ("boolean", { try $0.write([1, 0, 1, 1] as [Int8], to: "/y", as: .boolean) }),
            ("one-hot", { try $0.write([0, 1, 1, 0, 0, 1, 0, 1] as [Float], to: "/y", shape: [4, 2]) }),
        ]
        for (name, fill) in forms {
            let dataset = try open(try file("\(name).h5", fill))
            #expect(labels(dataset) == expected, "\(name)")
            #expect(dataset.outputs == 2)
        }
    }

    @Test func `labels that are text get numbers in the order of their names, or of the names stored`() throws {
        let dataset = try open(try file { try $0.write(strings: ["dog", "cat", "dog", "ant"], to: "/y") })
        #expect(dataset.classes == ["ant", "cat", "dog"])
        #expect(labels(dataset) == [2, 1, 2, 0])
        let fixed = try open(
            try file("b.h5") { try $0.write(strings: ["dog", "cat", "dog", "ant"], to: "/y", size: 5) })
        #expect(labels(fixed) == [2, 1, 2, 0])
        let stored = try open(
            try file("c.h5") {
                try $0.write(strings: ["dog", "cat", "dog", "ant"], to: "/y")
                try $0.write(strings: ["dog", "ant", "cat", "eel"], to: "/classes")
            })
        #expect(labels(stored) == [0, 2, 0, 1])
        #expect(stored.outputs == 4)
    }

    @Test func `names stored beside numbers are the classes' names`() throws {
        let dataset = try open(
            try file {
                try $0.write([2, 0, 1, 2] as [Int32], to: "/y")
                try $0.write(strings: ["a", "b", "c", "d"], to: "/classes")
                try $0.write(strings: ["left", "right"], to: "/columns")
            })
        #expect(dataset.classes == ["a", "b", "c", "d"])
        #expect(dataset.outputs == 4)
        #expect(dataset.columns == ["left", "right"])
    }

    @Test func `labels that cannot be classes are refused with their row`() throws {
        let fractional = message(try file { try $0.write([0, 1, 2.5, 1] as [Float], to: "/y") })
        #expect(fractional.contains("a.h5:/y row 2: label 2.5 is not a whole number"))
        #expect(fractional.contains("regression"))
        let negative = message(try file { try $0.write([0, 1, 2, -1] as [Int64], to: "/y") })
        #expect(negative.contains("/y row 3: label -1 is negative"))
        let beyond = message(
            try file {
                try $0.write([0, 1, 2, 1] as [Int64], to: "/y")
                try $0.write(strings: ["a", "b"], to: "/classes")
            })
        #expect(beyond.contains("/y row 2: label 2 is out of range: /classes has 2 classes, 0 to 1"))
        let unknown = message(
            try file {
                try $0.write(strings: ["a", "b", "a", "z"], to: "/y")
                try $0.write(strings: ["a", "b"], to: "/classes")
            })
        #expect(unknown.contains("/y row 3: \"z\" is none of the 2 classes (a, b)"))
        let hot = message(try file { try $0.write([0, 1, 1, 1, 0, 1, 0, 1] as [Float], to: "/y", shape: [4, 2]) })
        #expect(hot.contains("/y row 1: 2 columns as targets of a classification need a single 1"))
        let single = message(try file { try $0.write([0, 0, 0, 0] as [Int64], to: "/y") })
        #expect(single.contains("all rows are of one class"))
    }

    @Test func `a trial reads the edges of labels and of weights alone, as there may be many`() throws {
        var source = try file {
            try $0.write([0, -1, 2, 1] as [Int64], to: "/y")
            try $0.write([1, -1, 1, 1] as [Double], to: "/w")
        }
        source.weight = "/w"
        #expect(message(source).contains("label -1 is negative"))
        let settings = DataFixture.settings(directory)
        _ = try Dataset.open(source, settings, targets: .attempt(.classification))
        source.weight = "/none"
        #expect(throws: TreadleError.self) {
            try Dataset.open(source, settings, targets: .attempt(.classification))
        }
    }

    @Test func `regression takes one column or several, multilabel only 0 and 1`() throws {
        let values: [Float] = [0.5, 1, -2, 3, 4, 5, 6, 7]
        let two = try open(try file { try $0.write(values, to: "/y", shape: [4, 2]) }, .regression)
        #expect(two.outputs == 2)
        let loader = try BatchLoader<Double>(
            RowSet(two), normalization: Normalization(targetShift: [1, 2], targetFactor: [2, 4]), order: .sequential,
            batchSize: 3, workers: Workers(count: 1))
        let rows = try DataFixture.epoch(loader, features: 2, outputs: 2)
        #expect(
            rows.values
                == zip(values, [1, 2, 1, 2, 1, 2, 1, 2]).map { ($0 - $1) * ($1 == 1 ? 2 : 4) }.map { Double($0) })
        let text = message(try file("t.h5") { try $0.write(strings: ["a", "b", "c", "d"], to: "/y") }, .regression)
        #expect(text.contains("/y: holds string, where numbers are due"))
        let labels = message(
            try file("m.h5") { try $0.write([0, 1, 1, 0, 0.5, 0, 1, 1] as [Float], to: "/y", shape: [4, 2]) },
            .multilabel)
        #expect(labels.contains("/y row 2, column 0 is 0.5; multilabel targets are 0 or 1"))
    }

    @Test func `weights come with the rows and must not be negative`() throws {
        var source = try file {
            try $0.write([0, 1, 1, 0] as [Int32], to: "/y")
            try $0.write([1, 0.5, 2, 0] as [Double], to: "/w")
            try $0.write([1, 0.5, -2, 0] as [Double], to: "/bad")
        }
        source.weight = "/w"
        let dataset = try open(source)
        let loader = try BatchLoader<Float>(
            RowSet(dataset), normalization: .none, order: .sequential, batchSize: 4, workers: Workers(count: 1))
        #expect(try DataFixture.epoch(loader, features: 2).weights == [1, 0.5, 2, 0])
        source.weight = "/bad"
        #expect(message(source).contains("/bad row 2: weight -2.0 is not a number from 0"))
    }

    @Test func `what is missing, empty or of another length is said with what is there`() throws {
        let missing = message(try file { try $0.write([1, 0, 1, 1] as [Int16], to: "/label") })
        #expect(missing.contains("a.h5:/y"))
        #expect(missing.contains("/label"))
        let short = message(try file { try $0.write([1, 0, 1] as [Int16], to: "/y") })
        #expect(short.contains("a.h5:/y: has 3 rows, and /x has 4; they must be as many"))
        do {
            let none = try H5File.create(directory.file("none.h5"))
            try none.createDataset("/x", type: .float32, shape: [0, 3])
            try none.createDataset("/y", type: .float32, shape: [0])
        }
        #expect(message(DataFixture.source("none.h5")).contains("none.h5:/x: has no rows"))
        #expect(message(DataFixture.source("gone.h5")).contains("gone.h5: no such file"))
        #expect(message(DataFixture.source("gone-*.h5")).contains("no file matches \"gone-*.h5\" in "))
        try directory.write("plain text", to: "text.h5")
        #expect(message(DataFixture.source("text.h5")).contains("text.h5"))
        let text = message(
            try file("t.h5") {
                try $0.write([1, 0, 1, 1] as [Int16], to: "/y")
                try $0.write(strings: ["a", "b", "c", "d"], to: "/s")
            }.reading(x: "/s"))
        #expect(text.contains("t.h5:/s: holds string, where numbers are due"))
    }

    @Test func `rows of the source are taken, and more than there are is an error`() throws {
        var source = try file { try $0.write([1, 0, 1, 0] as [Int16], to: "/y") }
        source.rows = 1..<3
        let dataset = try open(source)
        let loader = try BatchLoader<Float>(
            RowSet(dataset), normalization: .none, order: .sequential, batchSize: 4, workers: Workers(count: 1))
        let rows = try DataFixture.epoch(loader, features: 2)
        #expect(rows.x == [[2, 3], [4, 5]])
        #expect(rows.classes == [0, 1])
        source.rows = 1..<5
        #expect(message(source).contains("rows 1 to 5 are asked for, and there are 4"))
    }

    @Test func `prediction reads inputs alone`() throws {
        let source = try file { _ in }
        let dataset = try Dataset.open(source, DataFixture.settings(directory), targets: .none)
        let loader = try BatchLoader<Float>(
            RowSet(dataset), normalization: Normalization(shift: [1, 1], factor: [2, 2]), order: .sequential,
            batchSize: 3,
            workers: Workers(count: 1))
        #expect(try DataFixture.epoch(loader, features: 2, outputs: 0).x == [[-2, 0], [2, 4], [6, 8], [10, 12]])
    }
}

extension DataSource {
    fileprivate func reading(x: String) -> DataSource {
        var copy = self
        copy.x = x
        return copy
    }
}
