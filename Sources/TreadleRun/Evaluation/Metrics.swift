package import TreadleBase
package import TreadleConfiguration
package import TreadleData
package import TreadleEngine
package import TreadleModel

/// The loss and the metrics of a dataset, gathered batch by batch on all cores; the batches' sums meet in a fixed tree.
///
/// Definitions are scikit-learn's, weights included: macro averages over classes, labels or target columns; a
/// multilabel row counts as accurate where all its labels are; `auc` of several classes is one against the rest.
/// `auc` keeps one number for each row and class until the end; all else needs no memory for rows.
package struct Metrics: Sendable {
    private let names: [MetricName]
    private let task: LearningTask
    private let outputs: Int
    private let normalization: Normalization
    private let bounds: [(low: Double, high: Double)]
    private let workers: Workers
    private var next: Int
    private var tree = SumTree<EvaluationSums>()
    private var areas: AreaTally?

    /// By the normalization, errors are reported in the target's own units, and predictions are clipped where the model
    /// clips them. Where others have the batches before it, `firstBatch` is the number of the first one here.
    package init(
        _ names: [MetricName], task: LearningTask, outputs: Int, normalization: Normalization = .none,
        firstBatch: Int = 0, workers: Workers
    ) {
        self.names = names
        self.task = task
        self.outputs = outputs
        self.normalization = normalization
        bounds = normalization.outputBounds
        self.workers = workers
        next = firstBatch
        areas = names.contains(.auc) && task != .regression ? AreaTally(columns: outputs) : nil
    }

    /// Adds the next batch: `rows` rows of predictions (after the loss's link), which lie `stride` numbers apart, and the
    /// sums of their losses.
    package mutating func add<S: Scalar>(
        _ predictions: UnsafePointer<S>, stride: Int, rows: Int, targets: Targets<S>, weights: UnsafePointer<S>?,
        loss: StepResult = StepResult(lossSum: 0, weightSum: 0)
    ) {
        let block = unsafe PredictedRows(
            predictions: predictions, stride: stride, rows: rows, targets: targets, weights: weights)
        tree.append(unsafe sums(of: block, loss: loss), of: next..<next + 1)
        next += 1
    }

    private mutating func sums<S: Scalar>(of block: PredictedRows<S>, loss: StepResult) -> EvaluationSums {
        guard !names.isEmpty else { return EvaluationSums(loss: loss, tally: []) }
        switch task {
        case .classification:
            let tally = unsafe ClassTally(
                block, outputs: outputs, confuses: names.contains(.confusion), areas: &areas, workers: workers)
            return EvaluationSums(loss: loss, tally: tally.sums)
        case .multilabel:
            let tally = unsafe LabelTally(block, outputs: outputs, areas: &areas, workers: workers)
            return EvaluationSums(loss: loss, tally: tally.sums)
        case .regression:
            let tally = unsafe ValueTally(block, bounds: bounds, outputs: outputs, workers: workers)
            return EvaluationSums(loss: loss, tally: tally.sums, targets: tally.targets)
        }
    }

    /// Puts the batches of all ranks together, for each of them.
    mutating func join(_ ranks: Ranks) throws {
        guard !ranks.isAlone else { return }
        tree = try ranks.join(tree)
        try areas?.join(ranks)
    }

    /// The mean loss, by the rows' weights.
    package var loss: Double { tree.total?.loss ?? .nan }

    /// The metrics asked for by name, all but the confusion matrix; NaN where the rows do not define one.
    package func results() -> [String: Double] {
        guard let total = tree.total else { return [:] }
        var results: [String: Double] = [:]
        for name in names where name != .confusion {
            results[name.rawValue] =
                switch task {
                case .classification:
                    ClassTally(total.tally, outputs: outputs).value(of: name, areas: areas, workers: workers)
                case .multilabel:
                    LabelTally(total.tally, outputs: outputs).value(of: name, areas: areas, workers: workers)
                case .regression:
                    ValueTally(total.tally, targets: total.targets).value(
                        of: name, factor: normalization.targetFactor)
                }
        }
        return results
    }

    /// Row i, column j: the weight of the rows of class i that were taken for class j; nil unless asked for.
    package var confusion: [[Double]]? {
        guard task == .classification, names.contains(.confusion), let total = tree.total else { return nil }
        return ClassTally(total.tally, outputs: outputs).confusion
    }
}

extension MetricName {
    package var higherIsBetter: Bool {
        switch self {
        case .accuracy, .macroF1, .auc, .r2, .confusion: true
        case .logLoss, .rmse, .mae: false
        }
    }
}

/// One batch's predictions beside what they should have been.
@unsafe struct PredictedRows<S: Scalar> {
    var predictions: UnsafePointer<S>
    var stride: Int
    var rows: Int
    var targets: Targets<S>
    var weights: UnsafePointer<S>?

    /// Rows are tallied in blocks of this many, and the blocks' sums added in order.
    static var blockRows: Int { 256 }

    func prediction(_ row: Int, _ column: Int) -> Double {
        unsafe Double(predictions[row * stride + column])
    }

    func weight(_ row: Int) -> Double {
        unsafe weights.map { unsafe Double($0[row]) } ?? 1
    }

    /// Sums `width` numbers over all rows: `visit` adds one row's to its block's.
    func sums(
        width: Int, workers: Workers, _ visit: (_ row: Int, _ sums: UnsafeMutablePointer<Double>) -> Void
    ) -> [Double] {
        let blockRows = unsafe PredictedRows.blockRows
        let blocks = unsafe (rows + blockRows - 1) / blockRows
        var parts = [Double](repeating: 0, count: blocks * width)
        unsafe parts.withUnsafeMutableBufferPointer { parts in
            guard let base = parts.baseAddress else { return }
            // Each block has its own part; no two tasks touch the same.
            workers.forEach(blocks) { block, _ in
                for row in block * blockRows..<(unsafe min((block + 1) * blockRows, rows)) {
                    unsafe visit(row, base + block * width)
                }
            }
        }
        var sums = [Double](repeating: 0, count: width)
        for block in 0..<blocks {
            for i in 0..<width { sums[i] += parts[block * width + i] }
        }
        return sums
    }
}
