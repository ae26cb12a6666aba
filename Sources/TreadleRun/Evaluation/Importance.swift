package import TreadleBase
package import TreadleData
internal import TreadleConfiguration
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
    /// How many rows were looked at: all, or every second, third, …
    package let rows: Int
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
    ///
    /// Where members have learnt from the rows but for a fold each, a row is judged by those that have not. Of more than
    /// `most` rows it takes every second, third, …
    package init(
        of model: TrainedModel, on rows: RowSet, repeats: Int = 5, most: Int = .max, workers: Workers,
        stop: Stop = Stop(), progress: (Double) -> Void = { _ in }
    ) throws {
        self.repeats = repeats
        // As many as `CachedRows` keeps.
        let step = rows.count <= most ? 1 : (rows.count + most - 1) / most
        self.rows = (rows.count + step - 1) / step
        let groups = Self.groups(
            schema: model.saved.schema, columns: model.saved.columns, inputs: model.saved.network.inputs)
        let result: (loss: Double, losses: [[Double]]) =
            switch model.saved.precision.number {
            case .float32:
                try CachedRows<Float>(model, rows, most: most, workers, stop).losses(groups, repeats, stop, progress)
            case .float64:
                try CachedRows<Double>(model, rows, most: most, workers, stop).losses(groups, repeats, stop, progress)
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
