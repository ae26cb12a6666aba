internal import CDecode
internal import HDF5
internal import Synchronization
internal import TreadleBase
package import TreadleConfiguration
package import TreadleModel

/// The rows of one or several files as one: inputs x, what they should be recognized as, and their weights.
///
/// Rows are numbered from 0 over all files in their order; which of them count, `rows` of the source says.
package final class Dataset: Sendable {
    /// What the targets are read for.
    package enum TargetRequest: Sendable {
        /// Inputs alone: for prediction.
        case none
        /// The data say how many outputs there are.
        case learn(LearningTask)
        /// The data must fit a network that has learnt already.
        case match(LearningTask, outputs: Int, classes: [String]?)
        /// To see whether they can be read. Of numbers the first and the last row of each file are enough: all others are read
        /// in the same way, and there may be many.
        case attempt(LearningTask)

        var task: LearningTask? {
            switch self {
            case .none: nil
            case .learn(let task), .match(let task, _, _), .attempt(let task): task
            }
        }
    }

    /// The rows that the source chooses.
    package let range: Range<Int>
    /// F: the numbers that a network reads of a row.
    package let features: Int
    /// The extents of a row of x where it has several, such as 28×28.
    package let imageShape: [Int]?
    /// The D of the output layer: classes, or target columns; 0 without targets.
    package let outputs: Int
    package let classes: [String]?
    /// What the inputs are: the names that they have, and the table that they are made from.
    package let inputs: InputColumns
    /// What each file says its rows are, before they are matched with the inputs.
    let fileColumns: [InputColumns]
    package var columns: [String]? { inputs.names }
    package var schema: TableSchema? { inputs.schema }
    /// For each input whether it has a unit and a spread, so that it is measured and scaled; nil where all have.
    package let isNumber: [Bool]?
    package var fileNames: [String] { files.map(\.path) }
    /// All rows of all files.
    package var totalRows: Int { x.rows }

    let files: [DataFile]
    let x: StoredArray
    let targets: TargetTable
    let weights: RowWeights?
    package let settings: DatasetSettings
    /// What to do about columns and classes of tables that a model does not know.
    let remedy: String?
    let cache: BandCache
    let residents = ResidentStore()
    private let said = Mutex<Set<String>>([])

    /// Columns are matched by name with those of `known`; without, with the first file's.
    package static func open(
        _ source: DataSource, _ settings: DatasetSettings, targets request: TargetRequest,
        like known: KnownColumns? = nil
    ) throws -> Dataset {
        try Dataset(source, settings, request, known)
    }

    private init(
        _ source: DataSource, _ settings: DatasetSettings, _ request: TargetRequest,
        _ known: KnownColumns?
    ) throws {
        self.settings = settings
        remedy = known?.remedy
        let paths = try PathResolution.files(source.files, in: settings.baseDirectory)
        var source = source
        if try ImportedTable.areTables(paths) {
            let target = source.y == DataSource.defaultY ? nil : source.y
            try source.readTables(paths[0], like: known)
            let tables = try ImportedTable.all(
                paths, target: target, task: request.task, like: known, settings)
            defer { tables.first?.release() }
            let opened = try tables.map { try DataFile($0, policy: settings.policy) }
            // A file without rows may have columns of any type, so it takes no part as long as another file has rows.
            let filled = try opened.filter { try $0.dataset(source.x).shape.first != 0 }
            files = filled.isEmpty ? Array(opened.prefix(1)) : filled
        } else {
            guard settings.tables.kinds.isEmpty || known != nil || request.task == nil || paths.isEmpty else {
                throw TreadleError(
                    .configuration,
                    "data.kinds is for tables of text, and \(paths[0]) is none: import it with --kind, and remove data.kinds"
                )
            }
            files = try paths.map { try DataFile($0, policy: settings.policy) }
            // A file that was imported from a table has the column that y names under the usual path.
            if let first = files.first, !first.hdf5.contains(source.y),
                try first.schema()?.targets.contains(where: { $0.name == source.y }) == true
            {
                source.y = DataSource.defaultY
            }
        }
        guard let first = files.first else {
            throw TreadleError(.noInput, "no data files are named in data.train.files")
        }
        cache = BandCache(budget: settings.budget, workers: settings.workers)
        let own = try files.map { try $0.inputColumns(source.x) }
        let inputs = known?.columns ?? own[0]
        let matches = try zip(files, own).map { file, columns in
            try ColumnMatch(columns, of: file.path, as: inputs, of: known?.owner ?? first.path)
        }
        self.inputs = inputs
        fileColumns = own
        isNumber = inputs.schema?.inputs.map(\.isNumber)
        x = try StoredArray.open(
            source.x, in: files, access: settings.access, cache: cache, settings: settings, inputs: inputs,
            readings: matches.map(\.reading))
        guard x.rows > 0 else {
            throw TreadleError(.badData, "\(first.path):\(source.x): has no rows; there is nothing to read")
        }
        features = x.width
        imageShape = x.rowShape.count > 1 ? x.rowShape : nil
        range = source.rows ?? 0..<x.rows
        guard range.upperBound <= x.rows, !range.isEmpty else {
            throw TreadleError(
                .badData,
                "\(first.path):\(source.x): rows \(range.lowerBound) to \(range.upperBound) are asked for, and there are \(x.rows); correct data rows"
            )
        }
        // Sets of rows are kept as bits: a number of rows without data behind it is refused before that.
        guard range.upperBound / 6 < settings.budget.limit else {
            throw TreadleError(
                .badData,
                "\(first.path):\(source.x): says that it has \(x.rows) rows, too many for data.memory_limit (\(settings.budget.limit.asBytes)); raise it, or look at the file"
            )
        }
        let hasTargets = request.task != nil
        if hasTargets, let due = inputs.schema?.targets.map(\.name) {
            for (file, columns) in zip(files, own) where columns.schema != nil { try file.checkTargets(due) }
        }
        let names = hasTargets ? try first.names("/classes") : nil
        (targets, outputs, classes) = try Self.targets(source.y, files, range, request, names, settings, x, cache)
        if case .attempt = request {
            weights = nil
            try x.readEdges()
            if let weight = source.weight {
                try StoredArray.open(weight, in: files, access: .auto, cache: cache, settings: settings).readEdges()
            }
        } else {
            weights =
                hasTargets
                ? try source.weight.map { [files, range, x, cache] in
                    try RowWeights($0, files, range, settings, x, cache)
                } : nil
        }
        for (file, match) in zip(files, matches) { noteIgnored(match.ignored, in: file.path) }
        try noteUnseen(matches)
    }

    private static func targets(
        _ path: String, _ files: [DataFile], _ range: Range<Int>, _ request: TargetRequest, _ stored: [String]?,
        _ settings: DatasetSettings, _ x: StoredArray, _ cache: BandCache
    ) throws -> (TargetTable, outputs: Int, classes: [String]?) {
        let expected: Int?
        var names = stored
        switch request {
        case .none: return (.none, 0, nil)
        case .learn, .attempt: expected = nil
        case .match(_, let outputs, let classes):
            expected = outputs
            names = classes ?? (stored?.count == outputs ? stored : nil)
        }
        let isText = try files.map { file in
            if case .string = try file.dataset(path).type { true } else { false }
        }
        if request.task == .classification, isText.contains(true) {
            guard !isText.contains(false) else {
                throw TreadleError(
                    .badData, "\(files[0].path):\(path): is text in some files and numbers in others; use one form")
            }
            for file in files {
                let shape = try file.dataset(path).shape
                guard shape.dropFirst().allSatisfy({ $0 == 1 }), !shape.isEmpty else {
                    throw TreadleError(.badData, "\(file.path):\(path): has shape \(shape); labels need one text a row")
                }
            }
            try checkRows(path, try files.map { try $0.dataset(path).shape[0] }, files, x)
            let (labels, found) = try Labels.texts(path, in: files, rows: range, known: names, settings: settings)
            try checkClassCount(found.count, "\(files[0].path):\(path)")
            return (.classes(labels), found.count, found)
        }
        let y = try StoredArray.open(path, in: files, access: .auto, cache: cache, settings: settings)
        try checkRows(path, y.segments.map(\.rows), files, x)
        if case .attempt = request {
            for file in files { _ = try file.names("/classes") }
            try y.readEdges()
            return (.none, 0, nil)
        }
        if request.task == .classification {
            let limit = y.width > 1 ? y.width : expected ?? names?.count
            let what = expected != nil ? "the network" : "/classes"
            if let expected, y.width > 1, y.width != expected {
                throw TreadleError(
                    .badData, "\(files[0].path):\(path): has \(y.width) columns, and the network \(expected) classes")
            }
            let matches = try files.map { ClassMatch(try $0.names("/classes"), as: names) }
            let labels = try Labels.numbers(
                y, rows: range, limit: limit, what: what, names: matches, settings: settings)
            let count = limit ?? labels.largest + 1
            try checkClassCount(count, "\(files[0].path):\(path)")
            return (.classes(labels), count, names?.count == count ? names : nil)
        }
        guard y.rowShape.count <= 1 else {
            throw TreadleError(
                .badData,
                "\(files[0].path):\(path): its rows have the shape \(y.rowShape); targets need one column or several, (N) or (N,K)"
            )
        }
        if let expected, expected != y.width {
            throw TreadleError(
                .badData, "\(files[0].path):\(path): has \(y.width) columns, and the network \(expected) outputs")
        }
        if request.task == .multilabel {
            for file in files { try file.checkLabels(names, width: y.width) }
            try checkBits(y, range, settings)
        }
        return (.values(y), y.width, request.task == .multilabel && names?.count == y.width ? names : nil)
    }

    static func checkRows(_ path: String, _ rows: [Int], _ files: [DataFile], _ x: StoredArray) throws {
        for (index, file) in files.enumerated() where rows[index] != x.segments[index].rows {
            throw TreadleError(
                .badData,
                "\(file.path):\(path): has \(rows[index]) rows, and \(x.path) has \(x.segments[index].rows); they must be as many"
            )
        }
    }

    private static func checkClassCount(_ count: Int, _ subject: String) throws {
        guard count < 2 else { return }
        throw TreadleError(
            .badData, "\(subject): all rows are of one class; a classification needs at least two to tell apart")
    }

    private static func checkBits(_ y: StoredArray, _ range: Range<Int>, _ settings: DatasetSettings) throws {
        try RowSweep(settings).run(range, block: 1 << 14) { _, rows, scratch in
            unsafe try y.visit(rows, scratch) { bytes, form, rows in
                let values = unsafe StoredArray.doubles(bytes, form.number, width: rows.count * y.width)
                guard let place = values.firstIndex(where: { $0 != 0 && $0 != 1 }) else { return }
                let (row, column) = place.quotientAndRemainder(dividingBy: y.width)
                throw TreadleError(
                    .badData,
                    "\(y.subject(rows.lowerBound + row)), column \(column) is \(values[place]); multilabel targets are 0 or 1"
                )
            }
        }
    }

    /// For each column of tables how many values of its category are none of those that it knows, rare ones among them.
    package func unknownValues() throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for file in files where file.table != nil {
            let names = try file.schema()?.columns.map(\.name) ?? []
            let unseen: [Int] = try file.dataset("/" + TableConversion.unseen).read()
            for (name, count) in zip(names, unseen) where count > 0 { counts[name, default: 0] += count }
        }
        return counts
    }

    /// Throws when one of the files is no longer what was opened.
    package func checkUnchanged() throws {
        for file in files { try file.checkUnchanged() }
    }
}

