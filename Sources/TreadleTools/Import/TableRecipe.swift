internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

/// How much time a configuration for a table is meant to take.
package enum Effort: Sendable {
    /// One network for a first look.
    case quick
    /// Five networks, each judged by the fifth of the rows that it has not seen.
    case usual
    /// Twice as many networks, for longer.
    case best
}

/// The settings with which networks do well on tables of numbers, words and dates.
///
/// They follow the ablations of RealMLP (arXiv 2407.04491), and were chosen among some sixty combinations by the mean error over
/// twenty real tables of 234 to 327,000 rows, relative to LightGBM's: members on folds are worth more than all else together;
/// then come waves of each number, shorter ones the more rows there are, and for classes smoothed labels with a temperature
/// fitted afterwards. Width, dropout, weight decay and other activations were worth nothing beyond noise.
struct TableRecipe {
    var members: Int
    var units: Int
    /// The spread of the embedding's frequencies; nil: no embedding.
    var sigma: Double?
    var rate: Double
    var epochs: Int
    var patience: Int
    var batchSize: Int
    var metrics: [MetricName]
    var metricsRemark: String?
    var watched: MetricName
    private let task: LearningTask

    /// The numbers of an embedding multiply the inputs: of more columns than these the first layer would be most of the work.
    private static let mostEmbedded = 250

    /// Nil where a table has too few rows for folds, or no columns that say what they are.
    init?(_ portrait: DataPortrait, _ effort: Effort) {
        guard let schema = portrait.schema, portrait.inputs.rows >= 50 else { return nil }
        let rows = portrait.inputs.rows
        task = portrait.target.task
        members = effort == .quick ? 1 : effort == .usual ? 5 : 10
        units = rows < 6_000 ? 128 : 256
        let numbers = schema.inputs.filter(\.isNumber).count
        sigma = numbers == 0 || numbers > Self.mostEmbedded || rows < 1_000 ? nil : rows < 6_000 ? 0.3 : 3
        let base = task == .regression ? 0.07 : 0.04
        // Of few rows there is little to learn, and too fast.
        rate = rows < 1_000 ? base / 2 : base
        let usual =
            switch rows {
            case ..<6_000: 128
            case ..<30_000: 64
            case ..<100_000: 32
            default: max(4, 1_600_000 / rows)
            }
        epochs =
            switch effort {
            case .quick: max(4, usual / 4)
            case .usual: usual
            case .best: rows < 6_000 ? usual : 2 * usual
            }
        // The best epoch of a regression is often the last; of classes, a third of the way without progress is enough.
        let isPatient = task == .regression || rows < 1_000 || rows >= 100_000
        patience = isPatient ? epochs : max(4, epochs / 3)
        // A member leaves a fifth of each batch out: 256 rows are left.
        batchSize = effort == .quick ? 256 : 320
        watched = task == .regression ? .rmse : .logLoss
        metrics = portrait.target.metrics
        metricsRemark = portrait.target.metricsRemark
    }

    var validation: String {
        members == 1
            ? "valid: { fraction: 0.2 },  // rows kept out of training, chosen by what is in them, to find the best epoch"
            : "valid: { folds: 5 },  // each member leaves a fifth out, and is judged by it"
    }

    /// The rest of the section `data`.
    func data(shufflesBlocks: Bool) -> [String] {
        var lines = ["    batch_size: \(batchSize),"]
        if shufflesBlocks {
            lines.append("    shuffle: \"block\",  // larger than this machine's memory: rows are mixed block by block")
        }
        lines += [
            "    normalize: \"robust\",  // by median and quartiles; words, flags and parts of dates stay 0 to 1",
            "    smooth_clip: 10,  // far outliers are bent to stay within",
        ]
        if task == .regression {
            lines += [
                "    normalize_target: \"standard\",  // predictions come out in the target's own units all the same",
                "    clip_predictions: true,  // predictions stay within what training has seen",
            ]
        }
        return lines
    }

    /// All sections from `model` on; `directory` is where checkpoints go.
    func sections(directory: String) -> [String] {
        var lines = ["  model: {", "    hidden: [  // [] makes it a linear model"]
        lines += (0..<3).map { _ in "      { units: \(units), activation: \"relu\" }," }
        lines += [
            "    ],",
            "    parameterization: \"ntk\",  // one rate fits layers of every width",
            "    scale_inputs: true,  // learns which inputs matter",
        ]
        if let sigma {
            lines.append(
                "    embedding: { type: \"periodic\", sigma: \(sigma) },  // waves of each number, for what is no straight line"
            )
        }
        if members > 1 { lines.append("    members: \(members),  // networks whose answers are averaged") }
        let embeddingRate = sigma == nil ? "" : ", embedding_rate: 0.1"
        lines += [
            "  },", "",
            "  optimizer: { type: \"adam\", lr: \(rate), beta2: 0.95, bias_rate: 0.1, scale_rate: 6\(embeddingRate) },",
            "  schedule: { type: \"coslog\", cycles: 4 },  // the rate falls and rises again, four times",
        ]
        if task != .regression {
            lines += [
                "  loss: { label_smoothing: 0.1 },  // keeps outputs from growing without end …",
                "  calibrate: true,  // … and probabilities are brought back to what is seen on rows not learnt from",
            ]
        }
        lines += [
            "  stop: {", "    epochs: \(epochs),",
            "    early: { metric: \"valid.\(watched.rawValue)\", patience: \(patience) },  // keeps the best epoch's weights",
            "  },",
            "  metrics: [\(metrics.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))],"
                + (metricsRemark.map { "  // \($0)" } ?? ""),
            "  checkpoint: { dir: \(directory) },",
        ]
        return lines
    }
}
