internal import Foundation
internal import HDF5
internal import TreadleBase
package import TreadleModel

extension TableSchema {
    /// More than any table needs, and little enough for a file that lies.
    package static let mostBytes = 1 << 24
    private static let mostInputs = 1 << 24

    /// As JSON with its keys in order: the same schema is the same text.
    package var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let bytes = try? encoder.encode(self) else { preconditionFailure("a schema is made of texts and truths") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads what `text` gives, from a file that nobody vouches for; messages name it as `subject`.
    package init(text: String, of subject: String) throws {
        struct Version: Decodable { var version: Int }
        let bytes = Data(text.utf8)
        func damaged(_ what: String) -> TreadleError {
            TreadleError(.badData, "\(subject): \(what); make the file anew with treadle import")
        }
        guard bytes.count <= Self.mostBytes else {
            throw damaged("the schema has \(bytes.count) bytes, more than \(Self.mostBytes)")
        }
        guard let found = try? JSONDecoder().decode(Version.self, from: bytes) else {
            throw damaged("is no schema of a table: no JSON object with a version")
        }
        guard found.version == 1 else {
            throw TreadleError(
                .badData,
                "\(subject): is a schema of version \(found.version), and this release reads version 1; use the release that wrote it"
            )
        }
        do {
            self = try JSONDecoder().decode(TableSchema.self, from: bytes)
        } catch {
            throw damaged("is no schema of a table: \(Self.place(of: error))")
        }
        try check(of: subject)
    }

    /// Throws where it contradicts itself.
    package func check(of subject: String) throws {
        guard let defect else { return }
        throw TreadleError(
            .badData, "\(subject): is no schema of a table: \(defect); make the file anew with treadle import")
    }

    /// Where in the JSON something is missing or of another type.
    private static func place(of error: any Error) -> String {
        func path(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
            return path.isEmpty ? "its top level" : path
        }
        switch error as? DecodingError {
        case .keyNotFound(let key, let context): return "\(path(context)) has no \(key.stringValue)"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return "\(path(context)) is not what it should be"
        default: return "it cannot be read"
        }
    }

    /// What is wrong with it; nil where it can be used.
    private var defect: String? {
        guard !columns.isEmpty else { return "it has no columns" }
        var names: Set<String> = []
        var inputs = 0
        for column in columns {
            guard names.insert(column.name).inserted else {
                return "two columns are called \"\(column.name.printable)\""
            }
            let subject = "the column \"\(column.name.printable)\""
            switch column.kind {
            case .number, .flag: break
            case .category(let values, _, _):
                guard Set(values).count == values.count else { return "\(subject) has a value twice" }
            case .date(let parts, _, _):
                guard !parts.isEmpty, Set(parts).count == parts.count else {
                    return "\(subject) has no parts, or one twice"
                }
            }
            inputs += column.inputs.count
            guard inputs <= Self.mostInputs else { return "it makes more than \(Self.mostInputs) inputs" }
        }
        return inputs > 0 ? nil : "its columns make no inputs"
    }
}
