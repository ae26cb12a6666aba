internal import TreadleModel

/// The keys of the file, section by section: one table for reading, printing, comparing and the reference.
///
/// An influence says what a changed value does to a run that is resumed; sections leave it to their keys.
extension Configuration {
    static let section = Section(
        initial: Configuration(
            schema: 1, name: "", task: .classification, seed: 0, data: DataConfiguration.section.initial,
            model: ModelConfiguration.section.initial, loss: LossConfiguration.section.initial,
            optimizer: OptimizerConfiguration.section.initial, schedule: ScheduleConfiguration.section.initial,
            stop: StopConfiguration.section.initial, compute: ComputeConfiguration.section.initial,
            metrics: [.accuracy], calibrate: false, checkpoint: CheckpointConfiguration.section.initial,
            log: LogConfiguration.section.initial, retrain: RetrainConfiguration.section.initial, baseDirectory: ""),
        keys: [
            Key("schema", \.schema, .schema, .nothing, "the version of this format"),
            Key("name", \.name, .name, .nothing, "what the run is called", isRequired: true),
            Key("task", \.task, .choice(), .meaning, "what the network learns to say about a row"),
            Key("seed", \.seed, .seed, .meaning, "starts all randomness: weights, order, dropout, split"),
            Key("data", \.data, DataConfiguration.section.form, .any, "where rows come from", isRequired: true),
            Key("model", \.model, ModelConfiguration.section.form, .any, "the network", isRequired: true),
            Key("loss", \.loss, LossConfiguration.section.form, .any, "what training makes small"),
            Key("optimizer", \.optimizer, OptimizerConfiguration.section.form, .any, "how a step changes weights"),
            Key("schedule", \.schedule, ScheduleConfiguration.section.form, .any, "how the learning rate moves"),
            Key("stop", \.stop, StopConfiguration.section.form, .any, "when training ends"),
            Key("compute", \.compute, ComputeConfiguration.section.form, .any, "how work is divided"),
            Key(
                "metrics", \.metrics, .metrics, .nothing, "what is measured after each epoch besides the loss",
                defaultText: "[\"accuracy\"], or [\"rmse\"] for regression"),
            Key(
                "calibrate", \.calibrate, .truth, .length,
                "at the end, fit a temperature on the validation rows, so that probabilities can be believed"),
            Key(
                "checkpoint", \.checkpoint, CheckpointConfiguration.section.form, .nothing,
                "where and how often the run is saved"),
            Key("log", \.log, LogConfiguration.section.form, .nothing, "what is reported"),
            Key(
                "retrain", \.retrain, RetrainConfiguration.section.form.orNull, .nothing,
                "what `treadle retrain` does; null forbids it", defaultText: "the defaults below"),
        ])

    /// Every key, in the order of the file, for the reference and for suggestions.
    package static let settings: [Setting] = section.form.settings("")
}

extension Form where Value == Int {
    static let schema = Form("1, the only version of this format so far") { node in
        integer(1...1).value(of: node)
    } print: {
        .literal("\($0)")
    }
}

extension Form where Value == String {
    /// A name becomes part of file names.
    static let name = Form("a name in quotes, without \"/\" or control characters") { node in
        guard let name = node.plainText, name != ".", name != ".." else { return nil }
        let isPlain = name.unicodeScalars.allSatisfy {
            $0 != "/" && $0.properties.generalCategory != .control
        }
        return isPlain && name.utf8.count <= 200 ? name : nil
    } print: {
        .text($0)
    }
}

extension Form where Value == [MetricName] {
    static let metrics = Form<MetricName>.choice().list("a list of metrics such as [\"accuracy\"]")
}
