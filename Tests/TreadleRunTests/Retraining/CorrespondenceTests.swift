import TestSupport
import Testing
@testable import TreadleBase
@testable import TreadleData
@testable import TreadleModel
@testable import TreadleRun
import RunTestSupport

/// How the columns and classes of new data are found in an earlier model.
@Suite struct CorrespondenceTests {
    private func model(columns: [String]? = ["a", "b", "c"], classes: [String]? = ["x", "y"]) -> ModelDescription {
        var model = sampleCheckpoint(inputs: 3).model.description
        model.columns = columns
        model.classes = classes
        return model
    }

    private func match(_ model: ModelDescription, _ data: DataIdentity) throws -> Correspondence {
        try Correspondence(of: model, at: "m.h5", to: data)
    }

    @Test func `columns and classes are found by name in any order, and a new class is seen`() throws {
        let found = try match(model(), .of(.named(["c", "a", "b"]), outputs: 3, classes: ["y", "new", "x"]))
        #expect(found.inputs == [2, 0, 1])
        #expect(found.outputs == [1, nil, 0])
        #expect(found.hasNewClasses)
        // Without names on either side, places are all that there is.
        let unnamed = try match(model(columns: nil, classes: nil), .of(.unnamed(3), outputs: 2))
        #expect(unnamed.inputs == [0, 1, 2] && unnamed.outputs == [0, 1] && !unnamed.hasNewClasses)
    }

    @Test func `what would be a guess is refused, and says what is missing`() {
        for (data, words) in [
            (DataIdentity.of(.named(["a", "b", "d"]), outputs: 2, classes: ["x", "y"]), "gone: c; new: d"),
            (.of(.named(["a", "b", "b"]), outputs: 2, classes: ["x", "y"]), "gone: c"),
            (.of(.named(["a", "b", "c"]), outputs: 1, classes: ["x"]), "no longer has the classes y"),
            (.of(.unnamed(4), outputs: 2, classes: ["x", "y"]), "the data has 4 inputs, m.h5 takes 3"),
            (.of(.named(["a", "b", "c"]), outputs: 5), "the data has 5 outputs, m.h5 has 2"),
        ] {
            let error = #expect(throws: TreadleError.self) { try match(model(), data) }
            #expect(error?.kind == .badData && error?.description.contains(words) == true, "\(error as Any)")
        }
    }

    @Test func `a category's new values are to the model what any other was, and days move with their origin`() throws {
        var old = model(columns: nil)
        old.schema = TableSchema(columns: [
            .init(name: "colour", kind: .category(values: ["red", "blue"], hasOther: true, hasMissing: false)),
            .init(name: "day", kind: .date(parts: [.days], origin: "2026-01-01", format: nil)),
            .init(name: "vip", kind: .flag(no: "no", yes: "yes")),
        ])
        let new = TableSchema(columns: [
            .init(name: "vip", kind: .flag(no: "no", yes: "yes")),
            .init(name: "day", kind: .date(parts: [.days], origin: "2026-01-11", format: nil)),
            .init(name: "colour", kind: .category(values: ["blue", "green"], hasOther: false, hasMissing: true)),
        ])
        let found = try match(old, .of(.table(new), outputs: 2, classes: ["x", "y"]))
        // The model's inputs: red, blue, other, days, vip. It has never seen a missing colour.
        #expect(found.inputs == [4, 3, 1, 2, nil])
        // Day 0 of the new data is day 10 of the model.
        #expect(found.offsets == [0, 10, 0, 0, 0])
        let other = TableSchema(columns: new.columns.map { .init(name: $0.name, kind: .flag(no: "0", yes: "1")) })
        #expect(throws: TreadleError.self) { try match(old, .of(.table(other), outputs: 2, classes: ["x", "y"])) }
    }

    @Test(arguments: 0..<12)
    func `a model says the same of rows whose columns and classes come in another order`(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        var model = sampleCheckpoint(
            seed: UInt64(seed), inputs: 5, outputs: 3, precision: .float64, embedded: seed % 2 == 0 ? [] : [1, 3],
            scales: seed % 3 == 0
        ).model
        let names = try #require(model.columns)
        let classes = ["cat", "dog", "fish"]
        model.classes = classes
        let order = Array(names.indices).shuffled(using: &random)
        let classOrder = Array(classes.indices).shuffled(using: &random)
        let arranged = model.arranged(
            by: try match(
                model.description,
                .of(.named(order.map { names[$0] }), outputs: 3, classes: classOrder.map { classes[$0] })))
        #expect(arranged.columns == order.map { names[$0] } && arranged.classes == classOrder.map { classes[$0] })
        let rows = (0..<20).map { _ in (0..<5).map { _ in Double.random(in: -3...3, using: &random) } }
        let expected = model.answers(rows).map { answer in classOrder.map { answer[$0] } }
        #expect(agree(arranged.answers(rows.map { row in order.map { row[$0] } }), expected))
    }

    @Test func `what the model does not know weighs nothing`() throws {
        var model = sampleCheckpoint(inputs: 4, outputs: 2, precision: .float64).model
        model.columns = ["a", "b", "c", "d"]
        var found = try match(
            model.description, .of(.named(["a", "b", "c", "d"]), outputs: 2, classes: ["cat", "Hündin"]))
        found.inputs = [3, nil, 1, 0, 2]
        let wider = model.arranged(by: found)
        #expect(wider.network.inputs == 5)
        let plain = model.answers([[0.5, 1, 2, 3]])
        for unknown in [-7.0, 0, 1e6] { #expect(agree(wider.answers([[3, unknown, 1, 0.5, 2]]), plain)) }
    }

    @Test(arguments: 0..<6)
    func `columns and classes that come back to their order give the model back, bit for bit`(seed: Int) throws {
        var random = SplitMix(seed: UInt64(seed))
        var model = sampleCheckpoint(
            seed: UInt64(seed), inputs: 5, outputs: 3, embedded: seed % 2 == 0 ? [] : [0, 1, 4], scales: seed % 3 == 0
        ).model
        let names = try #require(model.columns)
        let classes = ["cat", "dog", "fish"]
        model.classes = classes
        let (order, other) = (names.shuffled(using: &random), classes.shuffled(using: &random))
        let there = model.arranged(by: try match(model.description, .of(.named(order), outputs: 3, classes: other)))
        let back = there.arranged(by: try match(there.description, .of(.named(names), outputs: 3, classes: classes)))
        #expect(back == model && there.columns == order && there.classes == other)
    }
}
