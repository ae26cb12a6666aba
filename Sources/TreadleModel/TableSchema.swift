/// What the columns of a table are, and how a network reads them: stored once, with the data and with the model.
///
/// Three widths belong to a table. It has `columns`, as its header names them. A file's `/x` has `storedWidth` numbers a
/// row: a category is one code, a date several numbers. A network reads `inputWidth` numbers a row: a category becomes a
/// 0 or 1 for each of its values, and a number that may be missing brings an indicator.
///
/// `/schema` of a file and `/treadle/schema` of a checkpoint hold it as JSON text.
package struct TableSchema: Codable, Equatable, Sendable {
    /// Raised when an older program would misread a schema.
    package var version = 1
    /// In the order of the numbers of a row of `/x`.
    package var columns: [Column]
    /// What `/y` was made from, so that other files of the same table give the same targets.
    package var targets: [Target]
    /// Columns of the table that are not used, with the reason: identifiers, or what the user dropped.
    package var unused: [Unused]

    package struct Column: Codable, Equatable, Sendable {
        package var name: String
        package var kind: Kind

        package init(name: String, kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    package enum Kind: Codable, Equatable, Sendable {
        /// One number. Where `indicator` is true, training data lack it often enough for a second input that says so.
        case number(NumberForm, indicator: Bool)
        /// 0 or 1, made from two values: the first is 0.
        case flag(no: String, yes: String)
        /// One code: 0 is any other value, 1 a missing one, and 2 + i the i-th of `values`.
        ///
        /// An input for each of `values`, then one for others and one for missing values where training data have them.
        case category(values: [String], hasOther: Bool, hasMissing: Bool)
        /// Numbers made from a date, in the order of `DatePart`; days count from `origin`, so that they keep their digits.
        case date(parts: [DatePart], origin: String, format: String?)

        private enum NumberCodingKeys: String, CodingKey {
            case _0 = "form"
            case indicator
        }
    }

    /// How a column writes its numbers.
    package struct NumberForm: Codable, Equatable, Sendable {
        package var decimalComma = false
        /// What stands between thousands: "," "." "'" or a space.
        package var thousands: String?
        /// What stands before or behind a number and is no part of it: "$", "€", "%" …
        package var sign: String?

        package init(decimalComma: Bool = false, thousands: String? = nil, sign: String? = nil) {
            self.decimalComma = decimalComma
            self.thousands = thousands
            self.sign = sign
        }
    }

    package enum DatePart: String, Codable, CaseIterable, Sendable {
        case days, year, monthSine, monthCosine, weekdaySine, weekdayCosine, hourSine, hourCosine
    }

    package struct Target: Codable, Equatable, Sendable {
        package var name: String
        /// The words that classes were made from; nil for numbers.
        package var classes: [String]?
        package var form: NumberForm

        package init(name: String, classes: [String]? = nil, form: NumberForm = NumberForm()) {
            self.name = name
            self.classes = classes
            self.form = form
        }
    }

    package struct Unused: Codable, Equatable, Sendable {
        package var name: String
        package var reason: String

        package init(name: String, reason: String) {
            self.name = name
            self.reason = reason
        }
    }

    package init(columns: [Column], targets: [Target] = [], unused: [Unused] = []) {
        self.columns = columns
        self.targets = targets
        self.unused = unused
    }

    package var storedWidth: Int { columns.reduce(0) { $0 + $1.storedWidth } }
    package var inputWidth: Int { columns.reduce(0) { $0 + $1.inputs.count } }
    /// What each number that the network reads is called, and how it may be scaled.
    package var inputs: [Input] { columns.flatMap(\.inputs) }

    /// One number of those that a network reads.
    package struct Input: Equatable, Sendable {
        package var name: String
        /// True for what has a unit and a spread, and so is normalized and may be embedded; indicators, flags, the values of
        /// categories and the parts of circles stay as they are.
        package var isNumber: Bool
        /// True for what is 0 or 1 in each row, so that its mean is a share of the rows.
        package var isShare = false
    }
}

extension TableSchema.Column {
    /// How many numbers of a row of `/x` are this column's.
    package var storedWidth: Int {
        if case .date(let parts, _, _) = kind { parts.count } else { 1 }
    }

    /// What a network reads of this column.
    package var inputs: [TableSchema.Input] {
        switch kind {
        case .number(_, let indicator):
            [.init(name: name, isNumber: true)]
                + (indicator ? [.init(name: "\(name) is missing", isNumber: false, isShare: true)] : [])
        case .flag(_, let yes): [.init(name: "\(name)=\(yes)", isNumber: false, isShare: true)]
        case .category(let values, let hasOther, let hasMissing):
            (values + (hasOther ? ["(other)"] : []) + (hasMissing ? ["(missing)"] : [])).map {
                .init(name: "\(name)=\($0)", isNumber: false, isShare: true)
            }
        case .date(let parts, _, _):
            parts.map { .init(name: "\(name) \($0.words)", isNumber: $0 == .days || $0 == .year) }
        }
    }
}

extension TableSchema.DatePart {
    fileprivate var words: String {
        switch self {
        case .days: "(days)"
        case .year: "(year)"
        case .monthSine: "(month, sine)"
        case .monthCosine: "(month, cosine)"
        case .weekdaySine: "(weekday, sine)"
        case .weekdayCosine: "(weekday, cosine)"
        case .hourSine: "(hour, sine)"
        case .hourCosine: "(hour, cosine)"
        }
    }
}
