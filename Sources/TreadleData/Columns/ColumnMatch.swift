internal import HDF5
internal import TreadleBase
internal import TreadleModel

/// How a file's columns are those that a network reads: by their names, in whatever order, and by their places only where
/// one side has no names.
struct ColumnMatch {
    /// Nil where the rows are the inputs as they are.
    private(set) var reading: InputReading?
    /// Columns of the file that are no inputs.
    private(set) var ignored: [String] = []
    /// Categories of the file with values that the network does not know.
    private(set) var unseen: [Unseen] = []

    struct Unseen {
        var column: String
        /// The place of its code in a stored row, and what to add to it.
        var from: Int
        var base: Int
        /// The words of the codes that the network does not know.
        var values: [Int: String]
    }

    private var numbers: [InputReading.Number] = []
    private var indicators: [InputReading.Indicator] = []
    private var categories: [InputReading.Category] = []
    /// Why the two do not go together.
    private var missing: [String] = []
    private var unlike: [String] = []
    private let wanted: InputColumns
    private let subject: String
    private let owner: String

    /// Matches the columns of the file `subject` with those that `owner`, such as "the model runs/a.h5", has learnt from.
    ///
    /// Throws where that would be a guess.
    init(_ file: InputColumns, of subject: String, as wanted: InputColumns, of owner: String) throws {
        self.wanted = wanted
        self.subject = subject
        self.owner = owner
        switch (wanted, file) {
        case (.table(let wanted), .table(let file)): match(file, as: wanted)
        case (.table(let wanted), .named(let names)): try match(names, as: wanted)
        case (.named(let wanted), .table(let file)): try match(file, as: wanted)
        case (.named(let wanted), .named(let names)): try match(names, as: wanted)
        case (.unnamed(let count), .table(let file)):
            try checkWidth(file.inputWidth, count)
            match(file, as: file)
        case (_, .named(let names)): try checkWidth(names.count, wanted.inputs)
        case (_, .unnamed(let count)): try checkWidth(count, wanted.inputs)
        }
        try checkComplete(file)
        guard !numbers.isEmpty || !categories.isEmpty || !indicators.isEmpty else { return }
        let isPlain =
            categories.isEmpty && indicators.isEmpty && numbers.allSatisfy { $0.from == $0.to && $0.offset == 0 }
        guard !isPlain || file.storedWidth != wanted.inputs else { return }
        reading = InputReading(
            inputs: wanted.inputs, numbers: numbers, indicators: indicators, categories: categories)
    }

    // MARK: Tables

    private mutating func match(_ file: TableSchema, as wanted: TableSchema) {
        var places: [String: Int] = [:]
        var from = 0
        for column in file.columns {
            places[column.name] = from
            from += column.storedWidth
        }
        let columns = Dictionary(uniqueKeysWithValues: file.columns.map { ($0.name, $0) })
        let known = Set(wanted.columns.map(\.name))
        ignored = file.columns.map(\.name).filter { !known.contains($0) }
        var to = 0
        for column in wanted.columns {
            if let other = columns[column.name], let from = places[column.name] {
                match(other, from, as: column, to)
            } else {
                missing.append(column.name)
            }
            to += column.inputs.count
        }
    }

