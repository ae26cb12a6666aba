internal import HDF5
internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleModel

extension Dataset {
    /// The rows of this dataset that `held` keeps for the test; nil where that is other files.
    func heldOut(_ held: HeldOut, seed: UInt64) throws -> RowBits? {
        switch held {
        case .source: return nil
        case .fraction(let fraction, let group):
            let contents = try contents(group: group)
            let split = Split(fraction: fraction, seed: seed, part: .test, contents: contents)
            guard group == nil, case .classes(let labels) = targets else {
                return bits { split.isAside($0) }
            }
            let limits = classLimits(labels, fraction, split)
            return bits { row in limits[labels[row]].map { split.draw(row) <= $0 } ?? false }
        case .after(let date, let column):
            return try bits(from: date, column)
        }
    }

    /// What decides a row's side: its group, or what is in it where it is a table's, or else its place.
    func contents(group: String?) throws -> RowContents? {
        guard let group else { return schema == nil ? nil : try RowContents(self) }
        if let schema, case .category(_, true, _)? = schema.columns.first(where: { $0.name == group })?.kind {
            settings.note(
                .warning,
                "\(files[0].path): rows whose \"\(group.printable)\" was rare and became one of the others count as one group"
            )
        }
        return try RowContents(self, group: group)
    }

    private func bits(_ isChosen: @Sendable (Int) -> Bool) -> RowBits {
        let range = range
        return RowBits(rows: range.upperBound, workers: settings.workers) { row in
            row >= range.lowerBound && isChosen(row)
        }
    }

    /// For each class, the largest draw with which a row is kept: as many as its share of the rows of that class, one at least
    /// where there are two. Equal rows have equal draws, and stay together.
    private func classLimits(_ labels: Labels, _ fraction: Double, _ split: Split) -> [UInt64?] {
        var draws = [[UInt64]](repeating: [], count: outputs)
        for row in range { draws[labels[row]].append(split.draw(row)) }
        return draws.map { draws in
            guard draws.count >= 2 else { return nil }
            let count = max(1, Int((fraction * Double(draws.count)).rounded()))
            return draws.sorted()[min(count, draws.count) - 1]
        }
    }

    /// The rows whose date is `text` or later.
    private func bits(from text: String, _ column: String?) throws -> RowBits {
        let dates = (schema?.columns ?? []).filter { if case .date = $0.kind { true } else { false } }
        let named = column.flatMap { name in dates.firstIndex { $0.name == name } }
        guard let place = column == nil && dates.count == 1 ? 0 : named, let start = Day.number(text) else {
            let names = dates.map { "\"\($0.name.printable)\"" }.joined(separator: ", ")
            throw TreadleError(
                .badData,
                dates.isEmpty
                    ? "\(files[0].path): data.test.after needs a column of dates, and there is none; import the table with --kind COLUMN=date"
                    : "\(files[0].path): data.test.column must name one of its dates: \(names)")
        }
        let date = dates[place]
        guard let input = schema?.inputs.firstIndex(where: { $0.name == date.daysInput }),
            case .date(_, let origin, _) = date.kind, let first = Day.number(origin)
        else {
            throw TreadleError(
                .badData,
                "\(files[0].path): of the date \"\(date.name.printable)\" there are no days to compare; import the table again"
            )
        }
        let chosen = RowFlags(range)
        try RowSweep(settings).run(range, block: x.block(of: 1 << 13)) { _, rows, scratch in
            unsafe try x.forEachRow(rows, scratch) { row, values, _, _, _ in
                // A missing date cannot be compared, and so is not chosen.
                if unsafe values[input] >= Double(start - first) { chosen.set(row) }
            }
        }
        return bits { chosen[$0] }
    }
}

extension TableSchema.Column {
    /// The name of the input that counts a date's days; nil for other columns.
    fileprivate var daysInput: String? {
        guard case .date(let parts, _, _) = kind else { return nil }
        return parts.firstIndex(of: .days).map { inputs[$0].name }
    }
}

/// One byte a row: tasks that set different rows at the same time do not meet.
@safe private final class RowFlags: @unchecked Sendable {
    private let range: Range<Int>
    private let bytes: UnsafeMutablePointer<UInt8>

    init(_ range: Range<Int>) {
        self.range = range
        unsafe bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: range.count)
        unsafe bytes.initialize(repeating: 0, count: range.count)
    }

    deinit {
        unsafe bytes.deallocate()
    }

    func set(_ row: Int) { unsafe bytes[row - range.lowerBound] = 1 }

    subscript(row: Int) -> Bool { unsafe bytes[row - range.lowerBound] == 1 }
}
