internal import Foundation
internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleModel

/// What becomes of tables of text where a dataset is due: where the HDF5 files made from them are kept.
package struct TableImports: Sendable {
    /// Where they stay for the next run; nil lets them go when they have been read.
    package var directory: String?
    /// Keeps all digits of fractions.
    package var float64 = false
    /// What columns are to be, as `data.kinds` says it.
    package var kinds: [String] = []

    package init(directory: String? = nil, float64: Bool = false, kinds: [String] = []) {
        self.directory = directory
        self.float64 = float64
        self.kinds = kinds
    }

    /// Beside a configuration.
    package static let directoryName = ".treadle-cache"
}

/// An HDF5 file that was made from a table, behind the scenes.
///
/// Each part of a table has its own, so that only what is new or changed is imported: tomorrow's file, or the one that rows
/// were appended to. All of them have one schema.
final class ImportedTable: Sendable {
    let path: String
    /// What messages call it: the table.
    let name: String
    private let place: ImportPlace

    private init(path: String, name: String, place: ImportPlace) {
        self.path = path
        self.name = name
        self.place = place
    }

    /// The tables `paths`, imported.
    ///
    /// `target` names the column to learn in tables that no schema describes.
    static func all(
        _ paths: [String], target: String?, task: LearningTask?, like known: KnownColumns?, _ settings: DatasetSettings
    ) throws -> [ImportedTable] {
        let place = try ImportPlace(settings.tables.directory)
        do {
            let request = TableImportRequest(
                paths: paths, target: target, task: task, known: known, settings: settings.tables, place: place,
                identities: Dictionary(
                    try paths.map { ($0, try FileIdentity(at: $0)) }, uniquingKeysWith: { first, _ in first }))
            return zip(paths, try request.files(settings)).map { ImportedTable(path: $1, name: $0, place: place) }
        } catch {
            place.release()
            throw error
        }
    }

    /// Whether these are tables of text, and not HDF5 files.
    static func areTables(_ paths: [String]) throws -> Bool {
        let isTable = try paths.map { path in
            // What is not there, or not readable, is told by whoever opens it.
            guard FileManager.default.isReadableFile(atPath: path), try !H5File.isHDF5(path) else { return false }
            // What is called HDF5 and is not is a damaged file, whatever text may be in it.
            let ending = (path as NSString).pathExtension.lowercased()
            guard !["h5", "hdf5", "hdf", "he5", "nc"].contains(ending) else { return false }
            return try FileKind(of: InputFile(path)) == .table
        }
        guard isTable.contains(true), isTable.contains(false) else { return isTable.contains(true) }
        throw TreadleError(.badData, "\(paths[0]): some files are HDF5 and others tables; name files of one form")
    }

    /// Lets a file go that is not kept, with all others of its table: whoever has opened them can still read them.
    func release() { place.release() }
}

/// Where the files made from a table are.
private struct ImportPlace {
    let directory: String
    /// Whether they stay there for the next run.
    let isKept: Bool

