/// The section `data`: where rows come from, in which order, and what is done to them.
package struct DataConfiguration: Equatable, Sendable {
    package var train: DataSource
    package var valid: Validation?
    package var test: HeldOut?
    package var batchSize: Int
    package var dropLast: Bool
    package var shuffle: Shuffle
    package var shuffleBlock: Int
    package var shuffleWindow: Int
    package var access: Access
    package var memoryLimit: Amount
    package var prefetch: Int
    package var normalize: NormalizationMethod
    /// With robust normalization: the bound c that numbers are bent to stay within, in quartile ranges.
    package var smoothClip: Double
    package var normalizeTarget: TargetNormalization
    /// Whether a regression's predictions stay within the range of the training targets.
    package var clipPredictions: Bool
    package var nonFinite: NonFinitePolicy
    package var allowExternal: Bool
    /// Whether datasets may claim far more than their file stores.
    package var allowUnstored: Bool
    /// HDF5 filters (by name or number) whose plug-ins may be loaded.
    package var filters: [String]
    /// What columns of a table of text are to be, where that is not what they seem to be: `COLUMN=KIND`.
    package var kinds: [String] = []
}

/// The files that make one dataset, in order, and the paths of its parts within each.
package struct DataSource: Equatable, Sendable {
    package static let defaultY = "/y"

    /// Paths or globs as written; relative ones start at the configuration's directory.
    package var files: [String]
    package var x: String
    package var y: String
    package var weight: String?
    /// The rows to use out of all; nil is all of them.
    package var rows: Range<Int>?
}

/// Where the validation rows come from.
package enum Validation: Equatable, Sendable {
    /// A keyed hash puts this share of the training rows aside: of what is in a row of a table, or of the index of other rows.
    case fraction(Double)
    case source(DataSource)
    /// A keyed hash puts every training row into one of so many folds, and each member leaves one of them out.
    case folds(Int)
}

/// Where the rows come from that are measured at the end only.
package enum HeldOut: Equatable, Sendable {
    case source(DataSource)
    /// This share of the training rows: of each class, where there are classes. With a group, all rows with the same
    /// value of that column are on one side.
    case fraction(Double, group: String?)
    /// The training rows whose date, in a table's only column of dates or this one, is not before that one.
    case after(String, column: String?)

    /// Nil where they are taken from the training rows, and so decide what is learnt.
    package var dataSource: DataSource? { if case .source(let source) = self { source } else { nil } }
}

package enum Shuffle: String, CaseIterable, Sendable { case full, block, none }

package enum Access: String, CaseIterable, Sendable { case auto, mmap, chunks, library, memory }

package enum NormalizationMethod: Equatable, Sendable {
    case standard, robust, minmax, none
    case scale(Double)
}

package enum TargetNormalization: String, CaseIterable, Sendable { case standard, none }

package enum NonFinitePolicy: String, CaseIterable, Sendable {
    case error, imputeMean = "impute_mean", dropRow = "drop_row"
}