/// How much each row of a range counts.
@safe final class RowWeights: @unchecked Sendable {
    private let region: Region
    let values: UnsafeMutablePointer<Double>

    init(
        _ path: String, _ files: [DataFile], _ rows: Range<Int>, _ settings: DatasetSettings, _ x: StoredArray,
        _ cache: BandCache
    ) throws {
        let array = try StoredArray.open(path, in: files, access: .auto, cache: cache, settings: settings)
        try Dataset.checkRows(path, array.segments.map(\.rows), files, x)
        guard array.width == 1 else {
            throw TreadleError(.badData, "\(files[0].path):\(path): has \(array.width) columns; a row has one weight")
        }
        let size = rows.count * MemoryLayout<Double>.stride
        guard settings.budget.claim(size) else {
            throw TreadleError(
                .badData,
                "\(path): the weights of \(rows.count) rows take \(size.asBytes), more than data.memory_limit (\(settings.budget.limit.asBytes)) leaves; raise it"
            )
        }
        region = try Region(count: size, for: path)
        unsafe values = unsafe region.bytes.bindMemory(to: Double.self, capacity: rows.count)
        nonisolated(unsafe) let target = unsafe values
        let first = rows.lowerBound
        try RowSweep(settings).run(rows, block: 1 << 16) { _, rows, scratch in
            unsafe try array.visit(rows, scratch) { bytes, form, rows in
                let start = unsafe target + (rows.lowerBound - first)
                _ = unsafe ColumnTransform.identity.convert(bytes, form.number, width: rows.count, into: start)
                for (index, row) in rows.enumerated() {
                    let weight = unsafe start[index]
                    guard weight.isFinite, weight >= 0 else {
                        throw TreadleError(
                            .badData, "\(array.subject(row)): weight \(weight) is not a number from 0; correct it")
                    }
                }
            }
        }
        guard (0..<rows.count).contains(where: { unsafe values[$0] > 0 }) else {
            throw TreadleError(.badData, "\(files[0].path):\(path): all weights are 0; nothing would be learnt")
        }
    }
}

extension Dataset {
    /// Says something about this dataset that would be said again every epoch.
    func warnOnce(_ text: String) {
        guard said.withLock({ $0.insert(text).inserted }) else { return }
        settings.note(.warning, text)
    }

    /// Lets decoded chunks have the memory that nothing else has asked for, but for a tenth.
    func cacheWhatIsLeft() {
        guard cache.room > 0, !settings.readsOnce else { return }
        cache.grow(to: cache.room + max(0, settings.budget.left - settings.budget.limit / 10))
    }
}

extension DataSource {
    /// Where the parts of tables, the first of which is `name`, are once they are imported.
    fileprivate mutating func readTables(_ name: String, like known: KnownColumns?) throws {
        if let known, known.columns.schema == nil {
            throw TreadleError(
                .badData,
                "\(name): is a table, and \(known.owner) does not say how its inputs are made from one; import it to HDF5 as the training data was"
            )
        }
        guard weight == nil else {
            throw TreadleError(
                .configuration,
                "\(name): tables have no weights of rows yet; import it, and add them to the HDF5 file")
        }
        x = "/x"
        y = "/y"
    }
}
