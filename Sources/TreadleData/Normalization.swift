/// What is done to inputs and targets before the network sees them: `(value − shift) · factor` per column, and for inputs
/// with a clip c the value z that comes of it as `z / √(1 + (z/c)²)`.
package struct Normalization: Equatable, Sendable, Codable {
    /// One entry a column of x; empty arrays leave x as it is.
    package var shift: [Double] = []
    package var factor: [Double] = []
    /// One entry a target column; empty arrays leave targets as they are.
    package var targetShift: [Double] = []
    package var targetFactor: [Double] = []
    /// What takes the place of a value that is not finite, before normalization; empty unless imputing.
    package var imputation: [Double] = []
    /// The bound that a column's numbers come near but never pass, 0 for a column without one; empty where none has.
    package var clip: [Double] = []
    /// What predictions stay within, per target column in its own units; empty unless they are clipped.
    package var targetLow: [Double] = []
    package var targetHigh: [Double] = []
    /// Of each input that is 0 or 1, the share of rows in which it was 1, and −1 of the others; empty where nobody has counted.
    /// Nothing is normalized by them: they tell how far other rows have drifted.
    package var shares: [Double] = []

    package init(
        shift: [Double] = [], factor: [Double] = [], targetShift: [Double] = [], targetFactor: [Double] = [],
        imputation: [Double] = [], clip: [Double] = [], targetLow: [Double] = [], targetHigh: [Double] = [],
        shares: [Double] = []
    ) {
        self.shift = shift
        self.factor = factor
        self.targetShift = targetShift
        self.targetFactor = targetFactor
        self.imputation = imputation
        self.clip = clip
        self.targetLow = targetLow
        self.targetHigh = targetHigh
        self.shares = shares
    }

    package static let none = Normalization()

    /// Leaves these inputs as they are.
    mutating func spare(_ columns: [Int]) {
        for column in columns {
            if !factor.isEmpty { (shift[column], factor[column]) = (0, 1) }
            if !clip.isEmpty { clip[column] = 0 }
        }
    }

    /// Each array: its name in files, what it has an entry for, and where it is here.
    package static let parts:
        [(name: String, side: Side, path: any WritableKeyPath<Normalization, [Double]> & Sendable)] = [
            ("shift", .inputs, \.shift), ("factor", .inputs, \.factor), ("target_shift", .targets, \.targetShift),
            ("target_factor", .targets, \.targetFactor), ("imputation", .inputs, \.imputation),
            ("clip", .inputs, \.clip),
            ("target_low", .targets, \.targetLow), ("target_high", .targets, \.targetHigh),
            (sharesName, .inputs, \.shares),
        ]

    /// The one array that prediction does not need.
    package static let sharesName = "shares"

    package enum Side: Sendable { case inputs, targets }

    /// Each array with its name in files.
    package var named: [(name: String, values: [Double])] {
        Normalization.parts.map { ($0.name, self[keyPath: $0.path]) }
    }

    /// A number of a column as the network reads it.
    package func input(_ number: Double, column: Int) -> Double {
        let value = factor.isEmpty ? number : (number - shift[column]) * factor[column]
        guard !clip.isEmpty, clip[column] != 0 else { return value }
        let share = value / clip[column]
        return value / (1 + share * share).squareRoot()
    }

    /// A network's output in the target's own units, and within what the targets were where that is asked for.
    package func value(of output: Double, column: Int) -> Double {
        let value = targetFactor.isEmpty ? output : output / targetFactor[column] + targetShift[column]
        return targetLow.isEmpty ? value : min(max(value, targetLow[column]), targetHigh[column])
    }

    /// The lowest and the highest that each output may be, as the network counts; empty where that is not limited.
    package var outputBounds: [(low: Double, high: Double)] {
        targetLow.indices.map { column in
            func output(_ value: Double) -> Double {
                targetFactor.isEmpty ? value : (value - targetShift[column]) * targetFactor[column]
            }
            return (output(targetLow[column]), output(targetHigh[column]))
        }
    }
}
