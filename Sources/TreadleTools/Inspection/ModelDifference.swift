package import TreadleBase
package import TreadleConfiguration
internal import TreadleModel
package import TreadleRun

/// What changed from one checkpoint to another.
package struct ModelDifference: Equatable, Sendable {
    package struct Metric: Equatable, Sendable {
        package var name: String
        package var old: Double?
        package var new: Double?
    }

    /// Whether the parameters, of exported files all numbers of the model, differ in any bit, number or shape.
    package var weightsDiffer: Bool
    /// Of checkpoints.
    package var oldDigest: String?
    package var newDigest: String?
    /// Whether one of two files has numbers in 32 bits alone, so that the other's were rounded to them.
    package var isRounded = false
    package var settings: [Configuration.Change]
    /// What cannot be compared number by number, in words: layers of other shapes, other classes, other data.
    package var remarks: [String]
    package var changes: [TensorChange]
    /// Of the weights in each file, where its run has measured them. For equal weights, only what was measured otherwise.
    package var metrics: [Metric]

    package init(from old: Checkpoint, to new: Checkpoint, workers: Workers) {
        oldDigest = old.parameterDigest
        newDigest = new.parameterDigest
        let (before, after) = (old.namedTensors.filter(\.isParameter), new.namedTensors.filter(\.isParameter))
        let same = before.map(\.name) == after.map(\.name) && before.map(\.tensor.shape) == after.map(\.tensor.shape)
        weightsDiffer = !same || oldDigest != newDigest
        changes = before.compactMap { tensor in
            let other = after.first { $0.name == tensor.name && $0.tensor.shape == tensor.tensor.shape }
            return other.map { TensorChange(name: tensor.name, tensor.tensor, $0.tensor, workers: workers) }
        }
        let (was, now) = (old.origin.knownSettings, new.origin.knownSettings)
        settings = was.flatMap { was in now.map { was.changes(to: $0) } } ?? []
        metrics = Self.metrics(old.head.weightsRecord?.metrics ?? [:], new.head.weightsRecord?.metrics ?? [:])
        if !weightsDiffer { metrics = metrics.filter { $0.old != nil && $0.new != nil && $0.old != $0.new } }
        func arrays(_ tensors: [Checkpoint.NamedTensor]) -> [NumberArrays.Array] {
            tensors.map { NumberArrays.Array(name: $0.name, tensor: $0.tensor) }
        }
        remarks = Self.shapes(arrays(before), arrays(after)) + Self.surroundings(old, new)
        if was?.isWhole != true || now?.isWhole != true {
            remarks.append("there are settings that this version does not know, which were not compared")
        }
    }

    /// Compares two files, of unknown origin, each of which is a checkpoint or holds a model's numbers as others keep them.
    package static func between(
        _ old: String, _ new: String, helper: GuardedHelper, workers: Workers
    ) throws -> ModelDifference {
        guard Inspection.isForeign(old) || Inspection.isForeign(new) else {
            return ModelDifference(
                from: try CheckpointFile(old, helper: helper).checkpoint(),
                to: try CheckpointFile(new, helper: helper).checkpoint(), workers: workers)
        }
        return ModelDifference(
            from: try NumberArrays(old, helper: helper), to: try NumberArrays(new, helper: helper), workers: workers)
    }

    init(from old: NumberArrays, to new: NumberArrays, workers: Workers) {
        let (before, after) = NumberArrays.comparable(old, new)
        settings = []
        metrics = []
        changes = []
        remarks = Self.shapes(before, after)
        weightsDiffer = !remarks.isEmpty
        for array in before {
            guard let other = after.first(where: { $0.name == array.name && $0.tensor.shape == array.tensor.shape })
            else { continue }
            var pair = [array.tensor, other.tensor]
            if pair[0].isNarrow != pair[1].isNarrow {
                isRounded = true
                pair = pair.map(\.narrow)
            }
            let change = TensorChange(name: array.name, pair[0], pair[1], workers: workers)
            changes.append(change)
            if change.changed > 0 { weightsDiffer = true }
        }
        if changes.isEmpty {
            weightsDiffer = true
            remarks = ["they have no array of the same name and shape"] + remarks.prefix(12)
        }
        if let one = old.classes, let other = new.classes, one != other { remarks.append("their classes differ") }
        if let one = old.columns, let other = new.columns, one != other { remarks.append("their input columns differ") }
    }

    private static func metrics(_ old: [String: Double], _ new: [String: Double]) -> [Metric] {
        let names = Set(old.keys).union(new.keys).sorted { a, b in
            let first = ["loss", "valid.loss"]
            let (i, j) = (first.firstIndex(of: a) ?? first.count, first.firstIndex(of: b) ?? first.count)
            return i == j ? a < b : i < j
        }
        return names.map { Metric(name: $0, old: old[$0], new: new[$0]) }
    }

    private static func shapes(_ old: [NumberArrays.Array], _ new: [NumberArrays.Array]) -> [String] {
        func extents(_ array: NumberArrays.Array) -> String {
            array.tensor.shape.map(String.init).joined(separator: "×")
        }
        var remarks: [String] = []
        for array in old {
            if let other = new.first(where: { $0.name == array.name }) {
                guard other.tensor.shape != array.tensor.shape else { continue }
                remarks.append(
                    "\(array.name) has the shape \(extents(array)) in the first, \(extents(other)) in the second")
            } else {
                remarks.append("\(array.name) (\(extents(array))) is in the first alone")
            }
        }
        for array in new where !old.contains(where: { $0.name == array.name }) {
            remarks.append("\(array.name) (\(extents(array))) is in the second alone")
        }
        return remarks
    }

    private static func surroundings(_ old: Checkpoint, _ new: Checkpoint) -> [String] {
        var remarks: [String] = []
        if old.precision != new.precision {
            remarks.append("the first is of \(old.precision.rawValue), the second of \(new.precision.rawValue)")
        }
        if old.task != new.task {
            remarks.append("the first is for \(old.task.rawValue), the second for \(new.task.rawValue)")
        }
        if old.fingerprint != new.fingerprint { remarks.append("they were trained on different data") }
        if old.classes != new.classes { remarks.append("their classes differ") }
        if old.columns != new.columns { remarks.append("their input columns differ") }
        if old.normalization != new.normalization { remarks.append("they normalize differently") }
        if old.temperature != new.temperature { remarks.append("their probabilities are calibrated differently") }
        if old.optimizer != new.optimizer { remarks.append("the optimizer's memory differs") }
        return remarks
    }
}

