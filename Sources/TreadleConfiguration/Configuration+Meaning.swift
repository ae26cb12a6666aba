internal import TreadleBase

extension Configuration {
    /// A key whose value differs between two configurations.
    package struct Change: Equatable, Sendable {
        package let key: String
        /// As JSON; nil where there is no such key.
        package let old: String?
        package let new: String?
    }

    /// The changes of settings of every influence.
    static func changes(from old: Configuration, to new: Configuration) -> [Change] {
        changes(from: section.form.write(old, .any), to: section.form.write(new, .any), at: "")
    }

    /// The changes that a run in progress cannot take: those to what a step does to the weights.
    ///
    /// The files of data sources are not among them: whether they hold the same rows is for fingerprints to say.
    /// Neither is what ends a run, nor what changes speed, places or reports alone.
    package static func meaningChanges(from old: Configuration, to new: Configuration) -> [Change] {
        changes(from: old.meaning(.meaning), to: new.meaning(.meaning), at: "")
    }

    /// Whether a model trained by `other` may have learnt from rows that this configuration puts aside for validation.
    package func putsAsideOtherRows(than other: Configuration) -> Bool {
        func group(_ configuration: Configuration) -> String? {
            if case .fraction(_, let group) = configuration.data.test { group } else { nil }
        }
        switch data.valid {
        // Validation rows in files of their own are in nobody's training rows.
        case .source: return false
        case nil, .fraction: return data.valid != other.data.valid || seed != other.seed
        // Each member learns from what it does not leave out.
        case .folds:
            return data.valid != other.data.valid || seed != other.seed || model.members != other.model.members
                || group(self) != group(other)
        }
    }

    /// All that the weights of a finished run depend on besides the data, as text that is equal where that is.
    package var meaningText: String {
        meaning([.meaning, .length]).lines() + "\n"
    }

    /// The keys with an influence, `"auto"` replaced by what it comes to.
    private func meaning(_ influence: Influence) -> PrintedValue {
        var plain = self
        plain.loss.type = .value(lossType)
        plain.compute.shards = .value(shards.count)
        if !influence.contains(.length), stop.early == nil {
            // Whether it stops early does not matter here, but what it watches does.
            plain.stop.early = EarlyStopping.section.initial
            plain.stop.early?.metric = watchedMetric
        }
        return Configuration.section.form.write(plain, influence)
    }

    private static func changes(from old: PrintedValue, to new: PrintedValue, at path: String) -> [Change] {
        func within(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
        switch (old, new) {
        case (.object(let before), .object(let after)):
            let added = after.map(\.key).filter { old[$0] == nil }
            return (before.map(\.key) + added).flatMap { key -> [Change] in
                guard let before = old[key], let after = new[key] else {
                    return [Change(key: within(key), old: old[key]?.inline, new: new[key]?.inline)]
                }
                return changes(from: before, to: after, at: within(key))
            }
        case (.list(let before), .list(let after)) where before.count == after.count:
            let inner = zip(before, after).enumerated().flatMap { index, pair in
                changes(from: pair.0, to: pair.1, at: within("\(index)"))
            }
            return inner
        default:
            return old == new ? [] : [Change(key: path, old: old.inline, new: new.inline)]
        }
    }
}
