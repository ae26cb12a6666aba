/// What is done to inputs and targets before the network sees them: `(value − shift) · factor` per column.
package struct Normalization: Equatable, Sendable, Codable {
    /// One entry a column of x; empty arrays leave x as it is.
    package var shift: [Double]
    package var factor: [Double]
    /// One entry a target column; empty arrays leave targets as they are.
    package var targetShift: [Double]
    package var targetFactor: [Double]
    /// What takes the place of a value that is not finite, before normalization; empty unless imputing.
    package var imputation: [Double]

    package init(
        shift: [Double] = [], factor: [Double] = [], targetShift: [Double] = [], targetFactor: [Double] = [],
        imputation: [Double] = []
    ) {
        self.shift = shift
        self.factor = factor
        self.targetShift = targetShift
        self.targetFactor = targetFactor
        self.imputation = imputation
    }

    package static let none = Normalization()
}
