internal import HDF5
internal import TreadleBase
internal import TreadleData
internal import TreadleModel

/// Imports arrays from NPY, NPZ and IDX files, some rows at a time.
struct ArrayImport {
    private let job: Import
    private let files: [InputFile]
    private let kinds: [FileKind]
    private let targetFiles: [InputFile]
    private let roles: ArrayRoles
    private let totalBytes: Int

    /// Bytes of rows that are converted at a time.
    private static let slab = 1 << 23

    init(_ job: Import, _ files: [InputFile], _ kinds: [FileKind]) throws {
        self.job = job
        self.files = files
        self.kinds = kinds
        targetFiles = try job.request.targetFiles.map { try InputFile($0) }
        totalBytes = (files + targetFiles).reduce(0) { $0 + $1.size }
        roles = try ArrayImport.roles(job, files, kinds, targetFiles)
        for group in roles.groups { try ArrayImport.check(group) }
    }

    private static func roles(
        _ job: Import, _ files: [InputFile], _ kinds: [FileKind], _ targetFiles: [InputFile]
    ) throws -> ArrayRoles {
        let table = job.request.table
        guard table.kinds.isEmpty, table.header == nil, table.delimiter == nil, job.request.like == nil else {
            throw TreadleError(
                .usage,
                "--header, --delimiter, --kind, --drop, --one-hot and --like go with tables; this is an array file")
        }
        guard kinds.contains(.npz) else {
            guard table.targets.isEmpty, table.inputs == nil else {
                throw TreadleError(
                    .usage, "--target and --columns name columns of tables and arrays of NPZ; use --target-file here")
            }
            return try ArrayRoles(files: zip(files, kinds).map(open), targetFiles: targetFiles.map(open))
        }
        guard kinds.allSatisfy({ $0 == .npz }), targetFiles.isEmpty else {
            throw TreadleError(.usage, "NPZ files hold inputs and targets; import them without other files")
        }
        let archives = try files.map { file in
            let directory = try ZIPDirectory(file)
            return try directory.entries.filter { $0.name.hasSuffix(".npy") }.map { entry in
                let name = String(entry.name.dropLast(4))
                return try NPY.open(
                    try directory.open(entry), label: "\(file.path): \(name.printable)", name: name)
            }
        }
        return try ArrayRoles(
            archives: archives, target: table.targets.first, input: table.inputs?.first, path: files[0].path)
    }

    private static func open(_ file: InputFile, _ kind: FileKind) throws -> ArrayFile {
        let base = file.path.split(separator: "/").last.map(String.init) ?? file.path
        let name = String(base.prefix { $0 != "." })
        let source = try ByteSource(file)
        return kind == .npy
            ? try NPY.open(source, label: file.path, name: name) : try IDX.open(source, label: file.path, name: name)
    }

    private static func open(_ file: InputFile) throws -> ArrayFile {
        let kind = try FileKind(of: file)
        guard kind == .npy || kind == .idx else {
            throw TreadleError(.usage, "--target-file \(file.path) is neither NPY nor IDX")
        }
        return try open(file, kind)
    }

    private static func check(_ group: ArrayRoles.Group) throws {
        for (index, x) in group.inputs.enumerated() {
            guard !x.shape.isEmpty, x.rows > 0, x.width > 0 else {
                throw TreadleError(.badData, "\(x.label) has no rows; there is nothing to learn from")
            }
            guard !x.element.isText else {
                throw TreadleError(.badData, "\(x.label) holds text; inputs must be numbers")
            }
            guard x.shape.dropFirst() == group.inputs[0].shape.dropFirst() else {
                throw TreadleError(
                    .badData,
                    "\(x.label) has rows of \(x.shape.dropFirst().map(String.init).joined(separator: "×")), but "
                        + "\(group.inputs[0].label) of \(group.inputs[0].shape.dropFirst().map(String.init).joined(separator: "×"))"
                )
            }
            guard index < group.targets.count else {
                if group.targets.isEmpty { continue }
                throw TreadleError(.badData, "\(x.label) has no file of targets; each part needs one, or none has")
            }
            let y = group.targets[index]
            guard y.shape.first == x.rows, y.shape.dropFirst() == group.targets[0].shape.dropFirst() else {
                throw TreadleError(
                    .badData,
                    "\(x.label) has \(x.rows) rows, but \(y.label) has shape "
                        + "\(y.shape.map(String.init).joined(separator: "×")): each row needs its target")
            }
            guard y.element.isText == group.targets[0].element.isText, !y.element.isText || y.width == 1 else {
                throw TreadleError(.badData, "\(y.label): targets of text must be one name a row, in every part")
            }
        }
    }

    func run() throws -> ImportSummary {
        let classes = try classes()
        var plans: [DatasetWriter.Plan] = []
        var parts: [[ArrayFile]] = []
        for group in roles.groups {
            plans.append(plan("x" + group.suffix, group.inputs))
            parts.append(group.inputs)
            if !group.targets.isEmpty {
                plans.append(plan("y" + group.suffix, group.targets))
                parts.append(group.targets)
            }
        }
        let output = try DatasetWriter(
            job.request.output, replacing: job.request.replacing, compress: job.request.compress, plans,
            texts: classes.map { [("classes", $0)] } ?? [], attributes: job.attributes)
        var before = 0
        for (index, arrays) in parts.enumerated() {
            try write(arrays, plans[index], index, classes, &before, to: output)
        }
        for file in files + targetFiles { try file.checkUnchanged() }
        try output.finish()
        var notes: [String] = []
        for group in roles.groups where group.targets.isEmpty {
            notes.append(
                "\(group.inputs[0].label) came without targets: /x\(group.suffix) can be predicted, not trained on")
        }
        return ImportSummary(
            arrays: plans.map { .init(name: "/\($0.name)", shape: $0.shape, type: "\($0.type.stored)") },
            classes: classes, columns: nil, notes: notes)
    }

