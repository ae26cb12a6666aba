import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleModel
@testable import TreadleRun
import RunTestSupport

/// A run that starts from an earlier model's weights begins with that model's answers.
@Suite struct WarmStartTests {
    private let columns = InputColumns.named((0..<4).map { "column \($0)" })

    private func normalization(_ random: inout SplitMix, targets: Int) -> Normalization {
        func numbers(_ count: Int, _ range: ClosedRange<Double>) -> [Double] {
            (0..<count).map { _ in .random(in: range, using: &random) }
        }
        return Normalization(
            shift: numbers(4, -2...2), factor: numbers(4, 0.3...3), targetShift: numbers(targets, -5...5),
            targetFactor: numbers(targets, 0.2...4))
    }

    @Test(arguments: 0..<8)
    func `answers stay the same where inputs and targets are normalized otherwise`(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        var old = sampleCheckpoint(
            seed: UInt64(seed), precision: .float64, embedded: seed % 2 == 0 ? [] : [0, 2], scales: seed % 4 < 2
        ).model
        (old.task, old.loss, old.classes) = (.regression, .mse, nil)
        old.normalization = normalization(&random, targets: 2)
        var new = old
        new.normalization = normalization(&random, targets: 2)
        let fresh = numbers(for: old.network, .float64, seed: 99, stream: 5)
        new.parameters = try WarmStart(old, path: "m.h5").parameters(
            for: old.network, data: .of(columns, outputs: 2), normalization: new.normalization, fresh: fresh)
        #expect(new.parameters != old.parameters)
        let rows = (0..<20).map { _ in (0..<4).map { _ in Double.random(in: -3...3, using: &random) } }
        #expect(agree(new.answers(rows), old.answers(rows), to: 1e-4))
    }

    @Test func `data that begins to be normalized starts from a model without`() throws {
        var old = sampleCheckpoint(precision: .float64).model
        (old.task, old.loss, old.classes, old.normalization) = (.regression, .mse, nil, .none)
        var random = SplitMix(seed: 3)
        var new = old
        new.normalization = normalization(&random, targets: 2)
        new.parameters = try WarmStart(old, path: "m.h5").parameters(
            for: old.network, data: .of(columns, outputs: 2), normalization: new.normalization, fresh: old.parameters)
        let rows = [[0.5, -1, 2, 0], [3, 3, -3, 1]]
        #expect(agree(new.answers(rows), old.answers(rows), to: 1e-4))
    }

    @Test func `a class that the model does not know begins as a new one, the others as they were`() throws {
        let old = sampleCheckpoint(precision: .float64).model
        let network = sampleCheckpoint(outputs: 3, precision: .float64).network
        let fresh = numbers(for: network, .float64, seed: 5, stream: 1)
        let started = try WarmStart(old, path: "m.h5").parameters(
            for: network, data: .of(columns, outputs: 3, classes: ["Hündin", "new", "cat"]),
            normalization: old.normalization, fresh: fresh)
        #expect(started.dropLast() == old.parameters.dropLast())
        let (last, mine, theirs) = (started[2], old.parameters[2], fresh[2])
        func column(_ layer: LayerParameters, _ unit: Int) -> [Double] {
            let width = layer.weight.shape[1]
            return layer.weight.doubles.indices.filter { $0 % width == unit }.map { layer.weight.doubles[$0] }
                + [layer.bias?.doubles[unit] ?? .nan]
        }
        #expect(column(last, 0) == column(mine, 1))
        #expect(column(last, 1) == column(theirs, 1))
        #expect(column(last, 2) == column(mine, 0))
    }

    @Test func `another network is no continuation`() {
        let old = sampleCheckpoint().model
        for network in [
            sampleCheckpoint(hidden: [5, 4]).network, sampleCheckpoint(hidden: [5]).network,
            sampleCheckpoint(bias: false).network, sampleCheckpoint(scales: true).network,
        ] {
            let error = #expect(throws: TreadleError.self) {
                try WarmStart(old, path: "m.h5").parameters(
                    for: network, data: .of(columns, outputs: 2, classes: ["cat", "Hündin"]),
                    normalization: old.normalization,
                    fresh: numbers(for: network, .float32, seed: 1, stream: 1))
            }
            #expect(error?.kind == .configuration)
            #expect(error?.description.contains("model is not the network of m.h5 any more") == true)
        }
    }
}
