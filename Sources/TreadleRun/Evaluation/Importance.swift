package import TreadleBase
package import TreadleData
internal import TreadleConfiguration
internal import TreadleEngine
package import TreadleModel

/// Which inputs a model goes by: how much worse its loss becomes when the values of a column change rows.
///
/// The rows are read once and kept in memory; each column is shuffled by a keyed permutation, the same every time, and put
/// back. Columns that stand for one thing, such as the values of a category, change rows together.
package struct Importance: Sendable {
    /// Inputs that are shuffled together, under the name of what they stand for.
    package struct Group: Equatable, Sendable {
        package var name: String
        package var columns: [Int]
    }

    package struct Finding: Equatable, Sendable {
        package var group: Group
        /// By how much the loss rises, and the standard deviation of that over the repeats.
        package var rise: Double
        package var spread: Double
    }

    /// Of the rows as they are.
    package let loss: Double
    package let repeats: Int
    /// The most important first.
    package let findings: [Finding]

    /// The inputs by what they stand for: `colour=red` and `colour=blue` are `colour`, `day (year)` is `day`,
    /// `age is missing` is `age`.
    package static func groups(schema: TableSchema? = nil, columns: [String]?, inputs: Int) -> [Group] {
        // A table's categories know their values; a table of others has their 0 and 1 as columns of their own.
        let known = schema.flatMap {
            $0.inputWidth == inputs ? $0.columns.flatMap { c in c.inputs.map { _ in c.name } } : nil
        }
        guard let names = known ?? columns, names.count == inputs else {
            return (0..<inputs).map { Group(name: "input \($0)", columns: [$0]) }
        }
        var groups: [Group] = []
        var places: [String: Int] = [:]
        for (index, column) in names.enumerated() {
            let name = root(of: column)
            if let place = places[name] {
                groups[place].columns.append(index)
            } else {
                places[name] = groups.count
                groups.append(Group(name: name, columns: [index]))
            }
        }
        return groups
    }

    private static func root(of column: String) -> String {
        if let sign = column.firstIndex(of: "="), sign != column.startIndex { return String(column[..<sign]) }
        if column.hasSuffix(" is missing") { return String(column.dropLast(" is missing".count)) }
        if column.hasSuffix(")"), let open = column.lastIndex(of: "("), open != column.startIndex {
            return String(column[..<column.index(before: open)])
        }
        return column
    }

    /// Throws `.tryAgain` when `stop` asks for the end. `progress` is told the share that is done.
    package init(
        of model: TrainedModel, on rows: RowSet, repeats: Int = 5, workers: Workers, stop: Stop = Stop(),
        progress: (Double) -> Void = { _ in }
    ) throws {
        self.repeats = repeats
        let groups = Self.groups(
            schema: model.saved.schema, columns: model.saved.columns, inputs: model.saved.network.inputs)
        let result: (loss: Double, losses: [[Double]]) =
            switch model.saved.precision.number {
            case .float32:
                try CachedRows<Float>(model, rows, workers, stop).losses(groups, repeats, stop, progress)
            case .float64:
                try CachedRows<Double>(model, rows, workers, stop).losses(groups, repeats, stop, progress)
            }
        loss = result.loss
        findings = zip(groups, result.losses).map { group, losses in
            let rises = losses.map { $0 - result.loss }
            let mean = rises.reduce(0, +) / Double(rises.count)
            let squares = rises.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            return Finding(group: group, rise: mean, spread: (squares / Double(rises.count)).squareRoot())
        }.enumerated().sorted { ($1.element.rise, $0.offset) < ($0.element.rise, $1.offset) }.map(\.element)
    }
}

/// All rows of a set as a network takes them, in memory, one column of which can change rows.
@safe private final class CachedRows<S: Scalar> {
    private let model: TrainedModel
    private let seed: UInt64
    private let count: Int
    private let width: Int
    private let forward: EnsemblePass<S>
    private let pointers: AlignedMemory<UnsafePointer<S>>
    private let x: AlignedMemory<S>
    private var classes: [Int32] = []
    private var values: [S] = []
    private var weights: [S]?
    private let workers: Workers

    /// Enough rows that all cores have work, and few enough that they stay in cache.
    private static var batchRows: Int { 8192 }

