/// What a model says about some rows.
///
/// ```swift
/// let predictions = try model.predict([5.1, 3.5, 1.4, 0.2] as [Float])
/// if let best = predictions.classIndices?[0], let names = model.classes {
///     print(names[best], predictions[0][best])
/// }
/// ```
public struct Predictions: Sendable {
    /// How many rows.
    public var rows: Int
    /// Values of a row: classes, labels or target columns.
    public var width: Int
    /// rows × width, row-major: probabilities, or values in the target's own units.
    public var values: [Float]
    /// Of classifications, each row's class of the greatest probability; of equals, the first.
    public var classIndices: [Int]?

    /// The values of one row, which must be below `rows`.
    ///
    /// ```swift
    /// let probabilities = Array(predictions[0])
    /// ```
    public subscript(row: Int) -> ArraySlice<Float> { values[row * width..<(row + 1) * width] }
}
