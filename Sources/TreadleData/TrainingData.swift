package import TreadleBase
package import TreadleConfiguration
package import TreadleModel

/// All the rows that a configuration names, opened, checked, split and measured.
package final class TrainingData: Sendable {
    package let train: RowSet
    /// With folds, all rows of `train`, each of which is judged by members that have not learnt from it.
    package let valid: RowSet?
    package let test: RowSet?
    /// F: the numbers of a row of x.
    package let features: Int
    /// D of the output layer: classes, or target columns.
    package let outputs: Int
    package let classes: [String]?
    /// What the inputs are: their names, and the table that they are made from.
    package let inputs: InputColumns
    package var columns: [String]? { inputs.names }
    package let imageShape: [Int]?
    /// The columns that have a unit and a spread, in rising order; nil where all are taken for such.
    package let numbers: [Int]?
    package let normalization: Normalization
    /// Where an embedding by ramps has its bins, as the network reads its columns; nil without one.
    package let bins: PiecewiseBins?
    /// What identifies the numbers of training and validation, however they are stored.
    package let fingerprint: String

    package init(
        _ configuration: Configuration, workers: Workers, cacheDirectory: String?, ranks: Ranks = .alone,
        like known: KnownColumns? = nil, stop: Stop = Stop(),
        note: @escaping @Sendable (LogLevel, String) -> Void = { _, _ in }
    ) throws {
        let data = configuration.data
        let sources = try TrainingSources(configuration, like: known, workers: workers, stop: stop, note: note)
        let training = sources.training
        fingerprint = sources.fingerprint
        var split: Split?
        var folds: Folds?
        // Where all rows of a customer are on one side for the test, they are so for validation.
        let group: String? = if case .fraction(_, let group) = data.test { group } else { nil }
        switch data.valid {
        case .fraction(let fraction):
            split = Split(
                fraction: fraction, seed: configuration.seed, contents: try training.contents(group: group))
        case .folds(let count):
            folds = Folds(count: count, seed: configuration.seed, contents: try training.contents(group: group))
        case .source, nil: break
        }
        var testing: Dataset?
        if case .source(let source) = data.test { testing = try sources.companion(source) }
        let heldOut = try data.test.flatMap { try training.heldOut($0, seed: configuration.seed) }
        if let shape = training.imageShape {
            let extents = shape.map(String.init).joined(separator: "×")
            note(.info, "\(data.train.x) has rows of \(extents), taken as \(training.features) numbers each")
        }

        try ranks.checkAlike(configuration, data: fingerprint, test: testing)
        let isAside: @Sendable (Int) -> Bool = { [split] row in
            heldOut?[row] == true || split?.isAside(row) == true
        }
        let measured = try Measurements.take(
            training, isTraining: { !isAside($0) }, configuration, fingerprint, cacheDirectory, ranks)
        normalization = measured.normalization
        bins = measured.quantiles.map { [normalization] quantiles in
            PiecewiseBins(
                quantiles: zip(training.numbers ?? Array(0..<training.features), quantiles).map { column, values in
                    values.map { normalization.input($0, column: column) }
                })
        }
        let dropped = RowFilter(measured.dropped)
        let isKept: (@Sendable (Int) -> Bool)? =
            split == nil && heldOut == nil ? nil : { @Sendable row in !isAside(row) }
        train = RowSet(training, training.rows(workers, dropped, isKept))
        if folds != nil {
            var rows = train
            rows.folds = folds
            valid = rows
        } else if let split {
            let aside = RowSet(
                training, training.rows(workers, dropped) { heldOut?[$0] != true && split.isAside($0) })
            valid = aside.count > 0 ? aside : nil
            if aside.count == 0 {
                note(
                    .warning,
                    "data.valid puts none of the \(train.count) rows aside; training goes on without validation")
            }
        } else {
            valid = try sources.validation.map { try $0.usableRows(workers, ranks) }
        }
        if let heldOut {
            let kept = RowSet(training, training.rows(workers, dropped) { heldOut[$0] })
            guard kept.count > 0 else {
                throw TreadleError(
                    .badData,
                    "\(training.x.path): data.test chooses none of the \(training.range.count) rows; raise its fraction, or name an earlier date"
                )
            }
            test = kept
        } else {
            test = try testing.map { try $0.usableRows(workers, ranks) }
        }
        guard train.count > 0 else {
            throw TreadleError(
                .badData,
                "\(training.x.path): none of the \(training.range.count) rows is left for training; look at data.valid, data.train.rows and data.non_finite"
            )
        }
        features = training.features
        outputs = training.outputs
        classes = training.classes
        inputs = training.inputs
        imageShape = training.imageShape
        numbers = training.numbers
    }

    /// Whether the rows to train on come from tables of text.
    package static func areTables(_ configuration: Configuration) throws -> Bool {
        try ImportedTable.areTables(configuration.files(of: configuration.data.train))
    }

    /// Whether a file is no longer what was opened.
    package var hasChanged: Bool {
        datasets.contains { (try? $0.dataset.checkUnchanged()) == nil }
    }

    /// Every dataset that is open, with its role: for reports.
    package var datasets: [(role: String, dataset: Dataset)] {
        var all = [(role: "train", dataset: train.dataset)]
        if let valid, valid.dataset !== train.dataset { all.append((role: "valid", dataset: valid.dataset)) }
        if let test, test.dataset !== train.dataset { all.append((role: "test", dataset: test.dataset)) }
        return all
    }
}

