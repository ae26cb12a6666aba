import TestSupport
import Testing
@testable import TreadleData
@testable import TreadleRun

/// How far data has moved from what a model was trained on.
@Suite struct DriftTests {
    @Test func `means count in old deviations, spreads by the logarithm of their change, the worst first`() throws {
        // Deviations of 2, 10 and 1; the second column's has doubled, the third's mean has moved by a quarter.
        let old = Normalization(shift: [1, 10, 0], factor: [0.5, 0.1, 1])
        let new = Normalization(shift: [1, 10, 0.25], factor: [0.5, 0.05, 1])
        let drift = try #require(Drift(from: old, to: new, names: ["a", "b", "c"]))
        #expect(drift.columns.map(\.name) == ["b", "c", "a"])
        #expect(drift.columns.map(\.shift) == [0, 0.25, 0])
        #expect(drift.columns.map(\.scale) == [2, 1, 1])
        #expect(abs(drift.columns[0].amount - 1) < 1e-15)
        #expect(drift.columns[1].amount == 0.25 && drift.columns[2].amount == 0)
        #expect(drift.worst == drift.columns[0])
        #expect(Drift(from: old, to: new, names: nil)?.worst?.name == "column 2")
        // A spread that is halved is as far away as one that is doubled.
        let back = try #require(Drift(from: new, to: old, names: nil))
        #expect(abs(try #require(back.columns.first { $0.name == "column 2" }).amount - 1) < 1e-15)
    }

    @Test func `shares of categories move by standard deviations of what is 0 or 1`() throws {
        // A third column that no row had: one row in thirty now has it. The first is a number.
        let old = Normalization(shift: [0, 0, 0], factor: [1, 1, 1], shares: [-1, 0.2, 0])
        let new = Normalization(shift: [0.5, 0, 0], factor: [1, 1, 1], shares: [-1, 0.6, 0.03])
        let drift = try #require(Drift(from: old, to: new, names: ["n", "c=a", "c=b"]))
        let expected = ["n": 0.5, "c=a": 0.4 / (0.2 * 0.8).squareRoot(), "c=b": 0.03 / 0.001.squareRoot()]
        for column in drift.columns {
            let due = try #require(expected[column.name])
            #expect(abs(column.amount - due) < 1e-12 && column.scale == 1)
        }
        #expect(drift.columns.map(\.name) == ["c=a", "c=b", "n"])
        // A model from before shares were kept has none.
        let before = Normalization(shift: [0, 0, 0], factor: [1, 1, 1])
        #expect(Drift(from: before, to: new, names: nil)?.worst?.shift == 0.5)
    }

    @Test func `data that is not normalized by its own statistics has none`() {
        let fitted = Normalization(shift: [1], factor: [2])
        #expect(Drift(from: .none, to: fitted, names: nil) == nil)
        #expect(Drift(from: fitted, to: .none, names: nil) == nil)
        // A column that never changed has no spread to compare.
        let constant = Normalization(shift: [1], factor: [0])
        #expect(Drift(from: constant, to: fitted, names: nil)?.worst?.scale == 1)
    }

    @Test(arguments: 0..<8)
    func `columns in another order and in other units have moved as far`(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        func numbers(_ range: ClosedRange<Double>) -> [Double] {
            (0..<6).map { _ in .random(in: range, using: &random) }
        }
        let old = Normalization(shift: numbers(-5...5), factor: numbers(0.1...10))
        let new = Normalization(shift: numbers(-5...5), factor: numbers(0.1...10))
        let names = (0..<6).map { "column \($0)" }
        // A column x in other units is scale · x + zero.
        let (scale, zero) = (numbers(0.5...20), numbers(-100...100))
        let order = Array(0..<6).shuffled(using: &random)
        func moved(_ plain: Normalization) -> Normalization {
            Normalization(
                shift: order.map { scale[$0] * plain.shift[$0] + zero[$0] },
                factor: order.map { plain.factor[$0] / scale[$0] })
        }
        let drift = try #require(Drift(from: old, to: new, names: names)).columns
        let other = try #require(Drift(from: moved(old), to: moved(new), names: order.map { names[$0] })).columns
        #expect(other.map(\.name) == drift.map(\.name))
        for (one, two) in zip(drift, other) {
            #expect(abs(one.shift - two.shift) < 1e-9 && abs(one.scale / two.scale - 1) < 1e-9)
        }
    }
}
