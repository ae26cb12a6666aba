import CKernels
import Foundation
import Testing
@testable import TreadleBase
@testable import TreadleConfiguration
@testable import TreadleData
@testable import TreadleEngine
@testable import TreadleModel
import TestSupport

/// Embeddings and factors before the first layer.
@Suite(.serialized) struct StemTests {
    static let networks: [Network] = [
        .stemmed(inputs: 6, embedded: [0, 2, 5], hidden: [9, 5], units: 2),
        .stemmed(inputs: 40, embedded: Array(0..<40), frequencies: 3, outputs: 2, hidden: [7], units: 3),
        .stemmed(inputs: 5, embedded: [1, 3], frequencies: 5, outputs: 1, scaled: false, hidden: [8], units: 2),
        .stemmed(inputs: 23, hidden: [6], units: 1),
        .stemmed(inputs: 5, embedded: [4], hidden: [], units: 1),
        .stemmed(inputs: 300, embedded: [17, 299], hidden: [3], units: 4),
        .stemmed(inputs: 6, embedded: [0, 2, 5], hidden: [9, 5], units: 2, functions: .ramps),
        .stemmed(
            inputs: 40, embedded: Array(0..<40), frequencies: 7, outputs: 2, scaled: false, hidden: [7], units: 3,
            functions: .ramps),
    ]

    @Test(arguments: networks)
    func `every gradient of a stem agrees with differences`(network: Network) {
        let check = GradientCheck(
            network: network, loss: LossFunction(type: .mse, outputs: network.outputs),
            parameters: network.parameters(Double.self, seed: 5), batchSize: 24, seed: 0, workers: Workers(count: 2))
        let batch = TestBatch<Double>(
            rows: 24, inputs: network.inputs, outputs: network.outputs, weighted: true, seed: 3)
        let findings = check.findings(claimed: check.gradients(batch.batch), on: batch.batch, samples: 25)
        #expect(findings.count == network.layers.reduce(0) { $0 + ($1.hasBias ? 2 : 1) })
        for finding in findings {
            // Differences in Float64 have some nine digits where the loss is smooth, as it is but where ramps end.
            #expect(finding.error < 1e-6, "\(finding)")
            #expect(network.stem.first?.kind == .ramps ? finding.checked > finding.kinks : finding.kinks == 0)
        }
    }

    @Test(arguments: networks)
    func `a stem computes what its formulas say`(network: Network) {
        let parameters = network.parameters(Double.self, seed: 8)
        let batch = TestBatch<Double>(rows: 19, inputs: network.inputs, outputs: network.outputs, seed: 4)
        let forward = ForwardPass<Double>(
            network: network, parameters: parameters, loss: LossFunction(type: .mse, outputs: network.outputs),
            maxRows: 19, workers: Workers(count: 2))
        let got = forward.run(batch.batch)
        for (row, x) in batch.x.enumerated() {
            let expected = Self.outputs(network, parameters, x)
            for unit in expected.indices {
                #expect(abs(got[row * network.outputs + unit] - expected[unit]) < 1e-12)
            }
        }
    }

    /// A network's outputs for one row, formula by formula.
    private static func outputs(_ network: Network, _ parameters: [LayerParameters], _ x: [Double]) -> [Double] {
        var a = x
        var waves: [Double] = []
        let columns = network.embedded
        let G = columns.count
        for (layer, values) in zip(network.layers, parameters) {
            let w = Double.values(of: values.weight)
            let b = values.bias.map { Double.values(of: $0) } ?? []
            var result = [Double](repeating: 0, count: layer.units)
            for unit in 0..<layer.units {
                switch layer.kind {
                case .waves:
                    let turns = x[columns[unit % G]] * w[unit] + b[unit]
                    result[unit] = cos(2 * Double.pi * turns)
                case .ramps: result[unit] = min(max(x[columns[unit % G]] * w[unit] + b[unit], 0), 1)
                case .combination:
                    var sum = b[unit]
                    for k in 0..<layer.inputs { sum += waves[k * G + unit % G] * w[k * layer.units + unit] }
                    result[unit] = sum
                case .factors: result[unit] = a[unit] * w[unit]
                case .dense:
                    var sum = b[unit]
                    for input in a.indices { sum += a[input] * w[input * layer.units + unit] }
                    result[unit] = layer.activation == .tanh ? tanh(sum) : sum
                }
            }
            switch layer.kind {
            case .waves, .ramps: waves = result
            case .combination: a += result
            case .factors, .dense: a = result
            }
        }
        return a
    }

