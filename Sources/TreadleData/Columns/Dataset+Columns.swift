internal import HDF5
internal import TreadleBase

extension Dataset {
    /// Says which columns of a file are not read.
    func noteIgnored(_ names: [String], in path: String) {
        guard !names.isEmpty else { return }
        let shown = names.prefix(8).map { "\"\($0.printable)\"" }.joined(separator: ", ")
        let more = names.count > 8 ? " and \(names.count - 8) more" : ""
        settings.note(
            .info,
            "\(path): \(shown)\(more): not used, for nothing has been learnt from \(names.count == 1 ? "it" : "them")")
    }

    /// Counts the rows with values of a category that the network does not know, and says so once a column.
    func noteUnseen(_ matches: [ColumnMatch]) throws {
        guard matches.contains(where: { !$0.unseen.isEmpty }) else { return }
        let parts = try RowSweep(settings).map(range, block: x.block(of: 1 << 14)) { _, rows, scratch in
            var own: [String: [String: Int]] = [:]
            unsafe try x.visit(rows, scratch) { bytes, form, rows in
                let unseen = matches[form.segment].unseen
                guard !unseen.isEmpty else { return }
                for index in 0..<rows.count {
                    let start = unsafe bytes + index * form.rowBytes
                    for column in unseen {
                        let place = unsafe start + column.from * form.number.size
                        let stored = unsafe StoredArray.doubles(place, form.number, width: 1)[0]
                        guard stored.isFinite, abs(stored) < 0x1p31, let word = column.values[Int(stored) + column.base]
                        else { continue }
                        own[column.column, default: [:]][word, default: 0] += 1
                    }
                }
            }
            return own
        }
        let counts = parts.reduce(into: [:]) { $0.merge($1) { $0.merging($1, uniquingKeysWith: +) } }
        for (column, words) in counts.sorted(by: { $0.key < $1.key }) {
            let rows = words.values.reduce(0, +)
            let shown = words.keys.sorted().prefix(5).map { "\"\($0.printable)\"" }.joined(separator: ", ")
            settings.note(
                .warning,
                "\(files[0].path): \(rows) rows have a value of \"\(column.printable)\" that nothing was learnt about, and count as other ones: \(shown)\(words.count > 5 ? " and \(words.count - 5) more" : "")"
            )
        }
    }
}
