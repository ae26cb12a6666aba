import Foundation
import HDF5
import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleModel
@testable import TreadleRun

/// Predictions from files of every kind, by a model that was trained on named columns.
@Suite(.serialized) struct PredictorTests {
    private let directory: TemporaryDirectory
    private let x: [Float]
    private let model: TrainedModel
    private static let rows = 230
    private static let names = ["a", "b", "c", "d"]

    init() throws {
        directory = try TemporaryDirectory()
        var random = SplitMix(seed: 8)
        x = (0..<Self.rows * 4).map { _ in .random(in: -3...3, using: &random) }
        let file = try H5File.create(directory.file("d.h5"))
        try file.write(x, to: "/x", shape: [Self.rows, 4])
        try file.write(strings: Self.names, to: "/columns")
        let x = x
        let y = (0..<Self.rows).map { (row: Int) -> Float in
            let (a, b, c) = (x[row * 4], x[row * 4 + 1], x[row * 4 + 2])
            return 3 * a - b * c + 50
        }
        try file.write(y, to: "/y")
        try file.close()
        let job = try Configuration.parse(
            text: """
                { name: "p", task: "regression", data: { train: "d.h5", valid: null, normalize_target: "standard" },
                  model: { hidden: [{ units: 7, activation: "tanh" }], members: 2 }, stop: { epochs: 2, early: null },
                  retrain: null }
                """, file: "job", baseDirectory: directory.path)
        let summary = try Trainer.run(job, observer: SilentObserver())
        model = try TrainedModel(try CheckpointFile(try #require(summary.checkpoint)))
    }

    /// Keeps all that it is given.
    private final class Kept: PredictionSink {
        var values: [Double] = []
        var spread: [Double] = []
        var isFinished = false

        func write(_ predictions: Predictions) throws {
            #expect(predictions.rows.lowerBound == values.count)
            values += predictions.values
            spread += predictions.spread
        }

        func finish() throws { isFinished = true }
    }

    private func table(_ order: [Int], delimiter: String = ",", more: String? = nil) -> String {
        let header = (order.map { Self.names[$0] } + (more.map { [$0] } ?? [])).joined(separator: delimiter)
        let lines = (0..<Self.rows).map { row in
            (order.map { "\(x[row * 4 + $0])" } + (more == nil ? [] : ["17"])).joined(separator: delimiter)
        }
        return ([header] + lines).joined(separator: "\n") + "\n"
    }

    private func predict(table path: String, options: TableOptions = TableOptions()) throws -> [Double] {
        let kept = Kept()
        let count = try Predictor(model, workers: Workers(count: 2)).predict(table: path, options: options) { rows in
            #expect(rows == Self.rows)
            return kept
        }
        #expect(count == Self.rows && kept.isFinished)
        return kept.values
    }

    private func predict(files: [String], spread: Bool = false) throws -> Kept {
        let kept = Kept()
        _ = try Predictor(model, workers: Workers(count: 2), spread: spread).predict(
            files: files, x: nil, directory: directory.path, note: { _, _ in }
        ) { _ in kept }
        return kept
    }

    @Test func `HDF5, CSV and NPY give the same bits, whatever the order of named columns`() throws {
        let expected = try predict(files: ["d.h5"]).values
        #expect(Set(expected).count > Self.rows / 2)
        for (number, order) in [[0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]].enumerated() {
            let path = try directory.write(table(order), to: "t\(number).csv")
            #expect(try predict(table: path) == expected)
        }
        // Columns that the model does not know are left out; tabs are as good as commas.
        let tabs = try directory.write(table([1, 0, 3, 2], delimiter: "\t", more: "extra"), to: "t.tsv")
        #expect(try predict(table: tabs) == expected)
        var npy = Data([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0])
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(Self.rows), 4), }"
        npy.append(Data((header + String(repeating: " ", count: 117 - header.count) + "\n").utf8))
        npy.append(x.withUnsafeBytes { Data($0) })
        #expect(try predict(table: directory.write(npy, to: "x.npy")) == expected)
        // An HDF5 file with its columns in another order, too.
        let file = try H5File.create(directory.file("other.h5"))
        let order = [2, 0, 3, 1]
        try file.write(
            (0..<Self.rows).flatMap { row in order.map { x[row * 4 + $0] } }, to: "/x", shape: [Self.rows, 4])
        try file.write(strings: order.map { Self.names[$0] }, to: "/columns")
        try file.close()
        #expect(try predict(files: ["other.h5"]).values == expected)
    }

    @Test func `members' disagreement comes with the predictions where it is asked for`() throws {
        let kept = try predict(files: ["d.h5"], spread: true)
        #expect(kept.spread.count == Self.rows && kept.spread.allSatisfy { $0 > 0 })
        #expect(try predict(files: ["d.h5"]).spread.isEmpty)
    }

    @Test func `what does not fit is refused with its place`() throws {
        let missing = try directory.write("a,b,c\n1,2,3\n", to: "few.csv")
        var error = #expect(throws: TreadleError.self) { try predict(table: missing) }
        #expect(error?.description.contains("has no column \"d\"") == true, "\(error as Any)")
        var lines = table([0, 1, 2, 3]).split(separator: "\n").map(String.init)
        lines[120] = "1,,3,4"
        let gap = try directory.write(lines.joined(separator: "\n"), to: "gap.csv")
        error = #expect(throws: TreadleError.self) { try predict(table: gap) }
        #expect(error?.description.contains("row 120, input 2 is missing or not finite") == true, "\(error as Any)")
        let empty = try directory.write("a,b,c,d\n", to: "empty.csv")
        error = #expect(throws: TreadleError.self) { try predict(table: empty, options: TableOptions(header: true)) }
        #expect(error?.description.contains("has no rows to predict from") == true, "\(error as Any)")
    }

    @Test func `a row's prediction has the same bits wherever it stands, and in whichever of several files`() throws {
        let expected = try predict(files: ["d.h5"]).values
        var random = SplitMix(seed: 3)
        let order = Array(0..<Self.rows).shuffled(using: &random)
        for (name, rows) in [("first.h5", order[..<90]), ("second.h5", order[90...])] {
            let file = try H5File.create(directory.file(name))
            try file.write(rows.flatMap { x[$0 * 4..<($0 + 1) * 4] }, to: "/x", shape: [rows.count, 4])
            try file.write(strings: Self.names, to: "/columns")
            try file.close()
        }
        #expect(try predict(files: ["first.h5", "second.h5"]).values == order.map { expected[$0] })
        #expect(try predict(files: ["second.h5"]).values == order[90...].map { expected[$0] })
    }

    @Test func `a stop ends it before the output is finished`() throws {
        let stop = Stop()
        stop.request()
        let kept = Kept()
        let error = #expect(throws: TreadleError.self) {
            try Predictor(model, workers: Workers(count: 2), stop: stop).predict(
                files: ["d.h5"], x: nil, directory: directory.path, note: { _, _ in }
            ) { _ in kept }
        }
        #expect(error?.kind == .tryAgain && error?.description == "stopped by request" && !kept.isFinished)
    }
}
