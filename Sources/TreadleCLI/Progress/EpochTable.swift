package import TreadleRun
internal import TreadleTools

/// The table of a run's epochs, a row at a time: its columns are fixed by the first epoch.
package struct EpochTable: Sendable {
    private struct Column: Sendable {
        var title: String
        var width: Int
        var cell: @Sendable (EpochRecord) -> String
    }

    private let columns: [Column]

    /// Lays out a table that is at most `width` characters wide: columns to the right are left out.
    package init(like record: EpochRecord, epochs: Int, width: Int) {
        var all = [
            Column(title: "epoch", width: max(5, String(epochs).count)) { String($0.epoch) },
            Column(title: "step", width: max(7, Figure.grouped(record.step).count + 1)) { Figure.grouped($0.step) },
        ]
        for name in Self.ordered(record.metrics.keys) {
            all.append(
                Column(title: name, width: max(9, name.count)) { record in
                    record.metrics[name].map(Figure.steady) ?? "-"
                })
        }
        all.append(Column(title: "rate", width: 9) { Figure.steady($0.rate) })
        all.append(Column(title: "time", width: 8) { Figure.duration($0.seconds) })

        var used = 0
        columns = all.prefix { column in
            used += column.width + (used == 0 ? 0 : 2)
            return used <= width
        }
    }

    package var header: String { line { $0.title } }

    package func row(_ record: EpochRecord) -> String { line { $0.cell(record) } }

    private func line(_ text: (Column) -> String) -> String {
        columns.map { column in
            let text = text(column)
            return String(repeating: " ", count: max(0, column.width - text.count)) + text
        }.joined(separator: "  ")
    }

    /// The training loss, then the validation loss, then the others by name.
    package static func ordered(_ names: some Sequence<String>) -> [String] {
        let first = ["loss", "valid.loss"]
        return names.sorted { a, b in
            let (i, j) = (first.firstIndex(of: a) ?? first.count, first.firstIndex(of: b) ?? first.count)
            return i == j ? a < b : i < j
        }
    }
}
