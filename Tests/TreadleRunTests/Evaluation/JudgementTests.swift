import Foundation
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleModel
@testable import TreadleRun
import TestSupport

/// What is said of answers, against scikit-learn, SciPy and NumPy: Scripts/fixtures/judgement.py.
@Suite struct JudgementTests {
    struct Expected: Decodable {
        struct Reliability: Decodable { var observed, predicted, weight: [Double], error: Double }
        struct Classification: Decodable {
            var outputs: Int
            var classes: [Int]
            var logits, predictions: [Double]
            var brier, temperature, average_precision: Double
            var reliability: Reliability
            var precision, recall, f1, support, false_positives, true_positives, accuracy_interval: [Double]
        }
        struct Regression: Decodable {
            var targets, predictions, quantiles: [Double]
            var bias, r2, rmse, mean_rmse, mean_mae: Double
        }
        var classification: [Classification]
        var regression: Regression
    }

    static let expected: Expected = Fixture.decoded("judgement.json")
    private let workers = Workers(count: 2)

    private func rows(_ data: Expected.Classification, _ predictions: [Double]) -> ScoredRows {
        var rows = ScoredRows(task: .classification, outputs: data.outputs, margin: 0x1p-52)
        rows.predictions = predictions
        rows.classes = data.classes
        rows.weights = data.classes.map { _ in 1 }
        return rows
    }

