internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleData
internal import TreadleModel

/// What an HDF5 file seems to hold to learn from: where inputs and targets are, and what kind they are of.
struct DataPortrait {
    struct Target {
        var task: LearningTask
        /// Classes, labels or values that a network has to put out.
        var outputs: Int
        /// The classes' names, where the file has them.
        var classes: [String]?
        /// Something about the target that a person should know.
        var remark: String?
        /// Whether some are NaN or infinite, as far as looked at.
        var hasMissing = false
        /// Of classes, as far as looked at: the share of the rows that the most common one has, and the rarest that occurs.
        var shares: (most: Double, least: Double)?

        /// Whether always answering with the most common class would seem good: that says little by its accuracy.
        var isImbalanced: Bool {
            guard let shares else { return false }
            return shares.most >= max(0.8, 1.5 / Double(max(1, outputs)))
                || shares.least < 0.2 / Double(max(1, outputs))
        }

        /// The metrics that tell a good model from one that always says the same.
        var metrics: [MetricName] {
            switch task {
            case .classification where outputs == 2:
                isImbalanced ? [.logLoss, .macroF1, .auc, .accuracy] : [.logLoss, .accuracy, .auc]
            case .classification:
                isImbalanced ? [.logLoss, .macroF1, .accuracy] : [.logLoss, .accuracy, .macroF1]
            case .multilabel: [.logLoss, .accuracy, .macroF1]
            case .regression: [.rmse, .mae, .r2]
            }
        }

        /// Why these metrics, as a comment; nil where that is plain.
        var metricsRemark: String? {
            guard isImbalanced, let shares else { return nil }
            return "classes are uneven: the most common has \(Figure.percent(shares.most)) of the rows, the rarest "
                + "\(Figure.percent(shares.least))"
        }

        fileprivate mutating func count<Label: Hashable>(_ labels: [Label]) {
            var counts: [Label: Int] = [:]
            for label in labels { counts[label, default: 0] += 1 }
            guard let most = counts.values.max(), let least = counts.values.min() else { return }
            shares = (Double(most) / Double(labels.count), Double(least) / Double(labels.count))
        }
    }

    var inputs: ArrayListing.Entry
    var targets: ArrayListing.Entry
    var weight: ArrayListing.Entry?
    var valid: (x: ArrayListing.Entry, y: ArrayListing.Entry)?
    var test: (x: ArrayListing.Entry, y: ArrayListing.Entry)?
    var target: Target
    /// What the columns of a table are, where the file says it.
    var schema: TableSchema?
    /// Whether inputs hold NaN or infinities, as far as looked at.
    var hasMissing: Bool
    /// Whether every input seen lies in 0…1 already.
    var isUnitScaled: Bool
    /// Bytes of an input as stored.
    var elementSize: Int

    /// At most so many elements of an array are looked at.
    private static let lookedAt = 1 << 22

    /// Looks at a file; `x` and `y` name its arrays where people know better.
    init(_ path: String, x: String? = nil, y: String? = nil) throws {
        let file = try DataPortrait.open(path)
        let listing = try ArrayListing(file)
        func entry(_ name: String) throws -> ArrayListing.Entry {
            let full = name.hasPrefix("/") ? name : "/" + name
            let dataset = try file.dataset(full)
            if let entry = ArrayListing.Entry(dataset, at: full) { return entry }
            let extents = dataset.shape.map(String.init).joined(separator: "×")
            throw TreadleError(
                .badData,
                "\(path):\(full.printable) has no rows to learn from (\(extents.isEmpty ? "a single value" : extents))")
        }
        let there =
            listing.descriptions.isEmpty
            ? listing.isCut
                ? "it holds more objects than are looked at, and no dataset among the first"
                : "it holds no dataset at all"
            : "it holds "
                + listing.descriptions.prefix(12)
                .joined(separator: ", ")
                + (listing.isCut ? " and more, of which the first \(listing.descriptions.count) were looked at" : "")
        guard let inputs = try x.map(entry) ?? listing.inputs else {
            throw TreadleError(
                .badData, "\(path): no dataset looks like inputs, numbers with a row each; name one with --x; \(there)")
        }
        guard let targets = try y.map(entry) ?? listing.targets(of: inputs) else {
            throw TreadleError(
                .badData,
                "\(path): no dataset looks like the targets of \(inputs.path.printable), with \(inputs.rows) rows; "
                    + "name one with --y; \(there)")
        }
        if x == nil, y == nil, DataPortrait.areWeights(inputs.path, targets.path) {
            throw TreadleError(
                .badData,
                "\(path): \(inputs.path.printable) and \(targets.path.printable) look like the weights of a network and not like "
                    + "data; where they are data, name them with --x and --y; \(there)")
        }
        guard targets.rows == inputs.rows else {
            throw TreadleError(
                .badData,
                "\(path): \(inputs.path.printable) has \(inputs.rows) rows, but \(targets.path.printable) has \(targets.rows)"
            )
        }
        self.inputs = inputs
        self.targets = targets
        weight = listing.weight(of: inputs)
        func pair(_ part: ArrayName.Part) -> (ArrayListing.Entry, ArrayListing.Entry)? {
            guard let x = listing.counterpart(of: inputs, part), let y = listing.counterpart(of: targets, part),
                x.rows == y.rows
            else { return nil }
            return (x, y)
        }
        valid = pair(.valid)
        test = pair(.test)
        elementSize = inputs.type.size ?? 8
        schema = try inputs.path == "/x" && targets.path == "/y" ? TableSchema(ofDataFile: path) : nil
        let names = try file.contains("/classes") ? try? file.dataset("/classes").readStrings() : nil
        for entry in [inputs, targets, weight].compactMap({ $0 }) { try file.dataset(entry.path).checkStored() }
        target = try DataPortrait.target(
            file.dataset(targets.path), targets, classes: names,
            isQuantity: schema?.targets.first.map { $0.classes == nil } ?? false)
        let values = try DataPortrait.sample(file.dataset(inputs.path), inputs)
        hasMissing = values.contains { !$0.isFinite }
        isUnitScaled = values.allSatisfy { !$0.isFinite || ($0 >= 0 && $0 <= 1) }
    }

