internal import TreadleBase
internal import TreadleModel

extension StopConfiguration {
    static let section = Section(
        initial: StopConfiguration(
            epochs: 20, steps: nil, wallTime: nil, onNaN: .stop, maxRollbacks: 3, rollbackFactor: 0.5,
            early: EarlyStopping.section.initial),
        keys: [
            Key("epochs", \.epochs, .integer(1...1_000_000_000), .length, "passes over the training rows"),
            Key("steps", \.steps, Form<Int>.integer(1...1_000_000_000_000).orNull, .length, "the most updates"),
            Key(
                "wall_time", \.wallTime, Form<Duration>.duration().orNull, .length,
                "the longest that one call trains: it ends with 75, and the next one continues"
            ),
            Key("on_nan", \.onNaN, .choice(), .length, "what a loss that is not finite leads to"),
            Key(
                "max_rollbacks", \.maxRollbacks, .integer(1...1_000_000), .length,
                "rollback: how often before giving up"),
            Key(
                "rollback_factor", \.rollbackFactor, .properShare, .length,
                "rollback: what the learning rate is multiplied by each time"),
            Key(
                "early", \.early, EarlyStopping.section.form.orNull, .any,
                "stop when a metric no longer gets better; null trains to the end"),
        ])
}

extension EarlyStopping {
    static let section = Section(
        initial: EarlyStopping(metric: "valid.loss", patience: 5, minDelta: 0, restoreBest: true),
        keys: [
            Key(
                "metric", \.metric, .watchedMetric, .meaning,
                "what is watched; the training loss where there are no validation rows"),
            Key(
                "patience", \.patience, .integer(0...1_000_000_000), .length, "epochs without progress before stopping"),
            Key("min_delta", \.minDelta, .notNegative, .length, "the least change that is progress"),
            Key("restore_best", \.restoreBest, .truth, .length, "end with the weights of the best epoch"),
        ])
}

extension ComputeConfiguration {
    static let section = Section(
        initial: ComputeConfiguration(
            threads: .automatic, shards: .automatic, accumulate: 1, audit: nil, rankTimeout: .seconds(300)),
        keys: [
            Key(
                "threads", \.threads, Form<Int>.integer(1...4096).orAutomatic, .nothing,
                "threads to compute with; auto is the cores that the process may use; never changes a result"),
            Key(
                "shards", \.shards, Form<Int>.integer(1...1024).orAutomatic, .meaning,
                "parts of a batch whose gradients are summed; auto is the largest power of two up to 8 and batch_size/64, and 1 with \(Precision.rounding(joinedBy: "and"))"
            ),
            Key("accumulate", \.accumulate, .integer(1...1_000_000), .meaning, "batches whose gradients make one step"),
            Key(
                "audit", \.audit, Form<Duration>.duration().orNull, .nothing,
                "how often some steps are computed again with other threads and instructions: other bits are broken hardware, and end the run with 70"
            ),
            Key("rank_timeout", \.rankTimeout, .duration(), .nothing, "MPI: how long a rank may be silent"),
        ])
}

extension CheckpointConfiguration {
    static let section = Section(
        initial: CheckpointConfiguration(
            dir: "", every: CheckpointInterval.section.initial, keepLast: 3, keepBest: 1, minFree: .automatic,
            onError: .proceed),
        keys: [
            Key("dir", \.dir, .path, .nothing, "the run's directory", defaultText: "\"runs/NAME\", by the run's name"),
            Key("every", \.every, CheckpointInterval.section.form, .nothing, "how often; whichever comes first"),
            Key("keep_last", \.keepLast, .integer(1...1_000_000), .nothing, "the newest checkpoints that are kept"),
            Key(
                "keep_best", \.keepBest, .integer(0...1_000_000), .nothing,
                "the best checkpoints that are kept; 0 writes no best.h5"),
            Key(
                "min_free", \.minFree, Form<Amount>.amount.orAutomatic, .nothing,
                "the space that must stay free on the disk; auto is twice what the next checkpoint takes"),
            Key("on_error", \.onError, .choice(), .nothing, "what a checkpoint that cannot be written leads to"),
        ])
}

extension CheckpointInterval {
    static let section = Section(
        initial: CheckpointInterval(time: .seconds(600), epochs: 1, steps: nil),
        keys: [
            Key("time", \.time, Form<Duration>.duration().orNull, .nothing, "time between checkpoints"),
            Key(
                "epochs", \.epochs, Form<Int>.integer(1...1_000_000_000).orNull, .nothing, "epochs between checkpoints"),
            Key(
                "steps", \.steps, Form<Int>.integer(1...1_000_000_000_000).orNull, .nothing,
                "updates between checkpoints"),
        ])
}

extension LogConfiguration {
    static let section = Section(
        initial: LogConfiguration(
            level: .info, every: .seconds(10), metrics: "metrics.jsonl", tensorboard: false, prometheus: nil),
        keys: [
            Key("level", \.level, .choice(), .nothing, "what is worth a line"),
            Key("every", \.every, .duration(), .nothing, "time between lines where there is no terminal"),
            Key("metrics", \.metrics, .path, .nothing, "the file of metrics, in the run's directory"),
            Key("tensorboard", \.tensorboard, .truth, .nothing, "write event files for TensorBoard"),
            Key("prometheus", \.prometheus, Form<String>.path.orNull, .nothing, "a text file for node_exporter"),
        ])
}

extension RetrainConfiguration {
    static let section = Section(
        initial: RetrainConfiguration(
            when: .dataChanged, start: .warm, lock: .skip, promote: Promotion.section.initial),
        keys: [
            Key("when", \.when, .choice(), .nothing, "what makes it train"),
            Key("start", \.start, .choice(), .nothing, "from the promoted weights, or from new ones"),
            Key("lock", \.lock, .choice(), .nothing, "what it does while another run holds the lock"),
            Key(
                "promote", \.promote, Promotion.section.form.orNull, .nothing,
                "where a model goes that is good enough; null forbids retraining",
                defaultText: "the defaults below; null where data.valid is null"),
        ])
}

extension Promotion {
    static let section = Section(
        initial: Promotion(
            to: "", metric: "valid.loss", tolerance: .absolute(0), confidence: nil, keep: 3, hook: nil, warnDrift: 1,
            maxDrift: nil),
        keys: [
            Key(
                "to", \.to, .path, .nothing, "the promoted model's file",
                defaultText: "\"models/NAME.h5\", by the run's name"),
            Key(
                "metric", \.metric, .watchedMetric, .nothing, "what old and new are compared by, on the validation rows"
            ),
            Key("tolerance", \.tolerance, .tolerance, .nothing, "by how much the new one may be worse"),
            Key(
                "confidence", \.confidence, Form<Double>.properShare.orNull, .nothing,
                "how sure it must be, over rows drawn again, that the new one is no worse than that"),
            Key("keep", \.keep, .integer(0...1_000_000), .nothing, "predecessors that are kept"),
            Key(
                "hook", \.hook, Form<String>.text("a command in quotes").orNull, .nothing,
                "a command to run after promotion"),
            Key(
                "warn_drift", \.warnDrift, Form<Double>.positive.orNull, .nothing,
                "the drift of inputs, in stored standard deviations, from which on a person is told, also under --quiet"
            ),
            Key(
                "max_drift", \.maxDrift, Form<Double>.positive.orNull, .nothing,
                "the drift of inputs, in stored standard deviations, above which nothing is promoted"),
        ])
}

extension Form where Value == String {
    static let watchedMetric = text("the name of a metric such as \"valid.loss\"")
}