    private func near(_ found: [Double], _ expected: [Double], _ tolerance: Double = 1e-12) -> Bool {
        found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance }
    }

    @Test(arguments: expected.classification.indices)
    func `probabilities are judged as scikit-learn judges them`(_ index: Int) throws {
        let data = Self.expected.classification[index]
        let judgement = Judgement(rows(data, data.predictions), workers: workers)
        #expect(near([judgement.values["brier"] ?? .nan], [data.brier]))
        let reliability = try #require(judgement.reliability)
        #expect(near(reliability.bins.map(\.observed), data.reliability.observed))
        #expect(near(reliability.bins.map(\.predicted), data.reliability.predicted))
        #expect(reliability.bins.map(\.weight) == data.reliability.weight)
        #expect(near([reliability.error], [data.reliability.error]))
        #expect(near(judgement.scores.map(\.precision), data.precision))
        #expect(near(judgement.scores.map(\.recall), data.recall))
        #expect(near(judgement.scores.map(\.f1), data.f1))
        #expect(judgement.scores.map(\.actual) == data.support)
        let curve = try #require(judgement.curves.first { $0.column == 1 })
        let points = curve.points(judgement.rows.weights)
        let last = try #require(points.last)
        #expect(near([0] + points.map { $0.wrong / last.wrong }, data.false_positives))
        #expect(near([0] + points.map { $0.right / last.right }, data.true_positives))
        #expect(near([ScoreCurve.averagePrecision(points)], [data.average_precision]))
    }

    @Test func `the metrics of single rows are those of the batches`() throws {
        for data in MetricsTests.cases["classification"] ?? [] {
            for isWeighted in [false, true] {
                var rows = ScoredRows(task: .classification, outputs: data.outputs, margin: 0x1p-52)
                rows.predictions = data.predictions
                rows.classes = (data.classes ?? []).map(Int.init)
                rows.weights = isWeighted ? data.weights : data.weights.map { _ in 1 }
                let values = RowMetrics(rows, workers: workers).values()
                for (name, value) in (isWeighted ? data.weighted : data.plain).byName {
                    #expect(abs((values[name] ?? .nan) - value) < 1e-12, "\(name)")
                }
            }
        }
        for task in [LearningTask.multilabel, .regression] {
            for data in MetricsTests.cases[task.rawValue] ?? [] {
                var rows = ScoredRows(task: task, outputs: data.outputs, margin: 0x1p-52)
                rows.predictions = data.predictions
                rows.targets = data.values ?? []
                rows.weights = data.weights
                let values = RowMetrics(rows, workers: workers).values()
                for (name, value) in data.weighted.byName {
                    #expect(abs((values[name] ?? .nan) - value) < 1e-10 * max(1, abs(value)), "\(name)")
                }
            }
        }
    }

    @Test(arguments: expected.classification.indices)
    func `the temperature is where SciPy finds the least log loss`(_ index: Int) {
        let data = Self.expected.classification[index]
        let found = Temperature.fitted(rows(data, data.logits), workers: workers)
        // A minimum is flat: SciPy, which compares values, finds it to half of the digits.
        #expect(abs(found - data.temperature) < 1e-6 * data.temperature)
        #expect(found == Temperature.fitted(rows(data, data.logits), workers: Workers(count: 3)))
    }

    @Test func `rows that are all right, or that say nothing, end at the ends of the temperatures`() {
        let data = Self.expected.classification[0]
        let right = data.classes.flatMap { (number: Int) -> [Double] in number == 0 ? [1, 0] : [0, 1] }
        #expect(Temperature.fitted(rows(data, right), workers: workers) == Temperature.range.lowerBound)
        let wrong = data.classes.flatMap { (number: Int) -> [Double] in number == 1 ? [1, 0] : [0, 1] }
        #expect(Temperature.fitted(rows(data, wrong), workers: workers) == Temperature.range.upperBound)
    }

    @Test(arguments: expected.classification.indices)
    func `intervals agree with NumPy's draws, on any number of threads`(_ index: Int) throws {
        let data = Self.expected.classification[index]
        let metrics = RowMetrics(rows(data, data.predictions), metrics: [.accuracy, .auc], workers: workers)
        let found = Bootstrap(seed: 1, confidence: 0.95, workers: workers).intervals(of: metrics)
        let interval = try #require(found["accuracy"])
        // The ends of 1,000 draws move by some 0.07 standard deviations; three of those.
        let deviation = (interval.value * (1 - interval.value) / Double(data.classes.count)).squareRoot()
        #expect(near([interval.low, interval.high], data.accuracy_interval, 0.21 * deviation))
        for threads in [1, 3, 7] {
            let again = Bootstrap(seed: 1, confidence: 0.95, workers: Workers(count: threads)).intervals(of: metrics)
            #expect(again == found)
        }
        #expect(Bootstrap(seed: 2, confidence: 0.95, workers: workers).intervals(of: metrics) != found)
    }

    @Test func `a model is as good as itself, and worse answers are worse with confidence`() throws {
        let data = Self.expected.classification[0]
        let good = RowMetrics(rows(data, data.predictions), workers: workers)
        let bootstrap = Bootstrap(seed: 0, confidence: 0.9, workers: workers)
        let same = try #require(bootstrap.differences(of: good, from: good)["accuracy"])
        #expect(same.interval == Bootstrap.Interval(value: 0, low: 0, high: 0) && same.notWorse == 1)
        let bad = RowMetrics(rows(data, data.predictions).constant, workers: workers)
        let differences = bootstrap.differences(of: bad, from: good)
        let accuracy = try #require(differences["accuracy"])
        #expect(accuracy.interval.high < 0 && accuracy.notWorse == 0)
        // A margin forgives it.
        let forgiven = bootstrap.differences(of: bad, from: good, margin: 1)
        #expect(forgiven["accuracy"]?.notWorse == 1)
    }

    @Test func `every draw has as many rows as there are`() {
        for rows in [1, 2, 5, 1000] {
            let counts = Bootstrap.counts(rows, draw: 3, seed: 7)
            #expect(counts.count == rows && counts.reduce(0, +) == Double(rows))
        }
    }

    @Test func `the cheapest threshold costs least of all`() throws {
        let data = Self.expected.classification[0]
        let scored = rows(data, data.predictions)
        let points = ScoreCurve(scored, column: 1).points(scored.weights)
        for (alarm, missed) in [(1.0, 1.0), (1, 20), (20, 1), (1, 0)] {
            let found = try #require(ScoreCurve.cheapest(points, alarm: alarm, missed: missed))
            func cost(_ threshold: Double) -> Double {
                data.classes.indices.reduce(0) { sum, row in
                    let taken = data.predictions[row * 2 + 1] >= threshold
                    return sum
                        + (taken && data.classes[row] == 0 ? alarm : !taken && data.classes[row] == 1 ? missed : 0)
                } / Double(data.classes.count)
            }
            #expect(abs(cost(found.threshold) - found.cost) < 1e-12)
            #expect(abs(cost(0.5) - found.usual) < 1e-12)
            for threshold in stride(from: 0.0, through: 1, by: 0.01) { #expect(cost(threshold) >= found.cost - 1e-12) }
        }
    }

    @Test func `errors of quantities have NumPy's quantiles`() throws {
        let data = Self.expected.regression
        var rows = ScoredRows(task: .regression, outputs: 1, margin: 0)
        (rows.predictions, rows.targets, rows.weights) = (data.predictions, data.targets, data.targets.map { _ in 1 })
        let judgement = Judgement(rows, workers: workers)
        let spread = try #require(judgement.errors.first)
        #expect(near([spread.bias], [data.bias], 1e-10) && near(spread.quantiles, data.quantiles, 1e-10))
        #expect(near([judgement.values["r2"] ?? .nan, judgement.values["rmse"] ?? .nan], [data.r2, data.rmse], 1e-10))
        let baseline = judgement.baseline
        #expect(near([baseline["rmse"] ?? .nan, baseline["mae"] ?? .nan], [data.mean_rmse, data.mean_mae], 1e-10))
        #expect(abs(baseline["r2"] ?? .nan) < 1e-12)
        // Rows of weight 2 are two rows.
        rows.weights = rows.weights.indices.map { $0 < 100 ? 2 : 1 }
        let weighted = try #require(ErrorSpread(rows, column: 0))
        #expect(weighted.quantiles == weighted.quantiles.sorted())
    }
}