    /// The directory that is wished for, or where nothing can be written a temporary one.
    init(_ wished: String?) throws {
        if let wished {
            do {
                try FileManager.default.createDirectory(atPath: wished, withIntermediateDirectories: true)
                if FileManager.default.isWritableFile(atPath: wished) {
                    (directory, isKept) = (wished, true)
                    return
                }
            } catch {
                // Data in a directory that is read-only can be trained from all the same: the import goes to a
                // temporary place.
            }
        }
        let temporary = FileManager.default.temporaryDirectory.appendingPathComponent("treadle-\(UUID().uuidString)")
            .path
        do {
            try FileManager.default.createDirectory(
                atPath: temporary, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw TreadleError(.inputOutput, "\(temporary): a directory for imported tables cannot be made: \(error)")
        }
        (directory, isKept) = (temporary, false)
    }

    /// Removes what does not stay.
    func release() {
        guard !isKept else { return }
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// What is asked of tables: all that the files made from them depend on.
private struct TableImportRequest {
    var paths: [String]
    var target: String?
    var task: LearningTask?
    /// The columns that are known; nil where the tables say themselves what theirs are.
    var known: KnownColumns?
    var settings: TableImports
    var place: ImportPlace
    /// What each table is, taken once: an import is named after it.
    var identities: [String: FileIdentity]

    /// The files made from each of the tables: those that are there, and those that are made now.
    func files(_ all: DatasetSettings) throws -> [String] {
        if let schema = try known?.columns.schema ?? keptSchema() {
            let files = paths.map { file(of: $0, schema) }
            let missing = paths.indices.filter { !FileManager.default.fileExists(atPath: files[$0]) }
            guard !missing.isEmpty else {
                all.note(.debug, "\(name): imported before, to \(place.directory)")
                return files
            }
            var conversion = conversion(of: missing.map { paths[$0] }, like: schema)
            conversion.output = .each { _ in missing.map { files[$0] } }
            conversion.hasOthers = missing.count < paths.count
            try run(conversion, of: missing, all)
            return files
        }
        var files: [String] = []
        var conversion = conversion(of: paths, like: nil)
        guard let target, task != nil else { throw withoutTarget }
        conversion.options.targets = [target]
        conversion.options.asking = .configuring
        conversion.options.kinds = try settings.kinds.map { text in
            if let kind = RequestedKind(text) { return kind }
            throw TreadleError(
                .configuration,
                "data.kinds holds \"\(text.printable)\", but takes \"COLUMN=KIND\", where KIND is one of "
                    + RequestedKind.words.joined(separator: ", "))
        }
        // What is a class and what a quantity, the task says.
        conversion.options.kinds.append(RequestedKind(target, task == .classification ? .category : .number))
        conversion.output = .each { schema in
            files = paths.map { file(of: $0, schema) }
            return files.map { FileManager.default.fileExists(atPath: $0) ? nil : $0 }
        }
        let schema = try run(conversion, of: Array(paths.indices), all)
        if place.isKept { try keep(schema) }
        return files
    }

    private var name: String { paths.count == 1 ? paths[0] : "\(paths[0]) and \(paths.count - 1) more" }

    private var withoutTarget: TreadleError {
        TreadleError(
            .configuration,
            "\(paths[0]): is a table: say in data.train.y which of its columns is to be predicted, as in y: \"price\"")
    }

    private func conversion(of paths: [String], like schema: TableSchema?) -> TableConversion {
        var conversion = TableConversion(
            inputs: paths, output: "", replacing: true, float64: settings.float64, like: schema,
            ignoresTargets: task == nil, attributes: [("program_version", Treadle.version)])
        conversion.remedy = known?.remedy
        conversion.identities = paths.compactMap { identities[$0] }
        return conversion
    }

    /// Imports the tables of these numbers, and says what is worth knowing of them.
    @discardableResult
    private func run(
        _ conversion: TableConversion, of numbers: [Int], _ all: DatasetSettings
    ) throws -> TableSchema {
        let name = numbers.count == 1 ? paths[numbers[0]] : "\(paths[numbers[0]]) and \(numbers.count - 1) more"
        all.note(place.isKept ? .info : .debug, "\(name): importing to \(place.directory)")
        let outcome = try conversion.write(workers: all.workers, stop: all.stop)
        for note in outcome.notes {
            // Most say themselves which file they are about.
            let isNamed = paths.contains { note.contains($0) }
            all.note(.warning, isNamed ? note : "\(name): \(note)")
        }
        if place.isKept { for number in numbers { removeOlder(than: file(of: paths[number], outcome.schema)) } }
        if task != nil, !outcome.arrays.isEmpty, !outcome.arrays.contains(where: { $0.name == "/y" }) {
            let names = outcome.schema.targets.map { "\"\($0.name.printable)\"" }.joined(separator: ", ")
            throw TreadleError(
                .badData,
                "\(name): has no column \(names), which is the target; add it, or use predict for rows without")
        }
        return outcome.schema
    }

    // MARK: Names

    /// The file that is made from a table by this schema: named after the table and what is asked of it, and then after what
    /// it holds, as far as its time and size tell, and the schema.
    private func file(of path: String, _ schema: TableSchema) -> String {
        let contents = [identities[path].map { "\($0)" } ?? "", schema.text]
        return prefix(of: path, [path], targets: schema.targets.map(\.name)) + digest(contents, 16) + ".h5"
    }

    /// Where it is kept what the columns of all the tables are.
    private func schemaFile() -> String {
        let contents = paths.map { identities[$0].map { "\($0)" } ?? "" }
        return prefix(of: paths[0], ["schema"] + settings.kinds + paths, targets: target.map { [$0] } ?? [])
            + digest(contents, 16) + ".schema"
    }

    /// What a file's name begins with: a table's name for people, and a digest of what does not change with what it holds.
    private func prefix(of path: String, _ subjects: [String], targets: [String]) -> String {
        let asked = ["import 3", Treadle.version, task.map { "\($0)" } ?? "", "\(settings.float64)"] + targets
        let stem = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
        return place.directory + "/\(stem)-\(digest(asked + subjects, 8))-"
    }

    private func digest(_ texts: [String], _ count: Int) -> String {
        String(Fingerprint.digest(of: texts.joined(separator: "\n")).prefix(count))
    }

    // MARK: What is kept

    /// What the columns of these tables were found to be, unless one of them has changed since.
    private func keptSchema() throws -> TableSchema? {
        guard task != nil, target != nil, let bytes = try FileSystem.contents(of: schemaFile()) else { return nil }
        // Damaged: as if there had been none, which costs an import.
        return try? TableSchema(text: String(decoding: bytes, as: UTF8.self), of: name)
    }

    private func keep(_ schema: TableSchema) throws {
        let path = schemaFile()
        try DurableFile.write(schema.text, to: path)
        removeOlder(than: path)
    }

    /// Removes what was made from the same tables when they held something else.
    private func removeOlder(than path: String) {
        let name = (path as NSString).lastPathComponent
        guard let dash = name.lastIndex(of: "-") else { return }
        for other in (try? FileManager.default.contentsOfDirectory(atPath: place.directory)) ?? []
        where other != name && other.hasPrefix(name[...dash]) {
            try? FileManager.default.removeItem(atPath: place.directory + "/" + other)
        }
    }
}
