/// How a table is to be read; what is nil is found out from the table itself.
package struct TableOptions: Equatable, Sendable {
    /// The byte between fields.
    package var delimiter: UInt8?
    /// Whether the first record names the columns.
    package var header: Bool?
    /// The columns to predict, by name, by number from 1, or from the end by -1.
    package var targets: [String]
    /// The columns to learn from; nil is all but the targets.
    package var inputs: [String]?
    /// What columns are to be, where that is not what they seem to be.
    package var kinds: [RequestedKind]
    /// In how many rows a value of a category occurs at least; rarer ones are pooled. Nil fits it to the rows.
    package var rare: Int?
    /// How many values a category has at most; nil fits it to the rows.
    package var mostValues: Int?
    /// The classes' names in the order of their numbers; nil takes and sorts what is there.
    package var classes: [String]?
    /// Where an answer to a question can be given.
    package var asking = Asking.importing

    /// Who reads a table, and so where a person can say more about it.
    package enum Asking: Sendable {
        /// `treadle import`, by its options.
        case importing
        /// `treadle init`, which has some of them.
        case initializing
        /// A configuration, by `data.kinds`.
        case configuring
    }

    /// More different names than this are no classes.
    package static let mostClasses = 65_536

    package init(
        delimiter: UInt8? = nil, header: Bool? = nil, targets: [String] = [], inputs: [String]? = nil,
        kinds: [RequestedKind] = [], rare: Int? = nil, mostValues: Int? = nil, classes: [String]? = nil
    ) {
        self.delimiter = delimiter
        self.header = header
        self.targets = targets
        self.inputs = inputs
        self.kinds = kinds
        self.rare = rare
        self.mostValues = mostValues
        self.classes = classes
    }
}

/// What a column is to be.
package struct RequestedKind: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case number, category, flag, drop
        /// Nil is whatever format its dates have.
        case date(format: String?)
    }

    /// A name, a number from 1 or from the end, or a span.
    package var column: String
    package var kind: Kind

    package init(_ column: String, _ kind: Kind) {
        self.column = column
        self.kind = kind
    }

    /// What users write, with the formats of dates.
    package static let words =
        ["number", "category", "date", "flag", "drop"] + DateFormat.allCases.map { "date:\($0.rawValue)" }

    /// `COLUMN=KIND`, as in `zip=category` or `day=date:d/m/Y`; nil where it is none.
    package init?(_ text: String) {
        guard let equals = text.lastIndex(of: "="), equals > text.startIndex else { return nil }
        column = String(text[..<equals])
        switch text[text.index(after: equals)...] {
        case "number": kind = .number
        case "category": kind = .category
        case "flag": kind = .flag
        case "drop": kind = .drop
        case "date": kind = .date(format: nil)
        case let word where word.hasPrefix("date:"):
            guard let format = DateFormat(rawValue: String(word.dropFirst(5))) else { return nil }
            kind = .date(format: format.rawValue)
        default: return nil
        }
    }
}
