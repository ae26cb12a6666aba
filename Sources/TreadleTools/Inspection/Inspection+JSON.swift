package import TreadleBase
internal import TreadleData
internal import TreadleModel
internal import TreadleRun

extension Inspection {
    /// All of it, for programs.
    package var json: JSONValue { .object(file + model + training + numbers) }

    private var file: [JSONValue.Member] {
        [
            .init("file", .string(path)),
            .init("kind", .string("checkpoint")),
            .init("bytes", .integer(size)),
            .init("program_version", .string(checkpoint.programVersion)),
            .init("numerics", .integers(checkpoint.numerics)),
            .init("created", .optional(checkpoint.created.map(JSONValue.number))),
            // Only files whose contents agree with their digest are read at all.
            .init("contents_verified", .bool(true)),
            .init("digest", .string(digest)),
        ]
    }

    private var model: [JSONValue.Member] {
        let layers = zip(checkpoint.network.layers, layers).map { $0.json(health: $1) }
        return [
            .init("task", .string(checkpoint.task.rawValue)),
            .init("loss", .string(checkpoint.loss.rawValue)),
            .init("precision", .string(checkpoint.precision.rawValue)),
            .init("inputs", .integer(checkpoint.network.inputs)),
            .init("outputs", .integer(checkpoint.network.outputs)),
            .init("parameters", .integer(checkpoint.network.parameterCount)),
            .init("image_shape", .optional(checkpoint.imageShape.map(JSONValue.integers))),
            .init("columns", .optional(checkpoint.columns.map(JSONValue.strings))),
            .init("schema", .optional(checkpoint.schema.flatMap { JSONValue(parsing: $0.text) })),
            .init("classes", .optional(checkpoint.classes.map(JSONValue.strings))),
            .init("class_weights", .optional(checkpoint.classWeights.map(JSONValue.numbers))),
            .init("temperature", .optional(checkpoint.temperature.map(JSONValue.number))),
            .init("layers", .array(layers)),
            .init("signs", .array(signs.map(\.json))),
        ]
    }

    private var training: [JSONValue.Member] {
        let cursor = checkpoint.cursor
        let configuration = JSONValue(parsing: checkpoint.configuration)
        return [
            .init(
                "cursor",
                .object([
                    .init("epoch", .integer(cursor.epoch)), .init("batch", .integer(cursor.batch)),
                    .init("step", .integer(cursor.step)),
                ])),
            .init("progress", checkpoint.progress.json),
            .init("weights", .optional(checkpoint.weightsRecord?.json)),
            .init("history", .array(checkpoint.history.map(\.json))),
            .init("fingerprint", .string(checkpoint.fingerprint)),
            .init("base_directory", .string(checkpoint.baseDirectory)),
            .init("configuration", configuration ?? .string(checkpoint.configuration)),
        ]
    }

    private var numbers: [JSONValue.Member] {
        let normalization = checkpoint.normalization.named.filter { !$0.values.isEmpty }
        return [
            .init("optimizer", ["step": .integer(updates), "slots": .strings(slots)]),
            .init("normalization", .object(normalization.map { .init($0.name, .numbers($0.values)) })),
            .init("tensors", .array(tensors.map(\.json))),
        ]
    }
}

extension JSONValue {
    static func optional(_ value: JSONValue?) -> JSONValue { value ?? .null }
    static func integers(_ values: [Int]) -> JSONValue { .array(values.map(JSONValue.integer)) }
    static func numbers(_ values: [Double]) -> JSONValue { .array(values.map(JSONValue.number)) }
    static func strings(_ values: [String]) -> JSONValue { .array(values.map(JSONValue.string)) }
}

extension Layer {
    fileprivate func json(health: LayerHealth) -> JSONValue {
        let members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("inputs", .integer(inputs)), .init("units", .integer(units)),
            .init("parameters", .integer(parameterCount)), .init("activation", .string(activation.rawValue)),
            .init("dropout", .number(dropout)), .init("bias", .bool(hasBias)),
            .init("dead_units", .integers(health.dead)), .init("saturated_units", .integers(health.saturated)),
            .init("copied_units", .integers(health.twins)), .init("unused_inputs", .integers(health.idleInputs)),
        ]
        return .object(members)
    }
}

extension HealthSign {
    var json: JSONValue {
        ["severity": .string(severity.rawValue), "finding": .string(finding), "meaning": .string(meaning)]
    }
}

extension TrainingProgress {
    fileprivate var json: JSONValue {
        let members: [JSONValue.Member] = [
            .init("finished", .bool(finished)), .init("stopped_early", .bool(stoppedEarly)),
            .init("best", .optional(best.map(JSONValue.number))),
            .init("best_epoch", .optional(bestEpoch.map(JSONValue.integer))),
            .init("epochs_without_progress", .integer(epochsWithoutProgress)),
            .init("rate_scale", .number(rateScale)), .init("rollbacks", .integer(rollbacks)),
            .init("seconds", .number(seconds)),
        ]
        return .object(members)
    }
}

extension EpochRecord {
    var json: JSONValue {
        .object(
            [
                .init("epoch", .integer(epoch)), .init("step", .integer(step)), .init("rate", .number(rate)),
                .init("seconds", .number(seconds)),
            ] + metrics.keys.sorted().map { .init($0, .number(metrics[$0] ?? .nan)) })
    }
}

extension InspectedTensor {
    fileprivate var json: JSONValue {
        .object([.init("name", .string(name)), .init("shape", .integers(shape))] + statistics.members)
    }
}

extension TensorStatistics {
    package var members: [JSONValue.Member] {
        [
            .init("count", .integer(count)), .init("mean", .number(mean)), .init("spread", .number(spread)),
            .init("norm", .number(norm)), .init("minimum", .number(minimum)), .init("maximum", .number(maximum)),
            .init("zeros", .integer(zeros)), .init("nan", .integer(nan)), .init("infinite", .integer(infinite)),
            .init("histogram", .integers(histogram)),
        ]
    }
}
