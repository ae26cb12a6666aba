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
            if let first = files.first, try !first.hdf5.contains(source.y),
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
