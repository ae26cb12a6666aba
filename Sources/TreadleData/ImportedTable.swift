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

/// An HDF5 file that was made from tables, behind the scenes.
final class ImportedTable: Sendable {
    let path: String
    /// What messages call it: the table.
    let name: String
    private let isKept: Bool

    /// The tables among `paths`, imported; nil where all are HDF5 files.
    ///
    /// `target` names the column to learn in tables that no schema describes.
    init?(
        _ paths: [String], target: String?, task: LearningTask?, like known: TableSchema?, _ settings: DatasetSettings
    ) throws {
        let isTable = try paths.map { path in
            // What is not there, or not readable, is told by whoever opens it.
            guard FileManager.default.isReadableFile(atPath: path), try !H5File.isHDF5(path) else { return false }
            // What is called HDF5 and is not is a damaged file, whatever text may be in it.
            let ending = (path as NSString).pathExtension.lowercased()
            guard !["h5", "hdf5", "hdf", "he5", "nc"].contains(ending) else { return false }
            return try FileKind(of: InputFile(path)) == .table
        }
        let isLearnt = known == nil && task != nil
        guard isTable.contains(true) else {
            guard settings.tables.kinds.isEmpty || !isLearnt || paths.isEmpty else {
                throw TreadleError(
                    .configuration,
                    "data.kinds is for tables of text, and \(paths[0]) is none: import it with --kind, and remove data.kinds"
                )
            }
            return nil
        }
        guard !isTable.contains(false) else {
            throw TreadleError(
                .badData, "\(paths[0]): some files are HDF5 and others tables; name files of one form")
        }
        let request = Request(
            paths: paths, identities: try paths.map { try FileIdentity(at: $0) }, target: target, task: task,
            like: known, float64: settings.tables.float64, kinds: isLearnt ? settings.tables.kinds : [])
        name = paths.count == 1 ? paths[0] : "\(paths[0]) and \(paths.count - 1) more"
        let place = try Self.place(settings.tables.directory)
        isKept = place.isKept
        path = place.directory + "/" + request.fileName
        guard !isKept || !FileManager.default.fileExists(atPath: path) else {
            settings.note(.debug, "\(name): imported before, to \(path)")
            return
        }
        settings.note(isKept ? .info : .debug, "\(name): importing to \(path)")
        let outcome: TableConversion.Outcome
        do {
            outcome = try request.conversion(to: path).write(workers: settings.workers, stop: settings.stop)
        } catch {
            release()
            throw error
        }
        for note in outcome.notes {
            // Most say themselves which file they are about.
            let isNamed = paths.contains { note.contains($0) }
            settings.note(.warning, isNamed ? note : "\(name): \(note)")
        }
        if isKept { request.removeOlder(beside: path) }
        if task != nil, !outcome.arrays.contains(where: { $0.name == "/y" }) {
            let names = outcome.schema.targets.map { "\"\($0.name.printable)\"" }.joined(separator: ", ")
            throw TreadleError(
                .badData,
                "\(name): has no column \(names), which is the target; add it, or use predict for rows without")
        }
    }

    /// Lets a file go that is not kept: whoever has opened it can still read it, and nobody else finds it.
    func release() {
        guard !isKept else { return }
        try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent)
    }

    /// The directory to write to: that one, or where nothing can be written a temporary one.
    private static func place(_ directory: String?) throws -> (directory: String, isKept: Bool) {
        if let directory {
            do {
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
                if FileManager.default.isWritableFile(atPath: directory) { return (directory, true) }
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
        return (temporary, false)
    }

    /// What is asked of the tables: all that the file made from them depends on.
    private struct Request {
        var paths: [String]
        var identities: [FileIdentity]
        var target: String?
        var task: LearningTask?
        var like: TableSchema?
        var float64: Bool
        var kinds: [String]

        /// Names the tables and what is asked of them, and then what they hold as far as their times and sizes tell.
        var fileName: String {
            let contents = identities.map { "\($0)" } + [like?.text ?? ""]
            return prefix + Fingerprint.digest(of: contents.joined(separator: "\n")).prefix(16) + ".h5"
        }

        private var prefix: String {
            let asked =
                ["import 2", Treadle.version, target ?? "", task.map { "\($0)" } ?? "", "\(like != nil)", "\(float64)"]
                + kinds + paths
            let stem = ((paths[0] as NSString).lastPathComponent as NSString).deletingPathExtension
            return "\(stem)-\(Fingerprint.digest(of: asked.joined(separator: "\n")).prefix(8))-"
        }

        func conversion(to path: String) throws -> TableConversion {
            var options = TableOptions()
            options.asking = .configuring
            options.kinds = try kinds.map { text in
                guard let kind = RequestedKind(text) else {
                    throw TreadleError(
                        .configuration,
                        "data.kinds holds \"\(text.printable)\", but takes \"COLUMN=KIND\", where KIND is one of "
                            + RequestedKind.words.joined(separator: ", "))
                }
                return kind
            }
            if like == nil, task != nil {
                guard let target else {
                    throw TreadleError(
                        .configuration,
                        "\(paths[0]): is a table: say in data.train.y which of its columns is to be predicted, as in y: \"price\""
                    )
                }
                options.targets = [target]
                // What is a class and what a quantity, the task says.
                options.kinds.append(RequestedKind(target, task == .classification ? .category : .number))
            }
            var conversion = TableConversion(
                inputs: paths, output: path, replacing: true, float64: float64, options: options, like: like,
                ignoresTargets: task == nil, attributes: [("program_version", Treadle.version)])
            conversion.identities = identities
            return conversion
        }

        /// Removes what was made from the same tables when they held something else.
        func removeOlder(beside path: String) {
            let directory = (path as NSString).deletingLastPathComponent
            let name = (path as NSString).lastPathComponent
            for other in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            where other != name && other.hasPrefix(prefix) && other.hasSuffix(".h5") {
                try? FileManager.default.removeItem(atPath: directory + "/" + other)
            }
        }
    }
}
