internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleModel
package import TreadleRun

/// A model on a page of Markdown, headed by the front matter that model hubs read.
package struct ModelCard {
    private let inspection: Inspection
    private let evaluated: EvaluatedSet?
    private let importance: Importance?

    package init(_ inspection: Inspection, evaluated: EvaluatedSet?, importance: Importance? = nil) {
        self.inspection = inspection
        self.importance = importance
        self.evaluated = evaluated
    }

    private var checkpoint: CheckpointHead { inspection.checkpoint }

    private var name: String {
        checkpoint.knownSettings?.name ?? "model"
    }

    package var text: String {
        [front, purpose, inputs, worth, columns, health, training].compactMap { $0 }.joined(separator: "\n")
    }

    /// YAML, whose texts are spelled as JSON spells them.
    private var front: String {
        let kind = checkpoint.task == .regression ? "tabular-regression" : "tabular-classification"
        var lines = [
            "---", "library_name: treadle", "pipeline_tag: \(kind)", "tags:", "- treadle", "- tabular",
        ]
        if let evaluated {
            lines += [
                "model-index:", "- name: \(JSONValue.string(name.printable).text())", "  results:",
                "  - task:", "      type: \(kind)", "    dataset:",
                "      name: \(JSONValue.string(evaluated.set).text())", "      type: tabular", "    metrics:",
            ]
            for (metric, value) in values where value.isFinite {
                lines += ["    - type: \(metric)", "      value: \(Figure.digits(6, value))"]
            }
        }
        return (lines + ["---", ""]).joined(separator: "\n")
    }

    private var values: [(name: String, value: Double)] {
        guard let evaluation = evaluated?.evaluation else { return [] }
        return [("loss", evaluation.loss)]
            + evaluation.metrics.keys.sorted().map { ($0, evaluation.metrics[$0] ?? .nan) }
    }

    private var purpose: String {
        let outputs =
            checkpoint.classes.map { "says which it is of: " + $0.prefix(40).map(\.markdown).joined(separator: ", ") }
            ?? "gives \(Figure.count(checkpoint.network.outputs, "number"))"
        let sizes = ([checkpoint.network.inputs] + checkpoint.network.layers.map(\.units)).map(String.init)
        return """
            # \(name.markdown)

            A network of \(sizes.joined(separator: "–")) units, \(Figure.count(checkpoint.network.parameterCount, "parameter")), for \
            \(checkpoint.task.rawValue): it \(outputs).

            """
    }

    private var inputs: String? {
        guard let columns = checkpoint.columns else { return nil }
        let shown = columns.prefix(200).map { "- \($0.markdown)" }.joined(separator: "\n")
        let more = columns.count > 200 ? "\n- … \(columns.count - 200) more" : ""
        return "## Inputs\n\n\(shown)\(more)\n"
    }

    private var worth: String? {
        guard let evaluated else { return nil }
        var lines = [
            "## Evaluation", "", "On \(Figure.count(evaluated.evaluation.rows, "row")) (\(evaluated.set)):", "",
        ]
        let baseline = evaluated.judgement
        let title = baseline.map { $0.baselineName(classes: checkpoint.classes).markdown } ?? ""
        lines +=
            baseline == nil
            ? ["| metric | value |", "|---|---:|"] : ["| metric | value | \(title) |", "|---|---:|---:|"]
        for (metric, value) in values {
            let other = baseline.map { $0.baseline[metric].map { Figure.digits(4, $0) } ?? "" }
            lines.append("| \(metric) | \(Figure.digits(4, value)) |" + (other.map { " \($0) |" } ?? ""))
        }
        if let brier = baseline?.values["brier"] {
            let other = baseline?.baseline["brier"].map { Figure.digits(4, $0) } ?? ""
            lines.append("| brier | \(Figure.digits(4, brier)) | \(other) |")
        }
        if let error = baseline?.reliability?.error {
            lines.append("| calibration error | \(Figure.digits(4, error)) | |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var columns: String? {
        guard let importance else { return nil }
        let all = evaluated?.evaluation.rows ?? importance.rows
        let rows = Figure.part(importance.rows, of: all, "row")
        let lines = importance.findings.prefix(12).map { finding in
            "| \(finding.group.name.markdown) | \(Figure.digits(4, finding.rise)) ± \(Figure.digits(2, finding.spread)) |"
        }
        return """
            ## Which columns matter

            By how much the loss of \(rows) rises when a column's values change rows, \(importance.repeats) times over:

            | column | rise |
            |---|---:|
            \(lines.joined(separator: "\n"))

            """
    }

    private var health: String? {
        guard !inspection.signs.isEmpty else { return nil }
        let signs = inspection.signs.map { "- **\($0.finding.markdown)**: \($0.meaning.markdown)" }
        return "## What to mind\n\n\(signs.joined(separator: "\n"))\n"
    }

    private var training: String {
        let facts = InspectionFacts(inspection).all.map { "| \($0.name.markdown) | \($0.text.markdown) |" }
        return """
            ## Where it comes from

            | | |
            |---|---|
            \(facts.joined(separator: "\n"))

            The weights are a function of configuration, data and seed: `treadle reproduce` computes them again, bit for bit.

            """
    }
}

extension String {
    /// This text where Markdown would read marks into it.
    fileprivate var markdown: String {
        var text = ""
        for character in printable {
            if "\\`*_{}[]<>#|".contains(character) { text.append("\\") }
            text.append(character)
        }
        return text
    }
}
