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

    @Test(arguments: [true, false])
    func `without biases the scale of numbers is taken up, and that their center is not is said`(isCentered: Bool)
        throws
    {
        var random = SplitMix(seed: 5)
        var old = sampleCheckpoint(precision: .float64, bias: false).model
        (old.task, old.loss, old.classes) = (.regression, .mse, nil)
        old.normalization = normalization(&random, targets: 2)
        var new = old
        new.normalization = normalization(&random, targets: 2)
        if isCentered {
            (new.normalization.shift, new.normalization.targetShift) = (
                old.normalization.shift, old.normalization.targetShift
            )
        }
        var notes: [String] = []
        new.parameters = try WarmStart(old, path: "m.h5").parameters(
            for: old.network, data: .of(columns, outputs: 2), normalization: new.normalization, fresh: old.parameters
        ) { notes.append($0) }
        let rows = [[0.5, -1, 2, 0], [3, 3, -3, 1]]
        #expect(agree(new.answers(rows), old.answers(rows), to: 1e-4) == isCentered)
        #expect(
            notes
                == (isCentered
                    ? []
                    : [
                        "model has no biases, and only they can take up that its numbers are centered otherwise than those "
                            + "that m.h5 was trained on: its answers begin shifted"
                    ]))
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

    @Test(arguments: 0..<6)
    func `members, ramps and columns in another order answer as before, however they are normalized`(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        var old = sampleCheckpoint(precision: .float64, embedded: [1, 3], scales: seed % 2 == 0).model
        (old.task, old.loss, old.classes) = (.regression, .mse, nil)
        if seed % 3 > 0 { old.network.layers[0].kind = .ramps }
        old.network = Network(members: [old.network, old.network])
        old.parameters = numbers(for: old.network, .float64, seed: UInt64(seed), stream: 7)
        old.normalization = normalization(&random, targets: 2)
        let order = Array(0..<4).shuffled(using: &random)
        var new = old
        new.network.embedded = order.indices.filter { old.network.embedded.contains(order[$0]) }
        new.normalization = normalization(&random, targets: 2)
        let fresh = numbers(for: new.network, .float64, seed: 99, stream: 5)
        new.parameters = try WarmStart(old, path: "m.h5").parameters(
            for: new.network, data: .of(.named(order.map { "column \($0)" }), outputs: 2),
            normalization: new.normalization, fresh: fresh)
        let rows = (0..<20).map { _ in (0..<4).map { _ in Double.random(in: -3...3, using: &random) } }
        #expect(agree(new.answers(rows.map { row in order.map { row[$0] } }), old.answers(rows), to: 1e-4))
    }

    @Test func `a normalization and back is where it began`() throws {
        var random = SplitMix(seed: 12)
        var old = sampleCheckpoint(precision: .float64, embedded: [0, 2], scales: true).model
        (old.task, old.loss, old.classes) = (.regression, .mse, nil)
        old.normalization = normalization(&random, targets: 2)
        var there = old
        there.normalization = normalization(&random, targets: 2)
        func start(_ from: SavedModel, _ to: Normalization) throws -> [LayerParameters] {
            try WarmStart(from, path: "m.h5").parameters(
                for: old.network, data: .of(columns, outputs: 2), normalization: to, fresh: old.parameters)
        }
        there.parameters = try start(old, there.normalization)
        for (back, first) in zip(try start(there, old.normalization), old.parameters) {
            let pairs = zip(
                back.weight.doubles + (back.bias?.doubles ?? []), first.weight.doubles + (first.bias?.doubles ?? []))
            // A few roundings each way, of sums that are some ten times as large as what is left of them.
            #expect(pairs.allSatisfy { abs($0 - $1) < 1e-12 })
        }
    }

    @Test func `weights that do not fit give way to new ones where they may, and that is said`() throws {
        let old = sampleCheckpoint().model
        let optional = WarmStart(old, path: "m.h5", isOptional: true)
        var notes: [String] = []
        func start(_ network: Network) throws -> (started: [LayerParameters], fresh: [LayerParameters]) {
            let fresh = numbers(for: network, .float32, seed: 1, stream: 1)
            let started = try optional.parameters(
                for: network, data: .of(columns, outputs: 2, classes: ["cat", "Hündin"]),
                normalization: old.normalization, fresh: fresh
            ) { notes.append($0) }
            return (started, fresh)
        }
        let fitting = try start(old.network)
        #expect(fitting.started == old.parameters && fitting.fresh != old.parameters && notes.isEmpty)
        let other = try start(sampleCheckpoint(hidden: [5, 4]).network)
        #expect(other.started == other.fresh && notes.count == 1)
        #expect(notes.first?.hasPrefix("starting from new weights: model is not the network of m.h5 any more") == true)
    }
}