    private mutating func match(
        _ file: TableSchema.Column, _ from: Int, as wanted: TableSchema.Column, _ to: Int
    ) {
        switch (wanted.kind, file.kind) {
        case (.number(_, let indicator), .number), (.number(_, let indicator), .flag("0", "1")):
            numbers.append(.init(from: from, to: to))
            if indicator { indicators.append(.init(from: from, to: to + 1)) }
        case (.flag(let no, let yes), .flag(let other, let another)) where no == other && yes == another:
            numbers.append(.init(from: from, to: to))
        case (.flag("0", "1"), .number):
            numbers.append(.init(from: from, to: to))
        case (.category(let values, let hasOther, let hasMissing), .category(let present, _, _)):
            add(
                wanted.name, from, base: 0, [nil, nil] + present, among: values, hasOther: hasOther,
                hasMissing: hasMissing, to: to)
        case (.category(let values, let hasOther, let hasMissing), .flag(let no, let yes)):
            add(
                wanted.name, from, base: 2, [nil, nil, no, yes], among: values, hasOther: hasOther,
                hasMissing: hasMissing, to: to)
        case (.date(let parts, let origin, _), .date(let present, let otherOrigin, _)):
            guard let offset = parts.contains(.days) ? Day.distance(from: origin, to: otherOrigin) : 0 else {
                unlike.append(
                    "\"\(wanted.name.printable)\" counts its days from \"\(otherOrigin.printable)\", not a date")
                return
            }
            for (index, part) in parts.enumerated() {
                guard let place = present.firstIndex(of: part) else {
                    unlike.append("\"\(wanted.name.printable)\" has no \(part.rawValue) there")
                    continue
                }
                numbers.append(.init(from: from + place, to: to + index, offset: part == .days ? offset : 0))
            }
        case (let kind, let other):
            unlike.append("\"\(wanted.name.printable)\" is \(other.inWords) there and \(kind.inWords) for \(owner)")
        }
    }

    /// A column of codes, whose words are `present`, as one input for each of `values`, then those for others and for
    /// missing ones.
    private mutating func add(
        _ name: String, _ from: Int, base: Int, _ present: [String?], among values: [String], hasOther: Bool,
        hasMissing: Bool, to: Int
    ) {
        let places = Dictionary(zip(values, values.indices)) { first, _ in first }
        let other = hasOther ? to + values.count : nil
        let isMissing = hasMissing ? to + values.count + (hasOther ? 1 : 0) : nil
        var inputs = [other, isMissing]
        var unseen: [Int: String] = [:]
        for (code, word) in present.enumerated().dropFirst(2) {
            let place = word.flatMap { places[$0] }.map { to + $0 }
            if place == nil { unseen[code] = word }
            inputs.append(place ?? other)
        }
        categories.append(.init(name: name, from: from, base: base, inputs: inputs))
        if !unseen.isEmpty { self.unseen.append(.init(column: name, from: from, base: base, values: unseen)) }
    }

    // MARK: Names

    private mutating func match(_ names: [String], as wanted: [String]) throws {
        guard names != wanted else { return }
        let places = try self.places(of: names)
        for (to, name) in wanted.enumerated() {
            if let from = places[name] { numbers.append(.init(from: from, to: to)) } else { missing.append(name) }
        }
        _ = try self.places(of: wanted)
        let known = Set(wanted)
        let added = names.filter { !known.contains($0) }
        guard !added.isEmpty else { return }
        // What else these numbers are, nobody can say: unlike a table's columns they are not left out.
        throw different(missing: missing, added: added, names)
    }

    /// A table whose numbers, or the inputs made from them, are named as the columns of a table are.
    private mutating func match(_ names: [String], as wanted: TableSchema) throws {
        let places = try self.places(of: names)
        var used: Set<String> = []
        func find(_ name: String) -> Int? {
            let place = places[name]
            if place != nil { used.insert(name) }
            return place
        }
        var to = 0
        for column in wanted.columns {
            let inputs = column.inputs
            switch column.kind {
            case .number(_, let indicator):
                if let from = find(column.name) {
                    numbers.append(.init(from: from, to: to))
                    if indicator { indicators.append(.init(from: from, to: to + 1)) }
                    _ = inputs.dropFirst().map { find($0.name) }
                } else {
                    missing.append(column.name)
                }
            case .flag, .category, .date:
                let found = inputs.map { find($0.name) }
                guard !found.contains(nil) else {
                    missing.append(column.name)
                    break
                }
                for (index, from) in found.enumerated() { numbers.append(.init(from: from ?? 0, to: to + index)) }
            }
            to += inputs.count
        }
        ignored = names.filter { !used.contains($0) }
    }

