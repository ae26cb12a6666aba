package import TreadleBase
package import TreadleData

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

    package init(
        inputs: [String], output: String, replacing: Bool = false, compress: Bool = false, float64: Bool = false,
        table: TableOptions = TableOptions(), targetFiles: [String] = [], needsTarget: Bool = false
    ) {
        self.inputs = inputs
        self.output = output
        self.replacing = replacing
        self.compress = compress
        self.float64 = float64
        self.table = table
        self.targetFiles = targetFiles
        self.needsTarget = needsTarget
    }
}

/// What an import has written.
package struct ImportSummary: Equatable, Sendable {
    package struct Array: Equatable, Sendable {
        package var name: String
        package var shape: [Int]
        /// Its element type, as in "float32".
        package var type: String
    }

    package var arrays: [Array]
    package var classes: [String]?
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
        let files = try request.inputs.map { try InputFile($0) }
        let kinds = try files.map { try FileKind(of: $0) }
        if kinds.allSatisfy({ $0 == .table }) {
            guard request.targetFiles.isEmpty else {
                throw TreadleError(.usage, "--target-file goes with array files; name a table's target with --target")
            }
            return try TableImport(self, files).run()
        }
        if let table = zip(files, kinds).first(where: { $0.1 == .table }) {
            throw TreadleError(
                .usage, "\(table.0.path) is a table, but other inputs are arrays; import them separately")
        }
        return try ArrayImport(self, files, kinds).run()
    }

    /// What the file says about where it comes from.
    var attributes: [(name: String, value: String)] {
        let names = (request.inputs + request.targetFiles).map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        let list = names.prefix(100).joined(separator: ", ") + (names.count > 100 ? ", …" : "")
        return [("source", list), ("written_by", "treadle import \(Treadle.version)")]
    }
}
