@testable import TreadleBase
@testable import TreadleData
@testable import TreadleEngine
@testable import TreadleModel
@testable import TreadleRun

extension SavedModel {
    /// What the model says of rows in the data's own units: one list a row.
    func answers(_ rows: [[Double]]) -> [[Float]] {
        let width = self.network.outputs
        let predictor = RowPredictor(
            network: self.network, parameters: parameters, loss: LossFunction(type: self.loss, outputs: width),
            normalization: self.normalization)
        var values = [Float](repeating: .nan, count: rows.count * width)
        let failed = predictor.predict(
            rows.flatMap(\.self), .double, count: rows.count, into: &values, classes: nil, workers: Workers(count: 1))
        precondition(failed == nil, "the rows of a test are finite")
        return rows.indices.map { Array(values[$0 * width..<($0 + 1) * width]) }
    }
}

/// Whether two lists of answers agree to some digits: columns in another order are added up in another order.
func agree(_ first: [[Float]], _ second: [[Float]], to tolerance: Float = 1e-5) -> Bool {
    func agree(_ one: Float, _ other: Float) -> Bool { abs(one - other) <= tolerance * max(1, abs(one)) }
    return first.count == second.count
        && zip(first, second).allSatisfy { one, other in
            one.count == other.count && zip(one, other).allSatisfy(agree)
        }
}

extension DataIdentity {
    /// Data of which only the columns and the classes matter.
    static func of(_ inputs: InputColumns, outputs: Int, classes: [String]? = nil) -> DataIdentity {
        DataIdentity(
            fingerprint: "", rows: 1, features: inputs.inputs, outputs: outputs, inputs: inputs, classes: classes)
    }
}