    @Test(arguments: networks, Precision.allCases)
    func `steps with a stem give the same weights whatever computes them`(network: Network, precision: Precision) {
        var network = network
        network.precision = precision
        if precision == .float64 { compare(Double.self, network) } else { compare(Float.self, network) }
    }

    private func compare<S: Scalar>(_ type: S.Type, _ network: Network) {
        let unit = network.precision.shardUnit
        let expected = train(type, network, SameBitsTests.Way())
        #expect(expected.parameters != network.parameters(type, seed: 3))
        var ways = SameBitsTests.ways
        ways.append(.init(threads: 2, isa: CK_ISA_AMX))
        ways.append(.init(threads: 3, path: GradientPath(rows: .byColumns, isWhole: false), isa: CK_ISA_AMX))
        for way in ways where unit == 1 || way.path.rows != .inShards {
            let result = train(type, network, way)
            #expect(result.parameters == expected.parameters, "\(way)")
            #expect(result.optimizer == expected.optimizer, "\(way)")
        }
    }

    private func train<S: Scalar>(
        _ type: S.Type, _ network: Network, _ way: SameBitsTests.Way
    ) -> (parameters: [LayerParameters], optimizer: OptimizerState) {
        let before = ck_current_isa()
        defer { ck_use_isa(before) }
        ck_use_isa(way.isa)
        var optimizer = OptimizerConfiguration.plain(.adam, lr: 1e-2, weightDecay: 0.01)
        (optimizer.biasRate, optimizer.scaleRate, optimizer.embeddingRate) = (0.1, 6, 0.5)
        let step = TrainingStep<S>(
            network: network, loss: LossFunction(type: .mse, outputs: network.outputs), optimizer: optimizer,
            parameterization: .ntk, batchSize: 70, shards: Shards(batchSize: 70, unit: network.precision.shardUnit),
            accumulate: 1, seed: 11, workers: Workers(count: way.threads), path: way.path)
        step.sharing.fixedBlockRows = way.blockRows
        step.sharing.alwaysShares = true
        step.load(network.parameters(type, seed: 3), optimizer: OptimizerState())
        let batches = [70, 70, 5].enumerated().map { index, rows in
            TestBatch<S>(
                rows: rows, inputs: network.inputs, outputs: network.outputs, weighted: index % 2 == 0,
                seed: UInt64(index))
        }
        for index in 0..<12 { step.run(batches[index % 3].batch, step: index, rate: 1e-2) }
        return (step.parameters(), step.optimizerState())
    }

    @Test(arguments: [(1, 4), (2, 2), (3, 1)])
    func `prediction row by row gives the bits of the whole batch`(rows: Int, seed: Int) {
        for network in Self.networks {
            let parameters = network.parameters(Float.self, seed: UInt64(seed))
            let loss = LossFunction(type: .mse, outputs: network.outputs)
            let batch = TestBatch<Float>(rows: 97, inputs: network.inputs, outputs: network.outputs, seed: 6)
            let whole = ForwardPass<Float>(
                network: network, parameters: parameters, loss: loss, maxRows: 97, workers: Workers(count: 2))
            let expected = Array(UnsafeBufferPointer(start: whole.run(batch.batch), count: 97 * network.outputs))
            let predictor = RowPredictor(
                network: network, parameters: parameters, loss: loss, normalization: .none)
            for first in stride(from: 0, to: 96, by: rows) {
                let x = batch.x[first..<first + rows].flatMap { $0 }
                var got = [Float](repeating: 0, count: rows * network.outputs)
                _ = x.withUnsafeBytes {
                    predictor.predict(
                        $0.baseAddress!, .float, count: rows, into: &got, classes: nil, workers: Workers(count: 1))
                }
                #expect(got == Array(expected[first * network.outputs..<(first + rows) * network.outputs]))
            }
        }
    }
}
