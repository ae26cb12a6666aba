import Foundation
import Testing
import TreadleBase
import TreadleConfiguration
import TreadleData
import TreadleModel
import TreadleRun
import TestSupport

/// The metrics against scikit-learn's, from Scripts/fixtures/metrics.py.
@Suite struct MetricsTests {
    struct Case: Decodable {
        var outputs: Int
        var classes: [Int32]?
        var values: [Double]?
        var predictions: [Double]
        var weights: [Double]
        var plain: Expected
        var weighted: Expected

        var rows: Int { predictions.count / outputs }
    }

    struct Expected: Decodable {
        var accuracy, macro_f1, log_loss, auc, rmse, mae, r2: Double?
        var confusion: [[Double]]?

        var byName: [String: Double] {
            [
                "accuracy": accuracy, "macro_f1": macro_f1, "log_loss": log_loss, "auc": auc, "rmse": rmse, "mae": mae,
                "r2": r2,
            ].compactMapValues { $0 }
        }
    }

    static let cases: [String: [Case]] = Fixture.decoded("metrics.json")

    static func measured(
        _ data: Case, _ names: [MetricName], task: LearningTask, weighted: Bool, batch: Int, threads: Int = 2,
        factor: [Double] = []
    ) -> Metrics {
        var metrics = Metrics(
            names, task: task, outputs: data.outputs,
            normalization: Normalization(targetShift: factor.map { _ in 0 }, targetFactor: factor),
            workers: Workers(count: threads))
        let (predictions, weights) = (Pinned(data.predictions), Pinned(data.weights))
        let (classes, values) = (Pinned(data.classes ?? []), Pinned(data.values ?? []))
        for start in stride(from: 0, to: data.rows, by: batch) {
            metrics.add(
                predictions[from: start * data.outputs], stride: data.outputs, rows: min(batch, data.rows - start),
                targets: data.classes == nil
                    ? .values(values[from: start * data.outputs]) : .classes(classes[from: start]),
                weights: weighted ? weights[from: start] : nil)
        }
        return metrics
    }

    static let tasks: [(LearningTask, [MetricName])] = [
        (.classification, [.accuracy, .macroF1, .logLoss, .auc, .confusion]),
        (.multilabel, [.accuracy, .macroF1, .logLoss, .auc]),
        (.regression, [.rmse, .mae, .r2]),
    ]

    @Test(arguments: [false, true], [7, 1000])
    func `every metric is scikit-learn's, with and without weights`(weighted: Bool, batch: Int) throws {
        for (task, names) in Self.tasks {
            for data in try #require(Self.cases[task.rawValue]) {
                let metrics = Self.measured(data, names, task: task, weighted: weighted, batch: batch)
                let expected = weighted ? data.weighted : data.plain
                let results = metrics.results()
                #expect(results.keys.sorted() == expected.byName.keys.sorted())
                for (name, value) in expected.byName {
                    // Both sum some hundred numbers; sums of squares about 1,000 cost a few digits.
                    #expect(abs(try #require(results[name]) - value) <= 1e-11 * max(1, abs(value)), "\(name)")
                }
                #expect(metrics.confusion == expected.confusion)
            }
        }
    }

    @Test func `the number of threads changes no bit`() throws {
        for (task, names) in Self.tasks {
            let data = try #require(Self.cases[task.rawValue]?.first)
            let expected = Self.measured(data, names, task: task, weighted: true, batch: 300, threads: 1).results()
            for threads in [2, 3, 8] {
                let got = Self.measured(data, names, task: task, weighted: true, batch: 300, threads: threads)
                #expect(got.results() == expected)
            }
        }
    }

    @Test func `errors are in the target's own units`() throws {
        var data = try #require(Self.cases["regression"]?.first)
        data.values = data.values?.map { ($0 - 1000) * 0.25 }
        data.predictions = data.predictions.map { ($0 - 1000) * 0.25 }
        let results = Self.measured(
            data, [.rmse, .mae, .r2], task: .regression, weighted: false, batch: 64, factor: [0.25]
        ).results()
        for (name, value) in data.plain.byName {
            #expect(abs(try #require(results[name]) - value) <= 1e-11 * value)
        }
    }

    @Test func `a probability of zero for the truth costs a finite loss`() {
        let data = Case(
            outputs: 2, classes: [1, 0], predictions: [1, 0, 1, 0], weights: [1, 1], plain: Expected(),
            weighted: Expected())
        let results = Self.measured(data, [.logLoss], task: .classification, weighted: false, batch: 2).results()
        #expect(abs(results["log_loss", default: 0] - 18.02182669) < 1e-6)
    }
}
