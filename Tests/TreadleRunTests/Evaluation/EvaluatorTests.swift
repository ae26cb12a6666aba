import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel
@testable import TreadleRun

/// A network's loss and metrics on rows in files, against plain loops.
@Suite struct EvaluatorTests {
    private let directory: TemporaryDirectory
    private let x: [Double]
    private let y: [Double]
    private let weights: [Double]
    private static let (rows, inputs) = (2_500, 3)
    /// A linear model of the three inputs, and its bias.
    private let slopes = [0.5, -1.25, 2]
    private let bias = 0.75

    init() throws {
        directory = try TemporaryDirectory()
        var random = SplitMix(seed: 6)
        x = (0..<Self.rows * Self.inputs).map { _ in .random(in: -2...2, using: &random) }
        y = (0..<Self.rows).map { _ in .random(in: -4...4, using: &random) }
        weights = (0..<Self.rows).map { _ in .random(in: 0.5...2, using: &random) }
        let file = try H5File.create(directory.file("d.h5"))
        try file.write(x, to: "/x", shape: [Self.rows, Self.inputs])
        try file.write(y, to: "/y")
        try file.write(weights, to: "/w")
        try file.write(weights.map { 4 * $0 }, to: "/w4")
        // The columns from the last to the first, and the classes the other way round.
        let x = x
        let reversed = (0..<Self.rows).flatMap { row in (1...Self.inputs).map { x[(row + 1) * Self.inputs - $0] } }
        try file.write(reversed, to: "/reversed", shape: [Self.rows, Self.inputs])
        try file.write(y.map { $0 > 0 ? 0 : 1 as Int }, to: "/other")
        try file.write(y.map { $0 > 0 ? 1 : 0 as Int }, to: "/c")
        try file.close()
    }

    private func dataset(
        _ task: LearningTask, x: String = "/x", y: String, weight: String? = nil
    ) throws -> RowSet {
        RowSet(
            try Dataset.open(
                DataSource(files: ["d.h5"], x: x, y: y, weight: weight, rows: nil),
                DatasetSettings(
                    access: .auto, nonFinite: .error, baseDirectory: directory.path,
                    budget: MemoryBudget(limit: 1 << 28), workers: Workers(count: 2), note: { _, _ in }),
                targets: .learn(task)))
    }

    private func parameters(_ columns: [[Double]], _ biases: [Double]) -> [LayerParameters] {
        let weight = (0..<Self.inputs).flatMap { input in columns.map { $0[input] } }
        return [
            LayerParameters(
                name: "dense", weight: Double.tensor(weight, shape: [Self.inputs, columns.count]),
                bias: Double.tensor(biases, shape: [columns.count]))
        ]
    }

    private func evaluator(
        _ task: LearningTask, _ type: LossType, outputs: Int, _ metrics: [MetricName], threads: Int = 2
    ) -> Evaluator<Double> {
        var network = Network.dense([Self.inputs, outputs])
        network.precision = .float64
        return Evaluator(
            network: network, loss: LossFunction(type: type, outputs: outputs), task: task, metrics: metrics,
            workers: Workers(count: threads))
    }

    private func output(_ row: Int) -> Double {
        (0..<Self.inputs).reduce(bias) { $0 + slopes[$1] * x[row * Self.inputs + $1] }
    }

    @Test func `a regression's loss and metrics are their definitions, weights included`() throws {
        let found = try evaluator(.regression, .mse, outputs: 1, [.rmse, .mae, .r2]).evaluate(
            try dataset(.regression, y: "/y", weight: "/w"), parameters: parameters([slopes], [bias]),
            normalization: .none)
        let total = weights.reduce(0, +)
        func mean(_ value: (Int) -> Double) -> Double {
            (0..<Self.rows).reduce(0) { $0 + weights[$1] * value($1) } / total
        }
        let squared = mean { (output($0) - y[$0]) * (output($0) - y[$0]) }
        let center = mean { y[$0] }
        let spread = mean { (y[$0] - center) * (y[$0] - center) }
        #expect(found.rows == Self.rows)
        // A few thousand additions lose some ulps of 2⁻⁵².
        #expect(abs(found.loss - squared) < 1e-12 * squared)
        #expect(abs(found.metrics["rmse", default: .nan] - squared.squareRoot()) < 1e-12)
        #expect(abs(found.metrics["mae", default: .nan] - mean { abs(output($0) - y[$0]) }) < 1e-12)
        #expect(abs(found.metrics["r2", default: .nan] - (1 - squared / spread)) < 1e-12)
        #expect(found.confusion == nil)
    }

    @Test func `a classification's loss, accuracy and confusion are their definitions`() throws {
        let found = try evaluator(.classification, .crossEntropy, outputs: 2, [.accuracy, .logLoss, .confusion])
            .evaluate(
                try dataset(.classification, y: "/c"), parameters: parameters([[0, 0, 0], slopes], [0, bias]),
                normalization: .none)
        var (right, surprise) = (0, 0.0)
        var confusion = [[0.0, 0], [0, 0]]
        for row in 0..<Self.rows {
            let (actual, odds) = (y[row] > 0 ? 1 : 0, output(row))
            right += actual == (odds > 0 ? 1 : 0) ? 1 : 0
            let against = actual == 1 ? -odds : odds
            surprise += log(1 + exp(against))
            confusion[actual][odds > 0 ? 1 : 0] += 1
        }
        #expect(found.metrics["accuracy"] == Double(right) / Double(Self.rows))
        #expect(abs(found.loss - surprise / Double(Self.rows)) < 1e-12)
        #expect(abs(found.metrics["log_loss", default: .nan] - found.loss) < 1e-12)
        #expect(found.confusion == confusion)
    }

