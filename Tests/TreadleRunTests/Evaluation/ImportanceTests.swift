import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleModel
@testable import TreadleRun

@Suite struct ImportanceTests {
    struct Expected: Decodable {
        struct Importance: Decodable {
            var x: [Float]
            var classes: [Int64]
            var weights, mean, spread: [Double]
            var loss: Double
        }
        var importance: Importance
    }

    static let expected: Importance = (Fixture.decoded("judgement.json") as Expected).importance
    typealias Importance = Expected.Importance

    /// The logistic model of the fixture, on its rows.
    private func model(in directory: TemporaryDirectory, loss: String = "{}") throws -> TrainedModel {
        let data = Self.expected
        let file = try H5File.create(directory.file("rows.h5"))
        try file.write(data.x, to: "x", shape: [data.classes.count, 3])
        try file.write(data.classes, to: "y")
        try file.close()
        let layer = Layer(name: "dense", inputs: 3, units: 2, activation: .identity, dropout: 0, hasBias: true)
        var description = ModelDescription(
            task: .classification, network: Network(inputs: 3, layers: [layer]), loss: .crossEntropy,
            precision: .float32)
        description.columns = ["age", "rent", "noise"]
        let weights = LayerParameters(
            name: "dense",
            weight: Tensor(shape: [3, 2], storage: .float32(data.weights.flatMap { [0, Float($0)] })),
            bias: Tensor(shape: [2], storage: .float32([0, 0])))
        let origin = FileOrigin(
            configuration:
                "{ name: 'a', data: { train: 'rows.h5', normalize: 'none' }, model: { hidden: [] }, loss: \(loss) }",
            baseDirectory: directory.path, fingerprint: "")
        return try TrainedModel(SavedModel(description, parameters: [weights]), from: origin, path: "a.h5")
    }

    @Test func `columns matter as much as scikit-learn finds`() throws {
        let directory = try TemporaryDirectory()
        let model = try model(in: directory)
        let (workers, repeats) = (Workers(count: 2), 30)
        let rows = try model.rows(of: [directory.file("rows.h5")], workers: workers) { _, _ in }.rows
        let found = try TreadleRun.Importance(of: model, on: rows, repeats: repeats, workers: workers)
        #expect(abs(found.loss - Self.expected.loss) < 1e-6)
        for (index, name) in ["age", "rent", "noise"].enumerated() {
            let finding = try #require(found.findings.first { $0.group.name == name })
            let (mean, spread) = (Self.expected.mean[index], Self.expected.spread[index])
            // Both are means of draws with this spread: four of its standard errors, and the rounding of 32 bits.
            let error = spread * (1 / Double(repeats) + 1.0 / 300).squareRoot()
            #expect(abs(finding.rise - mean) < 4 * error + 1e-6, "\(name): \(finding.rise), \(mean)")
            #expect(spread == 0 || (0.5...2).contains(finding.spread / spread), "\(name)")
        }
        for threads in [1, 3] {
            let again = try TreadleRun.Importance(
                of: model, on: rows, repeats: repeats, workers: Workers(count: threads))
            #expect(again.findings == found.findings)
        }
        let coefficients = try #require(Coefficients.all(model).first)
        #expect(coefficients.columns.map(\.name) == ["age", "rent", "noise"])
        #expect(coefficients.columns.map(\.perUnit) == [1.5, -0.5, 0])
    }