    /// Whether both are called as Keras, PyTorch and this program call weights, or one as what this program keeps beside them.
    private static func areWeights(_ inputs: String, _ targets: String) -> Bool {
        func words(_ path: String) -> [Substring] {
            path.lowercased().split { "/.:".contains($0) }.suffix(3)
        }
        if [inputs, targets].contains(where: { $0.hasPrefix("/treadle/") }) { return true }
        let (x, y) = (words(inputs), words(targets))
        if x.contains("vars"), y.contains("vars") { return true }
        let matrices: Set<Substring> = ["weight", "weights", "kernel"]
        return x.contains { matrices.contains($0) } && y.contains { matrices.contains($0) || $0 == "bias" }
    }

    private static func open(_ path: String) throws -> H5File {
        do throws(H5Error) {
            return try H5File.open(path)
        } catch {
            guard error.kind == .notHDF5 else { throw error }
            throw TreadleError(
                .badData, "\(path) is not an HDF5 file; tables and arrays become one with \"treadle import\"")
        }
    }

    /// What becomes of rows with NaN or infinities, as a line of a configuration; nil where there are none.
    /// `substitute` says what stands in for an input.
    func nonFiniteLine(substitute: String) -> String? {
        if target.hasMissing {
            let what = hasMissing ? "a target or with a missing input" : "a target"
            return "    non_finite: \"drop_row\",  // rows without \(what) are left out; or \"error\""
        }
        guard hasMissing else { return nil }
        return "    non_finite: \"impute_mean\",  // \(substitute); or \"drop_row\", or \"error\""
    }

    /// Numbers from the whole length of a dataset: all rows, or evenly spaced stretches.
    private static func sample(_ dataset: H5Dataset, _ entry: ArrayListing.Entry) throws -> [Double] {
        let most = max(1, lookedAt / max(1, entry.width))
        guard entry.rows > most else { return try dataset.read(as: Double.self) }
        let stretch = max(1, most / 16)
        var values: [Double] = []
        for index in 0..<min(16, most) {
            let start = (entry.rows - stretch) / 15 * index
            values += try dataset.read(as: Double.self, rows: start..<start + stretch)
        }
        return values
    }

    private static func target(
        _ dataset: H5Dataset, _ entry: ArrayListing.Entry, classes: [String]?, isQuantity: Bool
    ) throws -> Target {
        if case .string = entry.type {
            let texts = try dataset.readStrings(rows: 0..<min(entry.rows, 1 << 20))
            let names = Set(texts).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            var target = Target(task: .classification, outputs: names.count, classes: names)
            target.count(texts)
            return target
        }
        let values = try sample(dataset, entry)
        guard values.contains(where: \.isFinite) else {
            throw TreadleError(
                .badData,
                "\(dataset.subject): none of its \(entry.rows) rows has a number to be learnt; name other targets with --y"
            )
        }
        var target = target(values, entry.width, classes: classes, isQuantity: isQuantity)
        target.hasMissing = values.contains { !$0.isFinite }
        return target
    }

    private static func target(_ values: [Double], _ width: Int, classes: [String]?, isQuantity: Bool) -> Target {
        guard width == 1 else { return several(values, width) }
        let finite = values.filter(\.isFinite)
        let isWhole = finite.count == values.count && finite.allSatisfy { $0 == $0.rounded() }
        let different = isWhole && finite.count > 0 ? Set(finite) : []
        let largest = finite.max() ?? 0
        let smallest = finite.min() ?? 0
        if let classes, isWhole, smallest >= 0, largest < Double(classes.count) {
            var target = Target(task: .classification, outputs: classes.count, classes: classes)
            target.count(values)
            return target
        }
        // The import of a table has decided it, or was told.
        if isQuantity, classes == nil { return Target(task: .regression, outputs: 1, classes: nil) }
        // Few different whole numbers from 0, each of them often, are names of classes.
        let few = Double(different.count) <= max(2, min(1000, Double(finite.count).squareRoot()))
        if isWhole, few, smallest == 0, largest < Double(2 * different.count + 2) {
            var target = Target(task: .classification, outputs: Int(largest) + 1, classes: nil)
            target.count(values)
            return target
        }
        let remark =
            isWhole && few
            ? "The target has only \(different.count) different values, \(Int(smallest)) to \(Int(largest)). For classes, "
                + "number them from 0." : nil
        return Target(task: .regression, outputs: 1, classes: nil, remark: remark)
    }

    /// Several columns: one-hot classes, yes and no for each label, or quantities.
    private static func several(_ values: [Double], _ width: Int) -> Target {
        guard values.allSatisfy({ $0 == 0 || $0 == 1 }) else {
            return Target(task: .regression, outputs: width, classes: nil)
        }
        let sums = stride(from: 0, to: values.count, by: width).map { values[$0..<$0 + width].reduce(0, +) }
        if sums.allSatisfy({ $0 == 1 }) {
            return Target(
                task: .classification, outputs: width, classes: nil,
                remark: "Each row of the target has a single 1: the column is the class.")
        }
        return Target(task: .multilabel, outputs: width, classes: nil)
    }
}
