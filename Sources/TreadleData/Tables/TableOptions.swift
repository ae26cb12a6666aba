/// How a table is to be read; what is nil is found out from the table itself.
package struct TableOptions: Equatable, Sendable {
    /// The byte between fields.
    package var delimiter: UInt8?
    /// Whether the first record names the columns.
    package var header: Bool?
    /// The columns to predict, by name, by number from 1, or from the end by -1.
    package var targets: [String]
    /// The columns to learn from; nil is all but the targets and `dropped`.
    package var inputs: [String]?
    package var dropped: [String]
    /// Input columns of text, each of whose values becomes a column of 0 and 1.
    package var oneHot: [String]
    /// Takes the target's values as names of classes, also where they are numbers.
    package var labels: Bool
    /// The classes' names in the order of their numbers; nil takes and sorts what is there.
    package var classes: [String]?

    package init(
        delimiter: UInt8? = nil, header: Bool? = nil, targets: [String] = [], inputs: [String]? = nil,
        dropped: [String] = [], oneHot: [String] = [], labels: Bool = false, classes: [String]? = nil
    ) {
        self.delimiter = delimiter
        self.header = header
        self.targets = targets
        self.inputs = inputs
        self.dropped = dropped
        self.oneHot = oneHot
        self.labels = labels
        self.classes = classes
    }
}
