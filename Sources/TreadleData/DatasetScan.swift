internal import TreadleBase
internal import TreadleConfiguration
internal import TreadleModel

/// One pass over a dataset's rows: statistics of those that train, and the rows with values that are not finite.
struct DatasetScan {
    var x: ColumnStatistics?
    var targets: ColumnStatistics?
    /// The rows that `drop_row` leaves out, ascending.
    var dropped: [Int]
    /// Values of x that imputation replaces, and the first of them.
    var imputed: Int
    var firstImputed: String?

    /// Rows are counted over all files, and so are these blocks of them: how they are stored changes no sum.
    static let blockRows = 4096

    private struct Block: Sendable {
        var x: ColumnStatistics?
        var targets: ColumnStatistics?
        var dropped: [Int] = []
        var imputed = 0
        var firstImputed: String?
    }

    /// Statistics are taken over the rows for which `isTraining` says so: of x where `wantsX`, of target values
    /// where `wantsTargets`. Each of several ranks reads a part of the blocks, and all get the whole.
    init(
        _ dataset: Dataset, isTraining: @escaping @Sendable (Int) -> Bool, wantsX: Bool, wantsTargets: Bool,
        ranks: Ranks = .alone
    ) throws {
        var x = SumTree<ColumnStatistics>()
        var targets = SumTree<ColumnStatistics>()
        dropped = []
        imputed = 0
        let settings = dataset.settings
        let range = dataset.range
        // Whole blocks from row 0 on; what a block has outside of the range is left out.
        let first = range.lowerBound / Self.blockRows
        let own = ranks.part(of: (range.upperBound + Self.blockRows - 1) / Self.blockRows - first)
        let end = min((first + own.upperBound) * Self.blockRows, range.upperBound)
        var next = own.lowerBound
        let group = Self.blockRows * max(settings.workers.count, min(64, (64 << 20) / (dataset.features * 48 + 1)))
        for lower in stride(from: (first + own.lowerBound) * Self.blockRows, to: end, by: group) {
            let rows = lower..<min(lower + group, end)
            let blocks = try RowSweep(settings).map(rows, block: Self.blockRows) { _, rows, scratch in
                try Self.block(
                    dataset, rows.clamped(to: range), scratch, isTraining, wantsX: wantsX, wantsTargets: wantsTargets)
            }
            for block in blocks {
                if let statistics = block.x { x.append(statistics, of: next..<next + 1) }
                if let statistics = block.targets { targets.append(statistics, of: next..<next + 1) }
                next += 1
                dropped += block.dropped
                imputed += block.imputed
                firstImputed = firstImputed ?? block.firstImputed
            }
        }
        if !ranks.isAlone {
            let read = own.isEmpty ? 0 : end - max(range.lowerBound, (first + own.lowerBound) * Self.blockRows)
            try ranks.note("measured", rows: read, settings.note)
            x = try ranks.join(x)
            targets = try ranks.join(targets)
            try joinFindings(ranks)
        }
        self.x = x.total
        self.targets = targets.total
    }

    /// What all ranks have found in their rows.
    private mutating func joinFindings(_ ranks: Ranks) throws {
        dropped = try ranks.gatherMany(dropped.map(Double.init)).joined().map { Int($0) }
        imputed = ranks.gather([Double(imputed)]).reduce(0) { $0 + Int($1[0]) }
        firstImputed = try ranks.collect(firstImputed ?? "").first { !$0.isEmpty }
    }

    private static func block(
        _ dataset: Dataset, _ rows: Range<Int>, _ scratch: ReadScratch, _ isTraining: (Int) -> Bool, wantsX: Bool,
        wantsTargets: Bool
    ) throws -> Block {
        var block = Block()
        // Where one band spans several blocks, their tasks would decode it one after the other.
        if !rows.isEmpty { dataset.x.readOn(after: rows.upperBound - 1, bands: dataset.settings.workers.count - 1) }
        let policy = dataset.settings.nonFinite
        var isDropped = [Bool](repeating: false, count: rows.count)
        if case .values(let y) = dataset.targets {
            unsafe try y.forEachRow(rows, scratch) { row, values, isFinite, source, form in
                guard !isFinite else { return }
                guard policy == .dropRow else {
                    throw unsafe y.nonFiniteTarget(row, source, form)
                }
                isDropped[row - rows.lowerBound] = true
            }
        }
        let sums = wantsX ? ColumnStatistics.Block(width: dataset.features) : nil
        unsafe try dataset.x.forEachRow(rows, scratch) { row, values, isFinite, source, form in
            if !isFinite {
                if let unknown = unsafe dataset.x.unknownCode(row, source, form) { throw unknown }
                switch policy {
                case .error:
                    throw unsafe dataset.x.nonFinite(row, source, form, precision: .float64)
                case .dropRow:
                    isDropped[row - rows.lowerBound] = true
                case .imputeMean:
                    let columns = (0..<dataset.features).filter { unsafe !values[$0].isFinite }
                    block.imputed += columns.count
                    if block.firstImputed == nil, let column = columns.first {
                        block.firstImputed = "\(dataset.x.subject(row)), \(dataset.x.columnName(column))"
                    }
                }
            }
            guard let sums, isTraining(row), !isDropped[row - rows.lowerBound] else { return }
            unsafe sums.add(values)
        }
        block.x = sums?.statistics
        if wantsTargets, case .values(let y) = dataset.targets {
            let sums = ColumnStatistics.Block(width: y.width)
            unsafe try y.forEachRow(rows, scratch) { row, values, _, _, _ in
                if isTraining(row), !isDropped[row - rows.lowerBound] { unsafe sums.add(values) }
            }
            block.targets = sums.statistics
        }
        block.dropped = rows.filter { isDropped[$0 - rows.lowerBound] }
        return block
    }
}

extension StoredArray {
    /// Hands over each of `rows`, inputs as a network reads them, as doubles, with whether all of them are finite and the
    /// bytes they come from.
    func forEachRow(
        _ rows: Range<Int>, _ scratch: ReadScratch,
        _ body: (
            _ row: Int, _ values: UnsafePointer<Double>, _ isFinite: Bool, _ source: UnsafeRawPointer, Form
        ) throws -> Void
    ) throws {
        let values = UnsafeMutablePointer<Double>.allocate(capacity: width)
        defer { unsafe values.deallocate() }
        unsafe try visit(rows, scratch) { bytes, form, rows in
            let transform = form.reading.map { ColumnTransform(reading: $0) } ?? .identity
            for (index, row) in rows.enumerated() {
                let source = unsafe bytes + index * form.rowBytes
                let isFinite = unsafe transform.convert(source, form.number, width: form.width, into: values)
                unsafe try body(row, UnsafePointer(values), isFinite, source, form)
            }
        }
    }

    func nonFiniteTarget(_ row: Int, _ source: UnsafeRawPointer, _ form: Form) -> TreadleError {
        let error = unsafe nonFinite(row, source, form, precision: .float64)
        guard let message = error.messages.first?.split(separator: ";").first else { return error }
        return TreadleError(
            .badData, "\(message); targets are not imputed: set data.non_finite to \"drop_row\", or clean the file")
    }
}
