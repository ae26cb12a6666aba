internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleEngine
internal import TreadleModel

/// `treadle gradcheck`: are the gradients right?
enum GradcheckCommand {
    private static let job = Argument("JOB.json5", "the configuration", values: .file)
    private static let samples = Option.value(
        "samples", "N", "parameters to check of each layer's weights and of its biases (40)")

    /// The relative error above which a gradient is wrong: differences in Float64 are good to some 10⁻⁸.
    private static let limit = 1e-6

    static let command = Command(
        "gradcheck", group: .data,
        summary: "check every layer's gradient against finite differences, in Float64",
        discussion: [
            "Builds the network that the configuration and its data describe, takes up to 32 training rows through one step, "
                + "dropout included, and compares its gradients with central differences of the loss, at parameters that "
                + "the seed chooses. Exits with 1 when a relative error is above 1e-6.",
            "A network of \(Precision.rounding(joinedBy: "or")) is checked in Float64 too, without its rounding, which has no derivative: the "
                + "formulas are the same.",
            "Parameters at which the loss has a kink nearby (relu, hinge, mae) are counted and left out.",
        ],
        examples: [
            .init("treadle gradcheck churn.json5", "every layer, 40 parameters each"),
            .init("treadle gradcheck churn.json5 --samples 1000 --json", "more of them, for a script"),
        ],
        arguments: [job], options: [samples],
        endsOnRequest: true, readsForeignRows: true,
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        let stop = Signals.stop
        let count = try call.integer(samples) ?? 40
        let configuration = try call.configuration(at: call.argument(job))
        let log = call.log
        let findings = try GradientCheck.findings(for: configuration, samples: count, stop: stop) { log.write($0, $1) }
        let isRight = findings.allSatisfy { $0.error <= limit }
        if call.wantsJSON {
            try call.output.write(
                json: [
                    "right": .bool(isRight), "limit": .number(limit), "checked_in": .string("float64"),
                    "layers": json(findings),
                ])
        } else if !call.isQuiet || !isRight {
            try call.output.write(text(findings, configuration.model.precision))
        }
        return isRight ? .done : .negative
    }

    private static func text(_ findings: [GradientCheck.Finding], _ precision: Precision) -> String {
        var table = TextTable([
            .init("layer"), .init("parameter"), .init("checked", .right), .init("kinks", .right),
            .init("largest error", .right), .init("at"), .init("gradient", .right), .init("difference", .right),
            .init(""),
        ])
        for finding in findings {
            table.add([
                finding.layer, finding.parameter, "\(finding.checked)", "\(finding.kinks)",
                String(format: "%.1e", finding.error), finding.place.map(String.init).joined(separator: ","),
                String(format: "%.9g", finding.gradient), String(format: "%.9g", finding.difference),
                finding.error <= limit ? "ok" : "wrong",
            ])
        }
        guard precision.roundsOperands else { return table.text() }
        return table.text() + "checked in Float64, without the rounding of \(precision.rawValue)\n"
    }

    private static func json(_ findings: [GradientCheck.Finding]) -> JSONValue {
        .array(
            findings.map { finding in
                [
                    "layer": .string(finding.layer), "parameter": .string(finding.parameter),
                    "checked": .integer(finding.checked), "kinks": .integer(finding.kinks),
                    "error": .number(finding.error), "at": .array(finding.place.map(JSONValue.integer)),
                    "gradient": .number(finding.gradient), "difference": .number(finding.difference),
                ]
            })
    }
}
