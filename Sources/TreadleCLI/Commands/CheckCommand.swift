internal import Foundation
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleEngine
internal import TreadleModel
internal import TreadleRun
internal import TreadleTools

/// `treadle check`: is this configuration right, and does its data fit?
enum CheckCommand {
    private static let job = Argument("JOB.json5", "the configuration")
    private static let resolved = Option.flag("resolved", "print every setting with its value, and look no further")

    static let command = Command(
        "check", group: .data, summary: "validate a configuration and its data without training",
        discussion: [
            "All errors of the configuration are reported at once. Then the data is opened and read through as training "
                + "would: how each dataset is stored and read, what will be slow and how to mend it, the network that comes of it, and "
                + "what model.precision costs on this CPU.",
            "What --resolved prints is a configuration that means the same.",
        ],
        examples: [
            .init("treadle check churn.json5", "before a long job"),
            .init("treadle check churn.json5 --resolved", "every setting, defaults included"),
            .init("treadle check churn.json5 --set optimizer.lr=0.01 --resolved > faster.json5", "a new configuration"),
        ],
        arguments: [job], options: [resolved],
        endsOnRequest: true, readsForeignRows: true,
        run: run)

    private static func run(_ call: Invocation) throws -> ExitCode {
        if call.has(resolved) {
            let configuration = try Configuration.load(
                path: call.argument(job), overrides: call.overrides, environment: ProcessInfo.processInfo.environment)
            try call.output.write(configuration.resolvedText)
            return .done
        }
        let stop = Signals.stop
        let configuration = try call.configuration(at: call.argument(job))
        let log = call.log
        let plan = try RunPlan(configuration, stop: stop) { log.write($0, $1) }
        if call.wantsJSON {
            try call.output.write(json: json(plan, configuration.model.precision))
        } else if !call.isQuiet {
            try call.output.write(text(plan, configuration.model.precision))
        }
        return .done
    }

    private static func text(_ plan: RunPlan, _ precision: Precision) -> String {
        var table = TextTable([.init(""), .init("")])
        for set in plan.sets { table.add([set.role, "\(Figure.count(set.rows, "row"))"]) }
        table.add(["network", plan.network.shape()])
        table.add(["parameters", Figure.grouped(plan.network.parameterCount)])
        if let remark = BFloat16Unit.remark(on: precision) { table.add([precision.rawValue, remark]) }
        table.add([
            "steps", "\(Figure.grouped(plan.stepsPerEpoch)) an epoch, \(Figure.grouped(plan.steps)) in all at most",
        ])
        table.add(["checkpoints", plan.directory])
        var text = table.text()
        for dataset in plan.datasets {
            text += "\n\(dataset.role)\n" + dataset.report.lines.map { "  \($0)\n" }.joined()
            text += dataset.report.warnings.map { "  warning: \($0)\n" }.joined()
        }
        return text
    }

    private static func json(_ plan: RunPlan, _ precision: Precision) -> JSONValue {
        let remark: JSONValue = BFloat16Unit.remark(on: precision).map { .string($0) } ?? .null
        return [
            "name": .string(plan.name),
            "sets": .array(plan.sets.map { ["role": .string($0.role), "rows": .integer($0.rows)] }),
            "layers": .array(([plan.network.inputs] + plan.network.dense.map(\.units)).map(JSONValue.integer)),
            "members": .integer(plan.network.members),
            "parameters": .integer(plan.network.parameterCount),
            "precision": .string(precision.rawValue),
            "precision_remark": remark,
            "steps_per_epoch": .integer(plan.stepsPerEpoch),
            "steps": .integer(plan.steps), "directory": .string(plan.directory),
            "datasets": .array(
                plan.datasets.map { dataset in
                    [
                        "role": .string(dataset.role),
                        "lines": .array(dataset.report.lines.map(JSONValue.string)),
                        "warnings": .array(dataset.report.warnings.map(JSONValue.string)),
                    ]
                }),
        ]
    }
}