    /// By hand: inputs are scaled by 2 and 1, and 3 classes have weights whose mean is taken away.
    @Test func `coefficients are of every class, with the factors before them`() throws {
        let layers = [
            Layer(
                name: "input_scale", kind: .factors, inputs: 1, units: 2, activation: .identity, dropout: 0,
                hasBias: false),
            Layer(name: "dense", inputs: 2, units: 3, activation: .identity, dropout: 0, hasBias: false),
        ]
        var description = ModelDescription(
            task: .classification, network: Network(inputs: 2, layers: layers), loss: .crossEntropy, precision: .float32
        )
        description.columns = ["a", "b"]
        description.classes = ["x", "y", "z"]
        description.normalization = Normalization(shift: [0, 0], factor: [0.5, 1])
        let parameters = [
            LayerParameters(name: "input_scale", weight: Tensor(shape: [1, 2], storage: .float32([2, 1])), bias: nil),
            LayerParameters(
                name: "dense", weight: Tensor(shape: [2, 3], storage: .float32([3, 0, 0, 0, 6, 0])), bias: nil),
        ]
        let origin = FileOrigin(
            configuration: "{ name: 'a', data: { train: 'r.h5' }, model: { hidden: [], scale_inputs: true } }",
            baseDirectory: "/", fingerprint: "")
        let all = Coefficients.all(
            try TrainedModel(SavedModel(description, parameters: parameters), from: origin, path: "a.h5"))
        #expect(all.map(\.output) == ["x", "y", "z"])
        // a: weights 6, 0, 0 and mean 2; b: 0, 6, 0 and mean 2. A unit of a is half a spread.
        #expect(all[0].columns.map(\.name) == ["a", "b"] && all[0].columns.map(\.perSpread) == [4, -2])
        #expect(all[0].columns.map(\.perUnit) == [2, -2])
        #expect(all[1].columns.map(\.name) == ["b", "a"] && all[1].columns.map(\.perSpread) == [4, -2])
        #expect(all[2].columns.map(\.perSpread) == [-2, -2])
    }

    @Test func `what smooths labels in training has no say in what is judged`() throws {
        let directory = try TemporaryDirectory()
        let workers = Workers(count: 2)
        let models = try ["{}", "{ label_smoothing: 0.2 }"].map { try model(in: directory, loss: $0) }
        let found = try models.map { model in
            let rows = try model.rows(of: [directory.file("rows.h5")], workers: workers) { _, _ in }.rows
            let loss = try model.evaluate(rows, workers: workers).loss
            return (try TreadleRun.Importance(of: model, on: rows, workers: workers), loss)
        }
        #expect(found[0].0.findings == found[1].0.findings && found[0].1 == found[1].1)
        #expect(abs(found[1].1 - Self.expected.loss) < 1e-6)
    }

    /// The model says 2a for a target a between −1 and 1, and is bounded to what lies between −0.5 and 0.5.
    @Test func `a bounded prediction is judged within its bounds`() throws {
        let directory = try TemporaryDirectory()
        let a: [Float] = (0..<64).map { Float($0) / 32 - 1 }
        let file = try H5File.create(directory.file("rows.h5"))
        try file.write(a, to: "x", shape: [64, 1])
        try file.write(a, to: "y")
        try file.close()
        let layer = Layer(name: "dense", inputs: 1, units: 1, activation: .identity, dropout: 0, hasBias: false)
        var description = ModelDescription(
            task: .regression, network: Network(inputs: 1, layers: [layer]), loss: .mse, precision: .float32)
        description.normalization.targetLow = [-0.5]
        description.normalization.targetHigh = [0.5]
        let origin = FileOrigin(
            configuration:
                "{ name: 'a', task: 'regression', data: { train: 'rows.h5', normalize: 'none' }, model: { hidden: [] } }",
            baseDirectory: directory.path, fingerprint: "")
        let weights = LayerParameters(name: "dense", weight: Tensor(shape: [1, 1], storage: .float32([2])), bias: nil)
        let model = try TrainedModel(SavedModel(description, parameters: [weights]), from: origin, path: "a.h5")
        let workers = Workers(count: 2)
        let rows = try model.rows(of: [directory.file("rows.h5")], workers: workers) { _, _ in }.rows
        let expected =
            a.reduce(0.0) { sum, value in
                let error = Double(min(max(2 * value, -0.5), 0.5) - value)
                return sum + error * error
            } / 64
        let evaluation = try model.evaluate(rows, workers: workers)
        #expect(abs(evaluation.loss - expected) < 1e-7)
        #expect(abs((evaluation.metrics["rmse"] ?? 0) - expected.squareRoot()) < 1e-7)
        let importance = try TreadleRun.Importance(of: model, on: rows, workers: workers)
        #expect(abs(importance.loss - expected) < 1e-7)
    }

    @Test func `inputs that stand for one thing are one group`() {
        let groups = TreadleRun.Importance.groups(
            columns: ["age", "age is missing", "c=red", "c=blue", "day (year)", "day (month, sine)", "=x", "a b"],
            inputs: 8)
        #expect(groups.map(\.name) == ["age", "c", "day", "=x", "a b"])
        #expect(groups.map(\.columns) == [[0, 1], [2, 3], [4, 5], [6], [7]])
        #expect(TreadleRun.Importance.groups(columns: nil, inputs: 2).map(\.name) == ["input 0", "input 1"])
    }
}
