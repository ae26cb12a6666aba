/// Some rows of a dataset, in ascending order: one side of a split, without the rows that were dropped.
package struct RowSet: Sendable {
    package let dataset: Dataset
    let selection: RowSelection
    /// Where it is set, rows that members have learnt from: each is to be judged by those members that have not.
    package var folds: Folds?

    init(_ dataset: Dataset, _ selection: RowSelection) {
        self.dataset = dataset
        self.selection = selection
    }

    /// All rows that the dataset's source chooses.
    package init(_ dataset: Dataset) {
        self.init(dataset, RowSelection(dataset.range))
    }

    /// Those of these rows at `ordinals`.
    package func part(_ ordinals: Range<Int>) -> RowSet { RowSet(dataset, selection.part(ordinals)) }

    package var count: Int { selection.count }

    /// Whether its rows have weights.
    package var isWeighted: Bool { dataset.weights != nil }

    /// How many batches of `size` rows these make; the last may be short, unless it is dropped.
    package func batches(of size: Int, dropLast: Bool) -> Int { (count + (dropLast ? 0 : size - 1)) / size }

    /// The dataset's rows among which these are: all of them, unless this is a part.
    var span: Range<Int> {
        guard selection.isPart, count > 0 else { return dataset.range }
        return row(0)..<row(count - 1) + 1
    }

    /// The number, over all files, of the row at `ordinal` of this set.
    package func row(_ ordinal: Int) -> Int { selection[ordinal] }

    /// How many rows are of each class; nil where the targets are no classes.
    package var classCounts: [Int]? {
        guard case .classes(let labels) = dataset.targets else { return nil }
        var counts = [Int](repeating: 0, count: dataset.outputs)
        for row in dataset.range where selection.contains(row) {
            let label = labels[row]
            if label < counts.count { counts[label] += 1 }
        }
        return counts
    }
}
