internal import TreadleBase
internal import TreadleData

/// How far new data lies from what a model was trained on, column by column.
package struct Drift: Equatable, Sendable {
    package struct Column: Equatable, Sendable {
        package var name: String
        /// The distance of the means, in units of the stored scale: standard deviations, or the range for min-max.
        package var shift: Double
        /// The new scale over the stored one.
        package var scale: Double

        /// The larger of the two as one number: a scale counts by the logarithm to base 2 of its change.
        package var amount: Double {
            max(abs(shift), scale > 0 ? abs(ElementaryFunction.log(scale)) / 0.693_147_180_559_945_3 : .infinity)
        }
    }

    /// The worst first.
    package var columns: [Column]

    package var worst: Column? { columns.first }

    /// Nil where the data is not normalized by statistics of its own.
    init?(from old: Normalization, to new: Normalization, names: [String]?) {
        guard !old.shift.isEmpty, old.shift.count == new.shift.count else { return nil }
        columns = old.shift.indices.map { column in
            Column(
                name: names?[column] ?? "column \(column + 1)",
                shift: (new.shift[column] - old.shift[column]) * old.factor[column],
                scale: new.factor[column] == 0 || old.factor[column] == 0 ? 1 : old.factor[column] / new.factor[column])
        }.sorted { $0.amount > $1.amount }
    }
}