extension Dataset {
    /// The columns that have a unit and a spread, in rising order; nil where all are taken for such.
    var numbers: [Int]? { isNumber.map { isNumber in isNumber.indices.filter { isNumber[$0] } } }

    /// The rows of the range that are not dropped and for which `isChosen` says so.
    fileprivate func rows(
        _ workers: Workers, _ dropped: RowFilter, _ isChosen: (@Sendable (Int) -> Bool)?
    ) -> RowSelection {
        guard isChosen != nil || !dropped.isEmpty else { return RowSelection(range) }
        let range = range
        return RowSelection(
            RowBits(rows: range.upperBound, workers: workers) { row in
                row >= range.lowerBound && isChosen?(row) != false && !dropped.contains(row)
            })
    }

    /// The rows of a dataset that does not train: all of them, or those without values that are not finite.
    package func usableRows(_ workers: Workers, _ ranks: Ranks = .alone) throws -> RowSet {
        guard settings.nonFinite == .dropRow else { return RowSet(self) }
        let scan = try DatasetScan(
            self, isTraining: { _ in false }, wantsX: false, wantsTargets: false, ranks: ranks)
        noteDropped(scan.dropped)
        let left = RowSet(self, rows(workers, RowFilter(scan.dropped), nil))
        guard left.count > 0 else {
            throw TreadleError(.badData, "\(x.subject(range.lowerBound)): every row has a value that is not finite")
        }
        return left
    }

    func noteDropped(_ dropped: [Int]) {
        guard let first = dropped.first else { return }
        settings.note(
            .warning,
            "\(dropped.count) of \(range.count) rows are dropped for values that are not finite; the first is \(x.subject(first))"
        )
    }
}

/// Rows that are left out.
struct RowFilter: Sendable {
    private let rows: Set<Int>

    init(_ rows: [Int]) {
        self.rows = Set(rows)
    }

    var isEmpty: Bool { rows.isEmpty }
    func contains(_ row: Int) -> Bool { !rows.isEmpty && rows.contains(row) }
}

extension TrainingData {
    /// The network that a configuration describes, for these inputs and outputs.
    package func network(_ configuration: Configuration) -> Network {
        configuration.network(inputs: features, outputs: outputs, numbers: numbers)
    }

    /// The loss that a configuration names, with the class weights that these rows come to.
    package func loss(_ configuration: Configuration) throws -> LossFunction {
        try LossFunction(
            configuration.loss, task: configuration.task, outputs: outputs, classCounts: train.classCounts)
    }
}
