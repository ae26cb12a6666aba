internal import Foundation
internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel
internal import TreadleRun

/// A configuration that trains on a file as it is, with a comment wherever a person may want to choose otherwise.
package struct ConfigurationDraft {
    /// The configuration as JSON5.
    package let text: String
    /// What was found in the data, in sentences.
    package let findings: [String]

    /// Looks at `data` and writes a configuration that shall lie at `path`.
    ///
    /// A table of text is looked at through the HDF5 file `imported` that was made of it, and named with its column `target`
    /// and the `kinds` that were asked for.
    package init(
        data: String, for path: String, x: String? = nil, y: String? = nil, test: String? = nil,
        effort: Effort = .usual, imported: String? = nil, target: String? = nil,
        kinds: [String] = []
    ) throws {
        let portrait = try DataPortrait(imported ?? data, x: x, y: y)
        let name = ConfigurationDraft.name(for: path, data)
        let directory = URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent().path
        let file = ConfigurationDraft.relative(data, to: directory)
        let plan = TrainingPlan(portrait)
        let findings = ConfigurationDraft.findings(portrait)

        var lines = ["// What treadle init found in \(file.printable):"]
        lines += findings.map { "//   \($0)" }
        lines += [
            "// Train with \"treadle train\", list every setting with \"treadle check --resolved\".",
            "{",
            "  schema: 1,",
            "  name: \(json5(name)),",
            "  task: \"\(portrait.target.task.rawValue)\",",
            "  seed: 0,  // the same seed, data and settings give the same weights, bit for bit",
            "",
            "  data: {",
            imported == nil
                ? "    train: { \(source(file, portrait.inputs, portrait.targets, portrait.weight)) },"
                : "    train: { files: [\(json5(file))], y: \(json5(target ?? "")) },",
        ]
        // The task says of which kind the target is.
        let asked = kinds.filter { !$0.hasPrefix("\(target ?? "")=") }
        if !asked.isEmpty {
            lines.append(
                "    kinds: [\(asked.map(json5).joined(separator: ", "))],  // what columns are, where they do not seem to be"
            )
        }
        let recipe = TableRecipe(portrait, effort)
        if let valid = portrait.valid {
            lines.append("    valid: { \(source(file, valid.x, valid.y, nil, beside: portrait.weight)) },")
        } else if let recipe {
            lines.append("    \(recipe.validation)")
        } else if let fraction = plan.validFraction {
            lines.append(
                "    valid: { fraction: \(fraction) },  // rows kept out of training, to see how it does on new ones")
        } else {
            lines.append("    valid: null,  // too few rows to keep any out of training")
        }
        if let test {
            lines.append("    test: { files: [\(json5(ConfigurationDraft.relative(test, to: directory)))] },")
        } else if let pair = portrait.test {
            lines.append(
                "    test: { \(source(file, pair.x, pair.y, nil, beside: portrait.weight)) },  // evaluated once, at the end"
            )
        }
        if let recipe {
            lines += recipe.data(shufflesBlocks: plan.shufflesBlocks)
            lines += [portrait.nonFiniteLine(substitute: "a missing number becomes its column's median")].compactMap(
                \.self)
            lines += ["  },", ""] + recipe.sections(directory: json5("runs/\(name)")) + ["}"]
            try self.init(lines, portrait, for: path, in: directory)
            return
        }
        lines.append("    batch_size: \(plan.batchSize),")
        if plan.shufflesBlocks {
            lines.append("    shuffle: \"block\",  // larger than this machine's memory: rows are mixed block by block")
        }
        lines.append("    normalize: \(plan.normalization.text),  // \(plan.normalization.why)")
        if portrait.target.task == .regression {
            lines.append(
                "    normalize_target: \"standard\",  // predictions come out in the target's own units all the same")
        }
        lines += [portrait.nonFiniteLine(substitute: "missing values become their column's mean")].compactMap(\.self)
        lines += ["  },", "", "  model: {", "    hidden: [  // [] makes it a linear model"]
        lines += plan.hidden.map { layer in
            let dropout = plan.dropout > 0 ? ", dropout: \(plan.dropout)" : ""
            return "      { units: \(layer), activation: \"relu\"\(dropout) },"
        }
        lines += [
            "    ],", "  },", "",
            "  optimizer: { type: \"adam\", lr: 1e-3 },",
            "  stop: {",
            "    epochs: \(plan.epochs),",
            "    early: { metric: \"\(plan.validFraction == nil && portrait.valid == nil ? "loss" : "valid.loss")\", "
                + "patience: \(plan.patience) },  // stop when it gets no better; null: never",
            "  },",
            "  metrics: [\(plan.metrics.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))],"
                + (portrait.target.metricsRemark.map { "  // \($0)" } ?? ""),
            "  checkpoint: { dir: \(json5("runs/\(name)")) },",
            "}",
        ]
        try self.init(lines, portrait, for: path, in: directory)
    }

    private init(_ lines: [String], _ portrait: DataPortrait, for path: String, in directory: String) throws {
        findings = ConfigurationDraft.findings(portrait)
        text = lines.joined(separator: "\n") + "\n"
        // A draft that does not read back is a mistake here, and better found now than in training.
        let configuration = try Configuration.parse(text: text, file: path, baseDirectory: directory)
        // Neither is one that training refuses: its data is opened as training would.
        do {
            _ = try DataIdentity(configuration, workers: Workers(count: configuration.threadCount))
        } catch let error as TreadleError {
            throw TreadleError(
                error.kind,
                messages: ["no configuration trains on this data as it is, so none is written"] + error.messages)
        }
    }

    private static func findings(_ portrait: DataPortrait) -> [String] {
        func shape(_ entry: ArrayListing.Entry) -> String {
            entry.shape.map(String.init).joined(separator: "×")
        }
        let target = portrait.target
        var found = ["inputs \(portrait.inputs.path.printable), \(shape(portrait.inputs)) \(portrait.inputs.type)"]
        let kind: String =
            switch target.task {
            case .classification: Figure.count(target.outputs, "class", plural: "classes")
            case .multilabel: "\(target.outputs) labels, each yes or no"
            case .regression: target.outputs == 1 ? "a quantity" : "\(target.outputs) quantities"
            }
        found.append(
            "targets \(portrait.targets.path.printable), \(shape(portrait.targets)) \(portrait.targets.type): \(kind)")
        if let classes = target.classes, !classes.isEmpty {
            let shown = classes.prefix(10).map(\.printable).joined(separator: ", ")
            found.append("classes \(shown)\(classes.count > 10 ? ", …" : "")")
        }
        if let remark = target.remark { found.append(remark) }
        if portrait.hasMissing { found.append("Some inputs are missing (NaN) or infinite.") }
        if portrait.target.hasMissing { found.append("Some targets are missing (NaN) or infinite.") }
        return found
    }

    /// A run's name from the configuration's, or from the data's where the configuration goes to stdout.
    private static func name(for path: String, _ data: String) -> String {
        let file = URL(fileURLWithPath: path == "-" ? data : path).lastPathComponent
        let stem = file.prefix { $0 != "." }
        let kept = stem.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" ? $0 : "-" }
        return kept.isEmpty ? "model" : String(kept)
    }

    /// `path` as seen from `directory`.
    private static func relative(_ path: String, to directory: String) -> String {
        let target = URL(fileURLWithPath: path).standardizedFileURL.pathComponents
        let base = URL(fileURLWithPath: directory).standardizedFileURL.pathComponents
        let shared = zip(target, base).prefix { $0 == $1 }.count
        // Nothing in common but the root: the whole path says more.
        guard shared > 1 else { return "/" + target.dropFirst().joined(separator: "/") }
        return (base[shared...].map { _ in ".." } + target[shared...]).joined(separator: "/")
    }
}

/// A source's members; where the training data has weights and this has none, that is said, for they are inherited.
private func source(
    _ file: String, _ x: ArrayListing.Entry, _ y: ArrayListing.Entry, _ weight: ArrayListing.Entry?,
    beside training: ArrayListing.Entry? = nil
) -> String {
    var parts = ["files: [\(json5(file))]", "x: \(json5(x.path))", "y: \(json5(y.path))"]
    if let weight {
        parts.append("weight: \(json5(weight.path))")
    } else if training != nil {
        parts.append("weight: null")
    }
    return parts.joined(separator: ", ")
}

/// A text as JSON5 spells it.
private func json5(_ text: String) -> String { PrintedValue.text(text).inline }
