import CAllocations
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleEngine
@testable import TreadleModel
import TestSupport

@Suite struct RowPredictorTests {
    /// Narrow first and later layers, outputs of one panel and of several.
    private static let shapes = [[13, 40, 3], [7, 64, 64, 1], [50, 70], [1000, 1], [33, 130, 90, 2]]

    private func predict<S: Scalar>(
        _ predictor: RowPredictor, _ rows: ArraySlice<[S]>, outputs: Int, threads: Int = 1
    ) -> [Float] {
        var values = [Float](repeating: .nan, count: rows.count * outputs)
        let number: StoredNumber = S.number == .float32 ? .float : .double
        let failed = predictor.predict(
            rows.flatMap { $0 }, number, count: rows.count, into: &values, classes: nil,
            workers: Workers(count: threads))
        #expect(failed == nil)
        return values
    }

    @Test(arguments: shapes, Precision.allCases)
    func `rows alone, together and on threads get the bits of the forward pass`(widths: [Int], precision: Precision) {
        if precision == .float64 {
            compare(Double.self, widths, precision)
        } else {
            compare(Float.self, widths, precision)
        }
    }

    private func compare<S: Scalar>(_: S.Type, _ widths: [Int], _ precision: Precision) {
        var network = Network.dense(widths, .tanh)
        network.precision = precision
        let (inputs, outputs) = (network.inputs, network.outputs)
        let parameters = network.parameters(S.self, seed: 4)
        let loss = LossFunction(type: outputs == 1 ? .mse : .crossEntropy, outputs: outputs)
        let batch = TestBatch<S>(rows: 101, inputs: inputs, outputs: outputs, classes: outputs > 1, seed: 6)
        let pass = ForwardPass<S>(
            network: network, parameters: parameters, loss: loss, maxRows: 101, workers: Workers(count: 1))
        let outputsOfPass = pass.run(batch.batch)
        let expected = (0..<101 * outputs).map { Float(outputsOfPass[$0]) }
        let predictor = RowPredictor(
            network: network, parameters: parameters, loss: loss, normalization: .none)
        #expect(predict(predictor, batch.x[...], outputs: outputs, threads: 3) == expected)
        for row in [0, 1, 50, 100] {
            let own = Array(expected[row * outputs..<(row + 1) * outputs])
            #expect(predict(predictor, batch.x[row...row], outputs: outputs) == own)
        }
        // As many rows as leave other strides between the panels behind.
        #expect(predict(predictor, batch.x[20..<27], outputs: outputs) == Array(expected[20 * outputs..<27 * outputs]))
    }

    @Test func `inputs are normalized, targets given in their own units, and the first bad row is named`() {
        let network = Network.dense([3, 2])
        let parameters = network.parameters(Float.self, seed: 1)
        let loss = LossFunction(type: .mse, outputs: 2)
        let plain = RowPredictor(network: network, parameters: parameters, loss: loss, normalization: .none)
        let scaled = RowPredictor(
            network: network, parameters: parameters, loss: loss,
            normalization: Normalization(
                shift: [1, 2, 3], factor: [2, 2, 2], targetShift: [10, 20], targetFactor: [0.5, 4]))
        let without = predict(plain, [[Float(2), 4, 6]][...], outputs: 2)
        let with = predict(scaled, [[Float(2), 4, 6]][...], outputs: 2)
        #expect(with == [Float(Double(without[0]) / 0.5 + 10), Float(Double(without[1]) / 4 + 20)])

        var rows = [Float](repeating: 1, count: 3 * 70)
        rows[3 * 45 + 1] = .nan
        rows[3 * 60] = .infinity
        var values = [Float](repeating: 0, count: 2 * 70)
        let failed = plain.predict(
            rows, .float, count: 70, into: &values, classes: nil, workers: Workers(count: 2))
        #expect(failed == 45)
    }

    @Test(.enabled(if: callocations_counts() != 0, "a sanitizer has taken malloc's place"))
    func `a hundred predictions allocate nothing`() {
        let network = Network.dense([32, 64, 64, 1], .tanh)
        let predictor = RowPredictor(
            network: network, parameters: network.parameters(Float.self, seed: 1),
            loss: LossFunction(type: .mse, outputs: 1), normalization: .none)
        let rows = [Float](repeating: 0.5, count: 32 * 100)
        var values = [Float](repeating: 0, count: 100)
        for count in [1, 100] {
            var before = 0
            for index in 0..<120 {
                if index == 20 { before = Int(callocations_of_this_thread()) }
                _ = predictor.predict(
                    rows, .float, count: count, into: &values, classes: nil, workers: Workers(count: 1))
            }
            let made = Int(callocations_of_this_thread()) - before
            #expect(made == 0, "\(made) allocations for \(count) rows")
        }
    }
}