    private func plan(_ name: String, _ arrays: [ArrayFile]) -> DatasetWriter.Plan {
        let rows = arrays.reduce(0) { $0 + $1.rows }
        let isTarget = name.hasPrefix("y")
        var inner = Array(arrays[0].shape.dropFirst())
        if !isTarget && inner.isEmpty { inner = [1] }
        let types = arrays.map { outputType($0.element, isTarget: isTarget) }
        let common = types.allSatisfy { $0 == types[0] } ? types[0] : job.request.float64 ? .float64 : .float32
        return DatasetWriter.Plan(name: name, shape: [rows] + inner, type: common)
    }

    /// Bytes stay bytes; targets that are whole numbers stay so; all else becomes fractions.
    private func outputType(_ element: StoredElement, isTarget: Bool) -> OutputElement {
        switch element.kind {
        case .boolean, .unsigned(1): .uint8
        case .bytes, .characters: .int32
        case .signed(let size) where isTarget: size <= 4 ? .int32 : .int64
        case .unsigned(let size) where isTarget: size <= 2 ? .int32 : .int64
        default: job.request.float64 ? .float64 : .float32
        }
    }

    /// The names of classes, from targets of text or from the request.
    private func classes() throws -> [String]? {
        let given = job.request.table.classes
        guard given == nil, roles.groups.flatMap(\.targets).contains(where: \.element.isText) else { return given }
        // Opened once more: what is read here will be read again to be written.
        let again = try ArrayImport.roles(job, files, kinds, targetFiles)
        var names: Set<String> = []
        for array in again.groups.flatMap(\.targets) where array.element.isText {
            try forEachSlab(array) { raw, rows in
                names.formUnion(array.element.texts(raw, count: rows.count))
                guard names.count <= TableOptions.mostClasses else {
                    throw TreadleError(.badData, "\(array.label) has too many different texts to be classes")
                }
            }
        }
        return names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
    }

    private func write(
        _ arrays: [ArrayFile], _ plan: DatasetWriter.Plan, _ index: Int, _ classes: [String]?, _ before: inout Int,
        to output: DatasetWriter
    ) throws {
        let numbers = Dictionary(zip(classes ?? [], 0...), uniquingKeysWith: { first, _ in first })
        var first = 0
        for array in arrays {
            let start = array.position
            try forEachSlab(array) { raw, rows in
                let target = first + rows.lowerBound..<first + rows.upperBound
                let count = rows.count * array.width
                if array.element.isText {
                    let labels = try array.element.texts(raw, count: count).enumerated().map { row, text in
                        guard let number = numbers[text] else {
                            throw TreadleError(
                                .badData,
                                "\(array.label) row \(rows.lowerBound + row) is \"\(text.printable)\", none of the classes"
                            )
                        }
                        return Int32(number)
                    }
                    try output.write(labels, count: count, rows: target, of: index)
                } else {
                    try ArrayImport.store(array.element, raw, count, plan.type, target, index, to: output)
                }
                try job.stop.check()
                job.progress(ImportProgress(done: min(totalBytes, before + array.position - start), total: totalBytes))
            }
            before += array.position - start
            first += array.rows
        }
    }

    private func forEachSlab(_ array: ArrayFile, _ body: (_ raw: [UInt8], _ rows: Range<Int>) throws -> Void) throws {
        let step = max(1, ArrayImport.slab / max(1, array.width * array.element.size))
        var raw: [UInt8] = []
        var row = 0
        while row < array.rows {
            let rows = row..<min(row + step, array.rows)
            try array.next(rows.count, into: &raw)
            try body(raw, rows)
            row = rows.upperBound
        }
    }

    private static func store(
        _ element: StoredElement, _ raw: [UInt8], _ count: Int, _ type: OutputElement, _ rows: Range<Int>,
        _ index: Int, to output: DatasetWriter
    ) throws {
        switch type {
        case .text: preconditionFailure("arrays are stored as numbers")
        case .uint8:
            try output.write(element.integers(raw, count: count, as: UInt8.self), count: count, rows: rows, of: index)
        case .int32:
            try output.write(element.integers(raw, count: count, as: Int32.self), count: count, rows: rows, of: index)
        case .int64:
            try output.write(element.integers(raw, count: count, as: Int64.self), count: count, rows: rows, of: index)
        case .float32:
            try output.write(element.numbers(raw, count: count, as: Float.self), count: count, rows: rows, of: index)
        case .float64:
            try output.write(element.numbers(raw, count: count, as: Double.self), count: count, rows: rows, of: index)
        }
    }
}

extension StoredElement {
    fileprivate func numbers<S: Scalar>(_ raw: [UInt8], count: Int, as: S.Type) -> [S] {
        var values = [S](repeating: 0, count: count)
        read(raw, count: count, into: &values)
        return values
    }
}
