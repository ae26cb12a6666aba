package import TreadleBase
package import TreadleData
package import TreadleModel

/// What to import, and how.
package struct ImportRequest: Sendable {
    /// The parts of one dataset, in order.
    package var inputs: [String]
    package var output: String
    /// Whether a file of that name may be replaced.
    package var replacing: Bool
    package var compress: Bool
    /// Stores fractions in 64 bits instead of 32.
    package var float64: Bool
    package var table: TableOptions
    /// Array files that hold targets, in the order of those that hold inputs.
    package var targetFiles: [String]
    /// Whether a table without a named target is a mistake.
    package var needsTarget: Bool
    /// What a table's columns are, where another file or a model says it.
    package var like: TableSchema?
    /// Leaves a table's targets out, and keeps the rows that have none.
    package var ignoresTargets: Bool

    package init(
        inputs: [String], output: String, replacing: Bool = false, compress: Bool = false, float64: Bool = false,
        table: TableOptions = TableOptions(), targetFiles: [String] = [], needsTarget: Bool = false,
        like: TableSchema? = nil, ignoresTargets: Bool = false
    ) {
        self.inputs = inputs
        self.output = output
        self.replacing = replacing
        self.compress = compress
        self.float64 = float64
        self.table = table
        self.targetFiles = targetFiles
        self.needsTarget = needsTarget
        self.like = like
        self.ignoresTargets = ignoresTargets
    }
}

/// What an import has written.
package struct ImportSummary: Equatable, Sendable {
    package var arrays: [TableConversion.Outcome.Array]
    package var classes: [String]?
    /// What became of each column of a table.
    package var findings: [TableFinding] = []
    /// The names of a table's inputs.
    package var columns: [String]?
    /// Things worth knowing that are not errors, a sentence each.
    package var notes: [String]
}

/// How far an import has come, in bytes of its inputs.
package struct ImportProgress: Sendable {
    package var done: Int
    package var total: Int
}

/// Turns tables and array files into one HDF5 file.
package struct Import {
    let request: ImportRequest
    let workers: Workers
    let stop: Stop
    let progress: (ImportProgress) -> Void

    package init(
        _ request: ImportRequest, workers: Workers, stop: Stop = Stop(),
        progress: @escaping (ImportProgress) -> Void = { _ in }
    ) {
        self.request = request
        self.workers = workers
        self.stop = stop
        self.progress = progress
    }

    package func run() throws -> ImportSummary {
        var failures: [TreadleError] = []
        var files: [InputFile] = []
        var kinds: [FileKind] = []
        // Of several files, all that do not open are named at once.
        for path in request.inputs + request.targetFiles {
            do {
                let file = try InputFile(path)
                let kind = try FileKind(of: file)
                guard files.count < request.inputs.count else { continue }
                files.append(file)
                kinds.append(kind)
            } catch {
                failures.append(TreadleError(of: error))
            }
        }
        if let first = failures.first { throw TreadleError(first.kind, messages: failures.flatMap(\.messages)) }
        if kinds.allSatisfy({ $0 == .table }) {
            guard request.targetFiles.isEmpty else {
                throw TreadleError(.usage, "--target-file goes with array files; name a table's target with --target")
            }
            return try table()
        }
        if let table = zip(files, kinds).first(where: { $0.1 == .table }) {
            throw TreadleError(
                .usage, "\(table.0.path) is a table, but other inputs are arrays; import them separately")
        }
        return try ArrayImport(self, files, kinds).run()
    }

    private func table() throws -> ImportSummary {
        let conversion = TableConversion(
            inputs: request.inputs, output: request.output, replacing: request.replacing, compress: request.compress,
            float64: request.float64, options: request.table, like: request.like,
            ignoresTargets: request.ignoresTargets, needsTarget: request.needsTarget, attributes: attributes)
        let outcome = try conversion.write(workers: workers, stop: stop) { done, total in
            progress(ImportProgress(done: done, total: total))
        }
        return ImportSummary(
            arrays: outcome.arrays, classes: outcome.classes, findings: outcome.findings,
            columns: outcome.schema.inputs.map(\.name), notes: outcome.notes)
    }

    /// What the file says about where it comes from.
    var attributes: [(name: String, value: String)] {
        let names = (request.inputs + request.targetFiles).map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        let list = names.prefix(100).joined(separator: ", ") + (names.count > 100 ? ", …" : "")
        return [("source", list), ("written_by", "treadle import \(Treadle.version)")]
    }
}
