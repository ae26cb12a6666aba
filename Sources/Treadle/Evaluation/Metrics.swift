/// The metrics of a dataset, gathered batch by batch on all cores and summed in row order.
///
/// Definitions are scikit-learn's, weights included: macro averages over classes, labels or target columns; a
/// multilabel row counts as accurate where all its labels are; `auc` of several classes is one against the rest.
/// `auc` keeps one number for each row and class until the end; all else needs no memory for rows.
package struct Metrics: Sendable {
    private let names: [MetricName]
    private let workers: Workers
    private var tally: Tally

    private enum Tally: Sendable {
        case classes(ClassTally)
        case labels(LabelTally)
        case values(ValueTally)
    }

    /// `targetFactor` is the normalization's, so that errors are reported in the target's own units.
    package init(
        _ names: [MetricName], task: LearningTask, outputs: Int, targetFactor: [Double] = [], workers: Workers
    ) {
        self.names = names
        self.workers = workers
        let ranks = names.contains(.auc)
        switch task {
        case .classification:
            tally = .classes(ClassTally(outputs: outputs, ranks: ranks, confuses: names.contains(.confusion)))
        case .multilabel: tally = .labels(LabelTally(outputs: outputs, ranks: ranks))
        case .regression: tally = .values(ValueTally(outputs: outputs, factor: targetFactor))
        }
    }

    /// Adds `rows` rows of predictions (after the loss's link), which lie `stride` numbers apart.
    package mutating func add<S: Scalar>(
        _ predictions: UnsafePointer<S>, stride: Int, rows: Int, targets: Targets<S>, weights: UnsafePointer<S>?
    ) {
        guard !names.isEmpty else { return }
        let block = unsafe PredictedRows(
            predictions: predictions, stride: stride, rows: rows, targets: targets, weights: weights)
        switch tally {
        case .classes(var classes):
            // Empties the slot, so that the tally's arrays are changed in place.
            tally = .values(ValueTally(outputs: 0, factor: []))
            unsafe classes.add(block, workers: workers)
            tally = .classes(classes)
        case .labels(var labels):
            tally = .values(ValueTally(outputs: 0, factor: []))
            unsafe labels.add(block, workers: workers)
            tally = .labels(labels)
        case .values(var values):
            tally = .values(ValueTally(outputs: 0, factor: []))
            unsafe values.add(block, workers: workers)
            tally = .values(values)
        }
    }

    /// The metrics asked for by name, all but the confusion matrix; NaN where the rows do not define one.
    package func results() -> [String: Double] {
        var results: [String: Double] = [:]
        for name in names where name != .confusion {
            results[name.rawValue] =
                switch tally {
                case .classes(let tally): tally.value(of: name, workers: workers)
                case .labels(let tally): tally.value(of: name, workers: workers)
                case .values(let tally): tally.value(of: name)
                }
        }
        return results
    }

    /// Row i, column j: the weight of the rows of class i that were taken for class j; nil unless asked for.
    package var confusion: [[Double]]? {
        guard case .classes(let tally) = tally, names.contains(.confusion) else { return nil }
        return tally.confusion
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
