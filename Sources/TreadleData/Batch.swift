package import TreadleModel

/// One batch of B rows as the step takes it, in the memory of the loader that made it.
///
/// It is valid until that loader's next batch. Rows are reached through pointers, so that rows that
/// already lie in memory as the network wants them are used where they are.
@unsafe package struct Batch<S: Scalar> {
    /// B: how many rows there are.
    package var rows: Int
    /// Of several ranks that share a batch, each has some of its rows: which is the first, and how many all have.
    package var firstRow: Int
    package var wholeRows: Int
    /// B pointers to F values each.
    package var x: UnsafePointer<UnsafePointer<S>>
    package var targets: Targets<S>
    /// B weights of the rows, or nil where each counts 1.
    package var weights: UnsafePointer<S>?
    /// B numbers of the rows over all files, where they come from files.
    package var numbers: UnsafePointer<UInt64>?

    package init(
        rows: Int, firstRow: Int = 0, wholeRows: Int? = nil, x: UnsafePointer<UnsafePointer<S>>, targets: Targets<S>,
        weights: UnsafePointer<S>?, numbers: UnsafePointer<UInt64>? = nil
    ) {
        unsafe self.rows = rows
        unsafe self.firstRow = firstRow
        unsafe self.wholeRows = wholeRows ?? rows
        unsafe self.x = x
        unsafe self.targets = targets
        unsafe self.weights = weights
        unsafe self.numbers = numbers
    }
}

/// What the network should say about each row of a batch.
@unsafe package enum Targets<S: Scalar> {
    /// B class numbers, each at least 0 and below the number of outputs.
    case classes(UnsafePointer<Int32>)
    /// B×D values, row-major without gaps.
    case values(UnsafePointer<S>)
    /// Nothing is known: only predictions are asked for.
    case absent
}
