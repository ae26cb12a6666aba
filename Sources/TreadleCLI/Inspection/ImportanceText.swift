internal import HDF5
internal import TreadleBase
internal import TreadleRun
internal import TreadleTools

/// Which columns a model goes by, for people and for programs.
struct ImportanceText {
    let importance: Importance
    let coefficients: [Coefficients]

    var text: String {
        let most = 50
        var table = TextTable([.init("column"), .init("the loss rises by", .right), .init("±", .right)])
        for finding in importance.findings.prefix(most) {
            let inputs = finding.group.columns.count
            let name = finding.group.name.printable + (inputs > 1 ? " (\(inputs) inputs)" : "")
            table.add([name, Figure.steady(finding.rise), Figure.steady(finding.spread)])
        }
        var text = table.text()
        let rest = importance.findings.count - most
        if rest > 0 { text += "and \(Figure.count(rest, "column")) that matter less\n" }
        text +=
            "Each column's values changed rows \(importance.repeats) times; as they are, the loss is "
            + "\(Figure.steady(importance.loss)).\n"
        let classes = 10
        text += coefficients.prefix(classes).map { "\n" + Self.text($0, most) }.joined()
        if coefficients.count > classes { text += "and \(coefficients.count - classes) more: --json has all\n" }
        return text
    }

    private static func text(_ coefficients: Coefficients, _ most: Int) -> String {
        var table = TextTable([
            .init("adds to \(coefficients.what.printable)"), .init("a unit", .right), .init("a spread", .right),
        ])
        for column in coefficients.columns.prefix(most) {
            table.add([column.name.printable, Figure.steady(column.perUnit), Figure.steady(column.perSpread)])
        }
        return table.text()
    }

    var members: [JSONValue.Member] {
        let findings = importance.findings.map { finding -> JSONValue in
            [
                "column": .string(finding.group.name),
                "inputs": .array(finding.group.columns.map(JSONValue.integer)),
                "rise": .number(finding.rise), "spread": .number(finding.spread),
            ]
        }
        let coefficients: JSONValue =
            coefficients.isEmpty
            ? .null
            : .array(
                coefficients.flatMap { coefficients in
                    coefficients.columns.map { column -> JSONValue in
                        .object(
                            (coefficients.output.map { [.init("output", .string($0))] } ?? []) + [
                                .init("column", .string(column.name)), .init("per_unit", .number(column.perUnit)),
                                .init("per_spread", .number(column.perSpread)),
                            ])
                    }
                })
        return [
            .init("importance", .array(findings)), .init("importance_repeats", .integer(importance.repeats)),
            .init("coefficients", coefficients),
        ]
    }
}