    /// The inputs that a table makes, found by their names.
    private mutating func match(_ file: TableSchema, as wanted: [String]) throws {
        let places = try self.places(of: wanted)
        var found: Set<String> = []
        var from = 0
        for column in file.columns {
            let inputs = column.inputs
            let targets = inputs.map { places[$0.name] }
            for (input, target) in zip(inputs, targets) where target != nil { found.insert(input.name) }
            switch column.kind {
            case .number, .flag:
                if let to = targets[0] { numbers.append(.init(from: from, to: to)) }
                if targets.count > 1, let to = targets[1] { indicators.append(.init(from: from, to: to)) }
            case .category(let values, let hasOther, let hasMissing):
                let other = hasOther ? targets[values.count] : nil
                let isMissing = hasMissing ? targets[targets.count - 1] : nil
                categories.append(
                    .init(name: column.name, from: from, inputs: [other, isMissing] + targets.prefix(values.count)))
            case .date:
                for (index, to) in targets.enumerated() {
                    if let to { numbers.append(.init(from: from + index, to: to)) }
                }
            }
            if targets.allSatisfy({ $0 == nil }) { ignored.append(column.name) }
            from += column.storedWidth
        }
        missing = wanted.filter { !found.contains($0) }
    }

    private func places(of names: [String]) throws -> [String: Int] {
        var places: [String: Int] = [:]
        for (place, name) in names.enumerated() {
            guard places.updateValue(place, forKey: name) == nil else {
                throw TreadleError(
                    .badData,
                    "\(subject): two columns are called \"\(name.printable)\", so that they cannot be matched with those of \(owner); give them different names"
                )
            }
        }
        return places
    }

    // MARK: What does not fit

    private func checkWidth(_ count: Int, _ due: Int) throws {
        guard count != due else { return }
        throw TreadleError(
            .badData,
            "\(subject): its rows have \(count) numbers, those of \(owner) \(due); they must be the same columns"
                + (wanted.names == nil ? "" : ", or columns with names, which are matched by name"))
    }

    private func checkComplete(_ file: InputColumns) throws {
        if let first = unlike.first {
            throw TreadleError(
                .badData,
                "\(subject): the column \(first)" + (unlike.count > 1 ? ", and \(unlike.count - 1) more differ" : "")
                    + "; import the table again with --like, so that it is read as it was in training")
        }
        guard !missing.isEmpty else { return }
        throw different(missing: missing, added: ignored, file.names ?? [])
    }

    private func different(missing: [String], added: [String], _ names: [String]) -> TreadleError {
        func list(_ names: [String]) -> String {
            names.prefix(8).map { "\"\($0.printable)\"" }.joined(separator: ", ")
                + (names.count > 8 ? " and \(names.count - 8) more" : "")
        }
        var parts: [String] = []
        if !missing.isEmpty { parts.append("it lacks \(list(missing))") }
        if !added.isEmpty { parts.append("it has \(list(added)) \(missing.isEmpty ? "besides" : "instead")") }
        return TreadleError(
            .badData,
            "\(subject): has other columns than \(owner): \(parts.joined(separator: ", and ")); rename them or leave them out, for columns are matched by name"
        )
    }
}

extension InputColumns {
    /// The numbers of a row of the file.
    var storedWidth: Int {
        switch self {
        case .table(let schema): schema.storedWidth
        case .named(let names): names.count
        case .unnamed(let count): count
        }
    }
}

extension TableSchema.Kind {
    /// For messages: "a number".
    fileprivate var inWords: String {
        switch self {
        case .number: "a number"
        case .flag(let no, let yes): "a flag of \"\(no.printable)\" and \"\(yes.printable)\""
        case .category: "a category"
        case .date: "a date"
        }
    }
}
