internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

/// Settings that fit the size and kind of the data, as rules of thumb: a place to start from.
struct TrainingPlan {
    var batchSize: Int
    var validFraction: Double?
    var hidden: [Int]
    var dropout: Double
    var epochs: Int
    var patience: Int
    var normalization: (text: String, why: String)
    var metrics: [MetricName]
    var shufflesBlocks: Bool

    init(_ portrait: DataPortrait) {
        let rows = portrait.inputs.rows
        let width = portrait.inputs.width
        batchSize =
            switch rows {
            case ..<1_000: 32
            case ..<10_000: 64
            case ..<100_000: 128
            case ..<1_000_000: 256
            default: 1_024
            }
        validFraction = rows < 20 ? nil : rows < 2_000 ? 0.2 : 0.1
        let units =
            switch width {
            case ..<8: 32
            case ..<64: 64
            case ..<512: 128
            default: 256
            }
        hidden = rows < 500 ? [units / 2] : [units, units / 2]
        dropout = width >= 512 && rows >= 500 ? 0.1 : 0
        // Some thousands of updates, however many make an epoch.
        epochs = max(10, min(200, 6_000 * batchSize / max(1, rows) / 5 * 5))
        patience = max(5, epochs / 10)

        let isByte = portrait.elementSize == 1
        if isByte && portrait.inputs.shape.count >= 3 {
            normalization = ("{ scale: 0.00392156862745098 }", "bytes of 0 to 255 become 0 to 1")
        } else if portrait.isUnitScaled && !portrait.hasMissing && portrait.inputs.shape.count >= 3 {
            normalization = ("\"none\"", "the inputs lie between 0 and 1 already")
        } else {
            normalization = ("\"standard\"", "each column gets mean 0 and spread 1, as fitted on the training rows")
        }
        metrics =
            switch portrait.target.task {
            case .classification: portrait.target.isImbalanced ? portrait.target.metrics : [.accuracy]
            case .multilabel: [.accuracy, .macroF1]
            case .regression: [.rmse, .r2]
            }
        let (bytes, overflow) = rows.multipliedReportingOverflow(by: width * portrait.elementSize)
        shufflesBlocks = overflow || bytes > ControlGroup.memory
    }
}
