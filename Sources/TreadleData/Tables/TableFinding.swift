/// What became of a column of a table, for people to look over.
package struct TableFinding: Equatable, Sendable {
    package var name: String
    /// "number", "category", "date", "flag", "target", or "left out".
    package var kind: String
    /// How many numbers a network reads of it.
    package var inputs: Int
    /// Its range, or examples of its values.
    package var values: String
    /// The share of rows that have no value.
    package var missing: Double
    /// Why it is what it is, or what else it could be; empty where that is plain.
    package var note: String
}