    @Test func `threads change no bit, and every row can be had by itself`() throws {
        let rows = try dataset(.regression, y: "/y", weight: "/w")
        let all = try (1...4).map {
            try evaluator(.regression, .huber, outputs: 1, [.rmse, .mae, .r2], threads: $0).evaluate(
                rows, parameters: parameters([slopes], [bias]), normalization: .none)
        }
        #expect(all.allSatisfy { $0 == all[0] })
        let scored = try evaluator(.regression, .huber, outputs: 1, []).score(
            rows, parameters: parameters([slopes], [bias]), normalization: .none)
        #expect(scored.predictions.count == Self.rows)
        #expect((0..<Self.rows).allSatisfy { abs(scored.predictions[$0] - output($0)) < 1e-13 })
        #expect(scored.targets == y)
    }

    @Test func `inputs that are normalized and weights that undo it give the same, in the target's own units`() throws {
        let rows = try dataset(.regression, y: "/y")
        let evaluator = evaluator(.regression, .mse, outputs: 1, [.rmse, .mae])
        let plain = try evaluator.evaluate(rows, parameters: parameters([slopes], [bias]), normalization: .none)
        let (shift, factor): ([Double], [Double]) = ([0.5, -2, 1], [2, 0.25, 4])
        let (targetShift, targetFactor) = (1.5, 0.5)
        // (Σ s·x + b − shift of y)·factor of y, for x = z / factor + shift.
        let scaled = (0..<3).map { (input: Int) -> Double in slopes[input] / factor[input] * targetFactor }
        var moved = bias - targetShift
        for input in 0..<3 { moved += slopes[input] * shift[input] }
        moved *= targetFactor
        let other = try evaluator.evaluate(
            rows, parameters: parameters([scaled], [moved]),
            normalization: Normalization(
                shift: shift, factor: factor, targetShift: [targetShift], targetFactor: [targetFactor]))
        for name in ["rmse", "mae"] {
            #expect(abs(other.metrics[name, default: .nan] - plain.metrics[name, default: 0]) < 1e-12)
        }
        // The loss is of the normalized targets.
        #expect(abs(other.loss - plain.loss * targetFactor * targetFactor) < 1e-12)
    }

    @Test func `a stop ends it between batches`() throws {
        let stop = Stop()
        stop.request()
        #expect(throws: Stop.error("request")) {
            try evaluator(.regression, .mse, outputs: 1, []).evaluate(
                try dataset(.regression, y: "/y"), parameters: parameters([slopes], [bias]), normalization: .none,
                stop: stop)
        }
    }

    @Test func `columns in another order with their weights say the same`() throws {
        let evaluator = evaluator(.regression, .mse, outputs: 1, [.rmse, .mae, .r2])
        let plain = try evaluator.evaluate(
            try dataset(.regression, y: "/y", weight: "/w"), parameters: parameters([slopes], [bias]),
            normalization: .none)
        let other = try evaluator.evaluate(
            try dataset(.regression, x: "/reversed", y: "/y", weight: "/w"),
            parameters: parameters([slopes.reversed()], [bias]), normalization: .none)
        // Three products are added up in another order.
        #expect(abs(other.loss - plain.loss) < 1e-13 * plain.loss)
        #expect(other.metrics.allSatisfy { abs($0.value - plain.metrics[$0.key, default: .nan]) < 1e-13 })
    }

    @Test func `weights count as shares: all of them fourfold change no bit`() throws {
        let evaluator = evaluator(.regression, .huber, outputs: 1, [.rmse, .mae, .r2])
        let both = try ["/w", "/w4"].map { weight in
            try evaluator.evaluate(
                try dataset(.regression, y: "/y", weight: weight), parameters: parameters([slopes], [bias]),
                normalization: .none)
        }
        #expect(both[0].loss == both[1].loss && both[0].metrics == both[1].metrics)
    }

    @Test func `classes that trade their numbers trade their places among the answers`() throws {
        let evaluator = evaluator(.classification, .crossEntropy, outputs: 2, [.accuracy, .macroF1, .confusion])
        let plain = try evaluator.evaluate(
            try dataset(.classification, y: "/c"), parameters: parameters([[0, 0, 0], slopes], [0, bias]),
            normalization: .none)
        let other = try evaluator.evaluate(
            try dataset(.classification, y: "/other"), parameters: parameters([slopes, [0, 0, 0]], [bias, 0]),
            normalization: .none)
        #expect(abs(other.loss - plain.loss) < 1e-13)
        #expect(other.metrics["accuracy"] == plain.metrics["accuracy"])
        #expect(abs(other.metrics["macro_f1", default: .nan] - plain.metrics["macro_f1", default: 0]) < 1e-13)
        let confusion = try #require(plain.confusion)
        let traded: [[Double]] = confusion.reversed().map { Array($0.reversed()) }
        #expect(other.confusion == traded)
    }
}
