internal import Foundation
package import HDF5
internal import TreadleBase
package import TreadleModel

extension TableSchema {
    /// The schema as JSON: what `/schema` of a data file and `/treadle/schema` of a checkpoint hold.
    package var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

    /// The schema that a text holds; `subject` names the text in errors.
    package init(text: String, from subject: String) throws {
        do {
            self = try JSONDecoder().decode(TableSchema.self, from: Data(text.utf8))
        } catch {
            throw TreadleError(
                .badData, "\(subject): is no description of a table's columns; write the file again")
        }
        guard version == 1 else {
            throw TreadleError(
                .badData, "\(subject): is of version \(version), which this program does not know; use a newer one")
        }
        guard Set(columnNames).count == columns.count + targets.count, isSound else {
            throw TreadleError(.badData, "\(subject): contradicts itself; write the file again")
        }
    }

    /// The schema of an HDF5 data file; nil where it has none.
    package init?(readingFrom file: H5File) throws {
        guard file.contains("/schema") else { return nil }
        let dataset = try file.dataset("/schema")
        // A hundred thousand columns of a hundred names each stay far below this.
        guard let text = try dataset.readStrings(byteLimit: 1 << 28).first else { return nil }
        try self.init(text: text, from: "\(file.path):/schema")
    }

    /// The names of all columns that are read, targets among them.
    package var columnNames: Set<String> { Set(columns.map(\.name) + targets.map(\.name)) }

    /// Whether every column is one that import could have written.
    private var isSound: Bool {
        columns.allSatisfy { column in
            switch column.kind {
            case .number, .flag: true
            case .category(let values, _, _): Set(values).count == values.count
            case .date(let parts, let origin, let format):
                Set(parts).count == parts.count && !parts.isEmpty && DateFormat.seconds(ofDate: origin) != nil
                    && (format == nil || DateFormat(rawValue: format ?? "") != nil)
            }
        }
    }
}

extension DateFormat {
    /// Seconds from 1970 to a date such as `2026-01-31`.
    static func seconds(ofDate text: String) -> Int? {
        ShortText(Array(text.utf8).span).flatMap { CalendarTime($0, .yearMonthDay) }.map { $0.dayNumber * 86_400 }
    }
}