    init(_ model: TrainedModel, _ rows: RowSet, _ workers: Workers, _ stop: Stop) throws {
        self.model = model
        self.workers = workers
        seed = model.configuration.seed
        count = rows.count
        width = model.saved.network.inputs
        x = AlignedMemory(count: rows.count * width)
        unsafe pointers = unsafe AlignedMemory(count: rows.count)
        for row in 0..<rows.count { unsafe pointers.start[row] = UnsafePointer(x.start + row * width) }
        forward = EnsemblePass(
            network: model.saved.network, parameters: model.parameters, loss: model.loss,
            maxRows: Self.batchRows, workers: workers)
        let loader = try BatchLoader<S>(
            rows, normalization: model.saved.normalization, order: .sequential, batchSize: 1024, workers: workers)
        var row = 0
        while let batch = try unsafe loader.next() {
            let size = unsafe batch.rows
            for offset in 0..<size {
                unsafe (x.start + (row + offset) * width).update(from: batch.x[offset], count: width)
            }
            switch unsafe batch.targets {
            case .classes(let numbers):
                unsafe classes.append(contentsOf: UnsafeBufferPointer(start: numbers, count: size))
            case .values(let numbers):
                let all = size * model.saved.network.outputs
                unsafe values.append(contentsOf: UnsafeBufferPointer(start: numbers, count: all))
            case .absent: break
            }
            if let numbers = unsafe batch.weights {
                unsafe weights = (weights ?? []) + UnsafeBufferPointer(start: numbers, count: size)
            }
            row += size
            if let reason = stop.reason { throw TreadleError(.tryAgain, "stopped by \(reason)") }
        }
        try loader.confirmFiles()
    }

    /// The loss as it is, and by group and repeat with the group's columns shuffled.
    func losses(
        _ groups: [Importance.Group], _ repeats: Int, _ stop: Stop, _ progress: (Double) -> Void
    ) throws -> (loss: Double, losses: [[Double]]) {
        let base = loss()
        var losses: [[Double]] = []
        for (index, group) in groups.enumerated() {
            let kept = group.columns.map { column in (0..<count).map { unsafe x.start[$0 * width + column] } }
            losses.append(
                try (0..<repeats).map { turn in
                    if let reason = stop.reason { throw TreadleError(.tryAgain, "stopped by \(reason)") }
                    progress(Double(index * repeats + turn) / Double(groups.count * repeats))
                    let order = Permutation(count: count, seed: seed, epoch: turn, stream: UInt64(index))
                    write(kept, to: group.columns, in: order)
                    return loss()
                })
            write(kept, to: group.columns, in: nil)
        }
        progress(1)
        return (base, losses)
    }

    /// Puts the values of columns into the rows, in another order or as they were.
    private func write(_ values: [[S]], to columns: [Int], in order: Permutation?) {
        let block = 1 << 14
        // Each block of rows is one task's alone.
        nonisolated(unsafe) let start = unsafe x.start
        let (count, width) = (count, width)
        workers.forEach((count + block - 1) / block) { index, _ in
            let rows = index * block..<min((index + 1) * block, count)
            var from = rows.map { UInt64($0) }
            unsafe from.withUnsafeMutableBufferPointer { from in
                guard let base = from.baseAddress else { return }
                unsafe order?.fill(base, from: rows)
            }
            for (place, column) in columns.enumerated() {
                unsafe values[place].withUnsafeBufferPointer { values in
                    for row in rows {
                        unsafe start[row * width + column] = values[Int(from[row - rows.lowerBound])]
                    }
                }
            }
        }
    }

    /// The mean loss over all rows, by their weights.
    private func loss() -> Double {
        var (sum, weight) = (0.0, 0.0)
        let outputs = model.saved.network.outputs
        unsafe classes.withUnsafeBufferPointer { classes in
            unsafe values.withUnsafeBufferPointer { values in
                unsafe (weights ?? []).withUnsafeBufferPointer { weights in
                    for first in stride(from: 0, to: count, by: Self.batchRows) {
                        let targets: Targets<S> =
                            if let base = classes.baseAddress, !classes.isEmpty {
                                unsafe .classes(base + first)
                            } else if let base = values.baseAddress {
                                unsafe .values(base + first * outputs)
                            } else {
                                unsafe .absent
                            }
                        _ = unsafe forward.run(
                            Batch(
                                rows: min(Self.batchRows, count - first), x: UnsafePointer(pointers.start + first),
                                targets: targets,
                                weights: self.weights == nil ? nil : weights.baseAddress.map { unsafe $0 + first }))
                        sum += forward.rowSums.lossSum
                        weight += forward.rowSums.weightSum
                    }
                }
            }
        }
        return sum / weight
    }
}
