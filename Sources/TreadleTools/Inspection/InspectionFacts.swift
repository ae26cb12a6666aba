internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel
internal import TreadleRun

/// Where a model comes from and what it is for, as lines of a name and a text that is safe to print.
package struct InspectionFacts {
    private let inspection: Inspection
    private let checkpoint: CheckpointHead

    package init(_ inspection: Inspection) {
        self.inspection = inspection
        checkpoint = inspection.checkpoint
    }

    package var all: [(name: String, text: String)] {
        [
            ("task", task), ("members", members), ("inputs", inputs), ("normalized", normalization),
            ("calibrated", calibration),
            ("trained", training), ("best", best), ("metrics", metrics), ("last epoch", lastMetrics),
            ("optimizer", optimizer), ("memory", memory), ("data", checkpoint.fingerprint.printable),
            ("weights", "sha256:" + inspection.digest), ("file", "its contents agree with their SHA-256"),
            ("written", written),
        ].compactMap { name, text in text.map { (name, $0) } }
    }

    private var task: String {
        let loss = "by \(checkpoint.loss.rawValue)"
        switch checkpoint.task {
        case .regression:
            return "regression of \(Figure.count(checkpoint.network.outputs, "value")), \(loss)"
        case .classification, .multilabel:
            let noun = checkpoint.task == .multilabel ? "label" : "class"
            let number = Figure.count(
                checkpoint.network.outputs, noun, plural: noun == "class" ? "classes" : "labels")
            let names = checkpoint.classes.map { ": " + Self.list($0, most: 12) } ?? ""
            let kind = checkpoint.task == .multilabel ? "multilabel, " : "classification into "
            return "\(kind)\(number)\(names); \(loss)"
        }
    }

    /// What each member has of its own, and when it was best.
    private var members: String? {
        let network = checkpoint.network
        guard network.members > 1 else { return nil }
        guard let known = checkpoint.knownSettings, known.understands("optimizer") else { return "\(network.members)" }
        let configuration = known.settings
        let varies = configuration.model.vary
        let all = configuration.members.enumerated().map { number, member in
            var parts = ["seed \(member.seed)"]
            if varies?.lr != nil { parts.append("lr \(Figure.short(member.optimizer.lr))") }
            if varies?.units != nil, let hidden = member.model.hidden.first { parts.append("\(hidden.units) units") }
            if varies?.dropout != nil, let hidden = member.model.hidden.first {
                parts.append("dropout \(Figure.short(hidden.dropout))")
            }
            if varies?.weightDecay != nil { parts.append("weight decay \(Figure.short(member.optimizer.weightDecay))") }
            if checkpoint.progress.members.indices.contains(number) {
                let own = checkpoint.progress.members[number]
                if let best = own.best, let epoch = own.epoch {
                    parts.append("best on its fold in epoch \(epoch) (\(Figure.short(best)))")
                }
            }
            return "m\(number + 1): " + parts.joined(separator: ", ")
        }
        return "\(network.members), whose answers are averaged; " + all.joined(separator: "; ")
    }

    private var inputs: String {
        let count = Figure.count(checkpoint.network.inputs, "number") + " of \(checkpoint.precision.rawValue)"
        if let shape = checkpoint.imageShape {
            return "\(count), images of \(shape.map(String.init).joined(separator: "×"))"
        }
        if let schema = checkpoint.schema { return "\(count) from \(Self.columns(of: schema))" }
        return count + (checkpoint.columns.map { ": " + Self.list($0, most: 12) } ?? "")
    }

    /// A table's columns with their kinds: "4 columns: age, city (category of 12), …".
    private static func columns(of schema: TableSchema) -> String {
        let columns = schema.columns.map { column in
            let name = column.name.printable
            return switch column.kind {
            case .number: name
            case .flag: "\(name) (flag)"
            case .category(let values, _, _): "\(name) (category of \(values.count))"
            case .date: "\(name) (date)"
            }
        }
        return Figure.count(schema.columns.count, "column") + ": " + list(columns, most: 12)
    }

    private var normalization: String? {
        let normalization = checkpoint.normalization
        guard !normalization.factor.isEmpty || !normalization.targetFactor.isEmpty else { return "not at all" }
        var parts: [String] = []
        for (name, shift, factor) in [
            ("inputs", normalization.shift, normalization.factor),
            ("targets", normalization.targetShift, normalization.targetFactor),
        ] where !factor.isEmpty {
            parts.append("\(name) shifted by \(Self.range(shift)) and multiplied by \(Self.range(factor))")
        }
        if let clip = normalization.clip.max(), clip > 0 {
            parts.append("inputs bent smoothly to stay within ±\(Figure.short(clip))")
        }
        if !normalization.imputation.isEmpty {
            let center = normalization.clip.isEmpty ? "mean" : "median"
            parts.append("missing inputs replaced by the column's \(center)")
        }
        if !normalization.targetLow.isEmpty { parts.append("predictions kept within the training targets' range") }
        return parts.joined(separator: "; ")
    }

    private var calibration: String? {
        checkpoint.temperature.map { temperature in
            let effect = temperature > 1 ? "less sure" : "surer"
            return "temperature \(Figure.short(temperature)): \(effect) than the weights alone"
        }
    }

    private var training: String {
        let (cursor, progress) = (checkpoint.cursor, checkpoint.progress)
        let updates = Figure.count(cursor.step, "update")
        let time = progress.seconds > 0 ? " in \(Figure.duration(progress.seconds))" : ""
        let epochs = Figure.count(cursor.epoch, "epoch")
        if cursor.step == 0 { return "not yet" }
        let place =
            cursor.batch == 0 ? "" : ", then \(Figure.count(cursor.batch, "batch", plural: "batches")) of the next"
        let ending =
            progress.finished
            ? (progress.stoppedEarly ? "; stopped early, finished" : "; finished") : "; under way, can go on from here"
        return "\(epochs)\(place), \(updates)\(time)\(ending)"
    }

    private var best: String? {
        guard let best = checkpoint.progress.best, let epoch = checkpoint.progress.bestEpoch else { return nil }
        let since = checkpoint.progress.epochsWithoutProgress
        return "\(Figure.short(best)) in epoch \(epoch)" + (since > 0 ? ", \(Figure.count(since, "epoch")) since" : "")
    }

    private var metrics: String? {
        guard let own = checkpoint.weightsRecord else { return nil }
        return own == checkpoint.history.last ? text(of: own) : text(of: own).map { "of these weights, \($0)" }
    }

    /// Where the weights are not the last epoch's.
    private var lastMetrics: String? {
        guard let last = checkpoint.history.last, last != checkpoint.weightsRecord else { return nil }
        return text(of: last)
    }

    private func text(of record: EpochRecord) -> String? {
        guard !record.metrics.isEmpty else { return nil }
        let values = record.metrics.keys.sorted().map { "\($0.printable) \(Figure.short(record.metrics[$0] ?? .nan))" }
        return "epoch \(record.epoch): " + values.joined(separator: ", ")
    }

    private var optimizer: String {
        guard let known = checkpoint.knownSettings, known.understands("optimizer"), known.understands("schedule") else {
            return Figure.count(inspection.updates, "update")
        }
        let optimizer = known.settings.optimizer
        let numbers = [
            ("lr", optimizer.lr), ("momentum", optimizer.momentum), ("weight_decay", optimizer.weightDecay),
            ("clip_norm", optimizer.clipNorm ?? 0),
        ].filter { $0.1 != 0 }.map { "\($0.0) \(Figure.short($0.1))" }
        let words = [optimizer.type.rawValue] + numbers + ["schedule \(known.settings.schedule.type.rawValue)"]
        return words.joined(separator: ", ")
    }

    /// The optimizer's slots, a word for each.
    private var memory: String? {
        guard !inspection.slots.isEmpty else { return nil }
        return inspection.slots.map { slot in
            let numbers = inspection.tensors.filter { $0.name.hasPrefix("optimizer/\(slot)/") }.map(\.statistics)
            let norm = numbers.reduce(0) { $0 + $1.norm * $1.norm }.squareRoot()
            let broken = numbers.reduce(0) { $0 + $1.nan + $1.infinite }
            return "\(slot.printable) of norm \(Figure.short(norm))" + (broken > 0 ? ", \(broken) not finite" : "")
        }.joined(separator: "; ")
    }

    private var written: String {
        let when = checkpoint.created.map { " on \(Figure.date($0))" } ?? ""
        let numerics = Treadle.numericsText(checkpoint.numerics)
        return "by treadle \(checkpoint.programVersion.printable)\(when), \(numerics)"
    }

    // MARK: Wording

    private static func list(_ names: [String], most: Int) -> String {
        let shown = names.prefix(most).map { String($0.prefix(60)).printable }.joined(separator: ", ")
        return names.count > most ? "\(shown), … (\(names.count - most) more)" : shown
    }

    private static func range(_ values: [Double]) -> String {
        guard let low = values.min(), let high = values.max() else { return "nothing" }
        return low == high ? Figure.short(low) : "\(Figure.short(low)) to \(Figure.short(high))"
    }
}
