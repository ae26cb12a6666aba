internal import TreadleBase
internal import TreadleData

/// How far new data lies from what a model was trained on, column by column.
package struct Drift: Equatable, Sendable {
    package struct Column: Equatable, Sendable {
        package var name: String
        /// The distance of the means, in units of the stored scale: standard deviations, or the range for min-max. Of what is 0
        /// or 1, such as a value of a category, it is the distance of the shares in standard deviations.
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
            let name = names?[column] ?? "column \(column + 1)"
            if let shift = Self.shift(of: column, from: old.shares, to: new.shares) {
                return Column(name: name, shift: shift, scale: 1)
            }
            return Column(
                name: name,
                shift: (new.shift[column] - old.shift[column]) * old.factor[column],
                scale: new.factor[column] == 0 || old.factor[column] == 0 ? 1 : old.factor[column] / new.factor[column])
        }.sorted { $0.amount > $1.amount }
    }

    /// How far a share has moved, where the column has one; what was all but never there counts as one row in a thousand.
    private static func shift(of column: Int, from old: [Double], to new: [Double]) -> Double? {
        guard old.indices.contains(column), new.indices.contains(column), old[column] >= 0, new[column] >= 0 else {
            return nil
        }
        let share = old[column]
        return (new[column] - share) / max(share * (1 - share), 0.001).squareRoot()
    }
}