extension ModelDifference {
    package func json(_ oldPath: String, _ newPath: String) -> JSONValue {
        .object([
            .init("files", .strings([oldPath, newPath])),
            .init("weights_differ", .bool(weightsDiffer)),
            .init("digests", .array([oldDigest, newDigest].map { .optional($0.map(JSONValue.string)) })),
            .init("configuration", .array(settings.map(\.json))),
            .init("remarks", .strings(remarks)),
            .init("tensors", .array(changes.map(\.json))),
            .init("metrics", .array(metrics.map(\.json))),
        ])
    }
}

extension Configuration.Change {
    fileprivate var json: JSONValue {
        let values = [old, new].map { text in JSONValue.optional(text.flatMap { JSONValue(parsing: $0) }) }
        return .object([.init("key", .string(key)), .init("old", values[0]), .init("new", values[1])])
    }
}

extension ModelDifference.Metric {
    fileprivate var json: JSONValue {
        .object([
            .init("name", .string(name)), .init("old", .optional(old.map(JSONValue.number))),
            .init("new", .optional(new.map(JSONValue.number))),
        ])
    }
}

extension TensorChange {
    fileprivate var json: JSONValue {
        .object([
            .init("name", .string(name)), .init("shape", .integers(shape)), .init("old_norm", .number(oldNorm)),
            .init("new_norm", .number(newNorm)), .init("change_norm", .number(changeNorm)),
            .init("largest_change", .number(largest)), .init("largest_at", .integers(place)),
            .init("cosine", .optional(cosine.map(JSONValue.number))), .init("changed", .integer(changed)),
        ])
    }
}
